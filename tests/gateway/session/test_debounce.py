from __future__ import annotations

import asyncio

import pytest

from gateway.session.debounce import PATIENCE_S, QUIET_S, Debounce
from gateway.testing import ManualClock

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("virtual_time")]


@pytest.fixture
def acts() -> list[float]:
    return []


@pytest.fixture
async def debounce(acts: list[float]) -> Debounce:
    loop = asyncio.get_running_loop()
    return Debounce(lambda: acts.append(loop.time()), ManualClock(loop))


async def test_a_burst_is_acted_on_once_it_is_over(debounce: Debounce, acts: list[float]) -> None:
    for _ in range(4):
        debounce.changed()
        await asyncio.sleep(0.5)
    assert acts == []
    await asyncio.sleep(10)
    assert acts == [pytest.approx(1.5 + QUIET_S)]
    debounce.changed()
    await asyncio.sleep(10)
    assert len(acts) == 2


async def test_what_never_rests_is_acted_on_all_the_same(
    debounce: Debounce, acts: list[float]
) -> None:
    for _ in range(100):
        debounce.changed()
        await asyncio.sleep(0.5)
    assert acts[0] == pytest.approx(PATIENCE_S)
    assert len(acts) >= 8


async def test_what_waits_can_be_forgotten(debounce: Debounce, acts: list[float]) -> None:
    debounce.close()
    debounce.changed()
    debounce.close()
    await asyncio.sleep(10)
    assert acts == []
