from __future__ import annotations

import asyncio
import time
from datetime import timedelta

import pytest

from gateway.dispatch.lifecycle import State
from gateway.dispatch.order import Order, Result
from gateway.testing import ManualClock, ScriptedCarrier, VirtualTimeLoop, run_virtual

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("virtual_time")]


async def test_an_hour_of_sleep_takes_no_time() -> None:
    loop = asyncio.get_running_loop()
    real, start = time.monotonic(), loop.time()
    await asyncio.sleep(3600)
    assert loop.time() - start == pytest.approx(3600)
    assert time.monotonic() - real < 1


async def test_timers_fire_in_order_of_their_time() -> None:
    seen: list[str] = []
    loop = asyncio.get_running_loop()
    loop.call_later(3, seen.append, "late")
    loop.call_later(1, seen.append, "early")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(2):
            await asyncio.sleep(10)
    assert seen == ["early"]
    await asyncio.sleep(2)
    assert seen == ["early", "late"]


async def test_many_small_sleeps_add_up() -> None:
    start = asyncio.get_running_loop().time()
    for _ in range(1000):
        await asyncio.sleep(0.1)
    assert asyncio.get_running_loop().time() - start == pytest.approx(100)


async def test_time_stands_still_while_a_thread_works() -> None:
    async with asyncio.timeout(5):
        assert await asyncio.to_thread(sum, [1, 2, 3]) == 6
    assert asyncio.get_running_loop().time() < 1


def test_a_program_that_waits_for_ever_is_an_error() -> None:
    async def forever() -> None:
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match="nothing is left"):
        run_virtual(forever())


def test_run_virtual_returns_what_the_coroutine_returns() -> None:
    async def main() -> bool:
        await asyncio.sleep(86_400 * 3)
        return isinstance(asyncio.get_running_loop(), VirtualTimeLoop)

    assert run_virtual(main())


def test_a_manual_clock_moves_both_its_times() -> None:
    clock = ManualClock(start_s=100)
    before = clock.wall()
    clock.advance(2.5)
    assert clock.monotonic() == 102.5
    assert clock.wall() - before == timedelta(seconds=2.5)


async def test_a_clock_of_a_loop_follows_it() -> None:
    clock = ManualClock(asyncio.get_running_loop())
    before = clock.wall()
    await asyncio.sleep(7)
    assert clock.monotonic() == asyncio.get_running_loop().time()
    assert clock.wall() - before == timedelta(seconds=7)
    with pytest.raises(RuntimeError):
        clock.advance(1)


def order(device: str, command: str = "turn_on", **args: int) -> Order:
    return Order(device, command, args, "call-1")


async def test_an_unscripted_carrier_obeys_and_remembers() -> None:
    carrier = ScriptedCarrier()
    result = await carrier.carry_out(order("lamp", brightness=40), lambda _: None)
    assert result.state is State.SUCCEEDED
    assert result.device_state == {"on": True, "brightness": 40}
    await carrier.carry_out(order("lamp", "turn_off"), lambda _: None)
    assert carrier.state["lamp"] == {"on": False, "brightness": 40}
    assert [o.command for o in carrier.orders] == ["turn_on", "turn_off"]


async def test_a_scripted_carrier_answers_in_turn_the_nearest_entry_first() -> None:
    lost, failed = Result(State.TIMED_OUT), Result(State.FAILED)
    carrier = ScriptedCarrier(
        {"turn_on": [lost, failed], ("lamp", "turn_on"): lambda _: Result(State.REJECTED)}
    )
    states = [
        (await carrier.carry_out(order(device), lambda _: None)).state
        for device in ("lamp", "fan", "fan", "fan")
    ]
    assert states == [State.REJECTED, State.TIMED_OUT, State.FAILED, State.FAILED]
    assert carrier.state == {}


async def test_a_scripted_carrier_tells_what_came_later() -> None:
    carrier = ScriptedCarrier({"blind": Result(State.IN_PROGRESS)})
    heard: list[Result] = []
    await carrier.carry_out(order("blind", "set_cover", position=0), heard.append)
    carrier.later("blind", Result(State.SUCCEEDED))
    assert [r.state for r in heard] == [State.SUCCEEDED]
