from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.session.backoff import CAP_S, Backoff, Pause

pytestmark = pytest.mark.unit


def highest() -> float:
    return 1.0


def test_pauses_double_up_to_the_cap() -> None:
    backoff = Backoff(highest)
    assert [backoff.after(None).seconds for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]


def test_the_jitter_is_full() -> None:
    backoff = Backoff(lambda: 0.25)
    assert [backoff.after(None).seconds for _ in range(3)] == [0.25, 0.5, 1.0]


def test_a_connection_that_lived_starts_from_the_base_again() -> None:
    backoff = Backoff(highest)
    for _ in range(5):
        backoff.after(None)
    assert backoff.after(31.0).seconds == 1
    assert backoff.after(10.0).seconds == 2


def test_the_other_side_may_ask_for_more() -> None:
    assert Backoff(highest).after(None, retry_after_s=30.0).seconds == 30


def test_three_connections_that_open_and_die_at_once_wait_at_the_cap() -> None:
    backoff = Backoff(lambda: 0.0)
    assert [backoff.after(0.1) for _ in range(3)] == [Pause(0), Pause(0), Pause(CAP_S, True)]
    assert backoff.after(0.1).quick_failures
    assert not backoff.after(6.0).quick_failures


@given(st.lists(st.none() | st.floats(0, 100)), st.floats(0, 1, exclude_max=True))
def test_no_pause_is_longer_than_the_cap(lives: list[float | None], random: float) -> None:
    backoff = Backoff(lambda: random)
    for lived in lives:
        assert 0 <= backoff.after(lived).seconds <= CAP_S
