from __future__ import annotations

import pytest

from gateway.policy.limits import CallLimit
from gateway.testing import ManualClock

pytestmark = pytest.mark.unit


def test_so_many_calls_in_any_minute_and_no_more() -> None:
    clock = ManualClock()
    limit = CallLimit(3, clock)
    allowed = []
    for _ in range(5):
        allowed.append(limit.allows())
        clock.advance(10)
    assert allowed == [True, True, True, False, False]
    clock.advance(10)
    assert limit.allows()
    assert not limit.allows()


def test_refused_calls_do_not_keep_the_door_shut() -> None:
    clock = ManualClock()
    limit = CallLimit(1, clock)
    assert limit.allows()
    for _ in range(59):
        clock.advance(1)
        assert not limit.allows()
    clock.advance(1)
    assert limit.allows()
