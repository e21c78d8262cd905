from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policy import limits as module
from gateway.policy.limits import Bucket, Limits, in_words
from gateway.testing import ManualClock

pytestmark = pytest.mark.unit


def test_so_many_calls_at_once_and_then_as_many_a_minute() -> None:
    clock = ManualClock()
    limits = Limits(3, 30, clock)
    assert [limits.call() for _ in range(3)] == [0, 0, 0]
    assert limits.call() == pytest.approx(20)
    clock.advance(19)
    assert limits.call() == pytest.approx(1)
    clock.advance(1)
    assert limits.call() == 0
    assert limits.call() == pytest.approx(20)


def test_refused_calls_do_not_keep_the_door_shut() -> None:
    clock = ManualClock()
    limits = Limits(1, 30, clock)
    assert limits.call() == 0
    for left in range(60, 0, -1):
        assert limits.call() == pytest.approx(left)
        clock.advance(1)
    assert limits.call() == 0


def test_each_device_has_its_own_bucket() -> None:
    limits = Limits(100, 2, ManualClock())
    assert limits.commands(["lamp"]) is None
    assert limits.commands(["lamp", "fan"]) is None
    assert limits.commands(["lamp"]) == ("lamp", pytest.approx(30))
    assert limits.commands(["fan"]) is None


def test_a_group_that_must_wait_costs_nobody_anything() -> None:
    limits = Limits(100, 1, ManualClock())
    assert limits.commands(["lamp"]) is None
    for _ in range(5):
        assert limits.commands(["fan", "lamp"]) == ("lamp", pytest.approx(60))
    assert limits.commands(["fan"]) is None


def test_the_table_of_devices_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_DEVICES", 3)
    limits = Limits(100, 1, ManualClock())
    for number in range(10):
        assert limits.commands([f"lamp-{number}"]) is None
    assert len(limits._devices) == 3
    assert limits.commands(["lamp-9"]) is not None


@given(
    st.integers(1, 100),
    st.lists(st.floats(0, 90, allow_nan=False), min_size=1, max_size=200),
)
def test_never_more_than_the_bucket_and_what_came_back(
    per_minute: int, pauses: list[float]
) -> None:
    bucket, now, taken = Bucket(per_minute, 0.0), 0.0, 0
    for pause in pauses:
        now += pause
        wait_s = bucket.wait_s(now)
        assert wait_s >= 0
        if not wait_s:
            bucket.take()
            taken += 1
        assert taken <= per_minute + now * per_minute / 60 + 1e-6


@given(st.integers(1, 100), st.lists(st.floats(0, 5), max_size=150))
def test_who_waits_as_long_as_told_is_served(per_minute: int, pauses: list[float]) -> None:
    bucket, now = Bucket(per_minute, 0.0), 0.0
    for pause in pauses:
        now += pause
        if not bucket.wait_s(now):
            bucket.take()
    assert bucket.wait_s(now + bucket.wait_s(now)) == 0


@pytest.mark.parametrize(
    ("wait_s", "words"),
    [
        (0.01, "in 1 second"),
        (2.5, "in 3 seconds"),
        (60, "in 60 seconds"),
        (61, "in 2 minutes"),
        (300, "in 5 minutes"),
    ],
)
def test_the_wait_can_be_spoken(wait_s: float, words: str) -> None:
    assert in_words(wait_s) == words
