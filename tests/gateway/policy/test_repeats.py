from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.outcome import Outcome, Status
from gateway.policy import repeats as module
from gateway.policy.repeats import WINDOW_S, Repeats, key_of, may_have_acted
from gateway.testing import ManualClock

pytestmark = pytest.mark.unit


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def repeats(clock: ManualClock) -> Repeats:
    return Repeats(clock)


def answered(status: Status) -> asyncio.Future[Outcome]:
    answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
    answer.set_result(Outcome(status, "So it is."))
    return answer


async def test_the_first_is_known_until_its_time_is_over(
    repeats: Repeats, clock: ManualClock
) -> None:
    answer = answered(Status.CONFIRMED)
    assert repeats.first("brew") is None
    repeats.came("brew", answer)
    clock.advance(WINDOW_S - 0.1)
    assert repeats.first("brew") is answer
    assert repeats.first("press") is None
    clock.advance(0.1)
    assert repeats.first("brew") is None
    assert len(repeats) == 0


async def test_one_that_still_runs_counts(repeats: Repeats) -> None:
    running: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
    repeats.came("brew", running)
    assert repeats.first("brew") is running


@pytest.mark.parametrize(
    ("status", "counts"),
    [
        (Status.CONFIRMED, True),
        (Status.UNCONFIRMED, True),
        (Status.PENDING, True),
        (Status.TIMED_OUT, True),
        (Status.PARTIAL, True),
        (Status.FAILED, True),
        (Status.ANSWER, True),
        (Status.ERROR, True),
        (Status.ALREADY, False),
        (Status.DENIED, False),
        (Status.INVALID, False),
        (Status.OFFLINE, False),
        (Status.EXPIRED, False),
        (Status.REJECTED, False),
        (Status.SUPERSEDED, False),
        (Status.NEEDS_CONFIRMATION, False),
        (Status.UNKNOWN_TOOL, False),
        (Status.UNKNOWN_TARGET, False),
    ],
)
async def test_only_what_may_have_had_an_effect_counts(
    repeats: Repeats, status: Status, counts: bool
) -> None:
    repeats.came("brew", answered(status))
    assert (repeats.first("brew") is not None) is counts
    assert may_have_acted(Outcome(status, "")) is counts


async def test_the_newest_first_counts(repeats: Repeats, clock: ManualClock) -> None:
    repeats.came("brew", answered(Status.OFFLINE))
    clock.advance(9)
    done = answered(Status.CONFIRMED)
    repeats.came("brew", done)
    clock.advance(9)
    assert repeats.first("brew") is done


async def test_the_memory_is_bounded(repeats: Repeats, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_FIRSTS", 3)
    for number in range(10):
        repeats.came(f"brew {number}", answered(Status.CONFIRMED))
    assert len(repeats) == 3
    assert repeats.first("brew 9") is not None


def test_the_order_of_arguments_does_not_matter_and_their_types_do() -> None:
    assert key_of("brew", {"cups": 1, "strong": True}) == key_of(
        "brew", {"strong": True, "cups": 1}
    )
    keys = {key_of("brew", {"cups": value}) for value in (1, True, "1", 2)}
    assert len(keys | {key_of("boil", {"cups": 1}), key_of("brew", {})}) == 6


def test_a_target_is_the_same_however_it_is_spelled_and_other_texts_are_not() -> None:
    keys = {
        key_of("say", {"target": name}) for name in ("Hall radio", "hall radio", " HALL  radio")
    }
    assert len(keys) == 1
    assert key_of("say", {"target": "radio"}) not in keys
    assert key_of("say", {"text": "Yes"}) != key_of("say", {"text": "yes"})


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 12)), max_size=60))
def test_nothing_is_done_twice_within_the_window(calls: list[tuple[str, float]]) -> None:
    async def ask() -> None:
        clock = ManualClock()
        repeats, done = Repeats(clock), dict[str, float]()
        for name, pause in calls:
            clock.advance(pause)
            if repeats.first(name) is None:
                assert clock.monotonic() - done.get(name, -WINDOW_S) >= WINDOW_S
                done[name] = clock.monotonic()
                repeats.came(name, answered(Status.CONFIRMED))

    asyncio.run(ask())
