from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.link.backoff import Backoff

pytestmark = pytest.mark.unit


def test_the_limit_doubles_up_to_the_cap() -> None:
    backoff = Backoff(base_s=0.5, cap_s=30.0, draw=lambda: 1.0)
    assert [backoff.pause_s(attempt) for attempt in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]


@given(st.integers(0, 10**9))
def test_a_pause_is_anything_up_to_the_limit(attempt: int) -> None:
    assert 0.0 <= Backoff().pause_s(attempt) <= 30.0


def test_clients_do_not_come_back_in_step() -> None:
    assert len({Backoff().pause_s(6) for _ in range(20)}) == 20
