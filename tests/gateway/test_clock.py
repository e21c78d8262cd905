from __future__ import annotations

import asyncio
from datetime import UTC

import pytest

from gateway.clock import SystemClock

pytestmark = pytest.mark.unit


async def test_the_system_clock_is_on_the_scale_of_the_loop_and_in_utc() -> None:
    clock = SystemClock()
    before = asyncio.get_running_loop().time()
    now = clock.monotonic()
    assert before <= now <= asyncio.get_running_loop().time()
    assert clock.wall().tzinfo is UTC
