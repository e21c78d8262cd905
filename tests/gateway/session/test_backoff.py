from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import ExpiredError, NetworkError, TransientError
from gateway.session.backoff import (
    CAP_S,
    NETWORK_JITTER_S,
    NETWORK_PAUSE_S,
    QUICK_LIMIT,
    Backoff,
    Life,
    Pause,
)

pytestmark = pytest.mark.unit

NO = TransientError("the service says no")
NOBODY = NetworkError("nobody is there")
OVER = ExpiredError("the session is over")
DIES_AT_ONCE = Life(0.1)


def highest() -> float:
    return 1.0


def test_pauses_double_up_to_the_cap() -> None:
    backoff = Backoff(highest)
    assert [backoff.after(NO, None).seconds for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]


def test_the_jitter_is_full() -> None:
    backoff = Backoff(lambda: 0.25)
    assert [backoff.after(NO, None).seconds for _ in range(3)] == [0.25, 0.5, 1.0]


def test_to_reach_nobody_is_tried_again_every_second_however_long_it_lasts() -> None:
    for random in (0.0, 0.5, 1.0):
        backoff = Backoff(lambda random=random: random)  # type: ignore[misc]
        expected = NETWORK_PAUSE_S + random * NETWORK_JITTER_S
        assert {backoff.after(NOBODY, None).seconds for _ in range(100)} == {expected}
    assert NETWORK_PAUSE_S + NETWORK_JITTER_S < 2


def test_a_good_connection_starts_from_the_base_again() -> None:
    backoff = Backoff(highest)
    for _ in range(5):
        backoff.after(NO, None)
    assert backoff.after(NO, Life(31.0)).seconds == 1
    assert backoff.after(NO, Life(10.0)).seconds == 2
    assert backoff.after(NO, Life(1.0, productive=True)).seconds == 1


def test_a_connection_on_which_nobody_came_is_no_good_one_however_long_it_lived() -> None:
    backoff = Backoff(highest)
    assert [backoff.after(NO, Life(60.0, ready=False)).seconds for _ in range(3)] == [1, 2, 4]


def test_a_session_that_is_simply_over_is_followed_at_once() -> None:
    backoff = Backoff(highest)
    assert backoff.after(OVER, Life(3600.0)) == Pause(0.0)
    assert backoff.after(OVER, Life(2.0, productive=True)) == Pause(0.0)
    assert backoff.after(OVER, DIES_AT_ONCE).seconds > 0


def test_the_other_side_may_ask_for_more() -> None:
    asked = TransientError("later", retry_after_s=30.0)
    assert Backoff(highest).after(asked, None).seconds == 30


def test_connections_that_open_and_die_at_once_are_for_a_person() -> None:
    backoff = Backoff(lambda: 0.0)
    quick = [backoff.after(NO, DIES_AT_ONCE).quick_failures for _ in range(QUICK_LIMIT + 2)]
    assert quick == [False] * (QUICK_LIMIT - 1) + [True] * 3


@pytest.mark.parametrize("better", [Life(6.0), Life(0.1, productive=True)])
def test_one_that_lives_or_is_of_use_is_none_of_them(better: Life) -> None:
    backoff = Backoff(lambda: 0.0)
    for _ in range(QUICK_LIMIT - 1):
        backoff.after(NO, DIES_AT_ONCE)
    assert not backoff.after(NO, better).quick_failures
    assert not backoff.after(NO, DIES_AT_ONCE).quick_failures


def test_an_attempt_that_reached_nobody_neither_counts_nor_forgives() -> None:
    backoff = Backoff(lambda: 0.0)
    for _ in range(QUICK_LIMIT - 1):
        backoff.after(NO, DIES_AT_ONCE)
        assert not backoff.after(NOBODY, None).quick_failures
    assert backoff.after(NO, DIES_AT_ONCE).quick_failures


def test_a_network_that_flaps_is_no_matter_for_a_person_but_slows_down() -> None:
    backoff = Backoff(highest)
    pauses = [backoff.after(NOBODY, DIES_AT_ONCE) for _ in range(10)]
    assert not any(pause.quick_failures for pause in pauses)
    assert pauses[-1].seconds == CAP_S


LIVES = st.none() | st.builds(Life, st.floats(0, 100), st.booleans(), st.booleans())


@given(
    st.lists(st.tuples(st.sampled_from([NO, NOBODY, OVER]), LIVES)),
    st.floats(0, 1, exclude_max=True),
)
def test_no_pause_is_longer_than_the_cap(
    ends: list[tuple[TransientError, Life | None]], random: float
) -> None:
    backoff = Backoff(lambda: random)
    for error, life in ends:
        pause = backoff.after(error, life)
        assert 0 <= pause.seconds <= CAP_S
        assert not (pause.quick_failures and (life is None or life.productive))
