from __future__ import annotations

import asyncio

import pytest

from devices.contract.command import Evidence
from gateway.dispatch.lifecycle import State
from gateway.events import CommandEnded
from tests.gateway.dispatch.bench import Bench, nothing, settle

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("virtual_time")]


async def test_two_missed_commands_come_a_third_time_under_the_same_id(house: Bench) -> None:
    house.behave["lamp"] = lambda c: house.obey("lamp", c) if c.attempt == 3 else None
    result = await house.order("lamp")
    assert (result.state, result.attempts) == (State.SUCCEEDED, 3)
    assert house.attempts("lamp") == [(0, "turn_on", 1), (0.4, "turn_on", 2), (1.2, "turn_on", 3)]
    assert {heard.command.id for heard in house.heard} == {result.command_id}
    assert [heard.command.ttl_ms for heard in house.heard] == pytest.approx(
        [3000, 2600, 1800], abs=1
    )
    await asyncio.sleep(60)
    assert len(house.heard) == 3


async def test_a_silent_device_is_timed_out_when_delivery_ends(house: Bench) -> None:
    house.behave["lamp"] = nothing
    result = await house.order("lamp")
    assert house.now_s == pytest.approx(3.0)
    assert (result.state, result.evidence) == (State.TIMED_OUT, Evidence.PUBLISHED)
    await asyncio.sleep(60)
    assert [heard.at_s for heard in house.heard] == pytest.approx([0, 0.4, 1.2, 2.8])
    assert all(heard.until_s <= 3.001 for heard in house.heard)
    assert house.late == []
    assert [e.state for e in house.told(CommandEnded)] == ["timed_out"]


async def test_without_a_broker_a_command_expires_unsent(house: Bench) -> None:
    house.broker.stop()
    await settle()
    result = await house.order("lamp")
    assert (house.now_s, result.state, result.attempts) == (pytest.approx(3), State.EXPIRED, 0)
    house.broker.start()
    await asyncio.sleep(60)
    assert house.heard == []


async def test_a_broker_that_comes_back_in_time_gets_the_command_with_what_is_left(
    house: Bench,
) -> None:
    house.broker.stop()
    await settle()
    house.after(1.5, house.broker.start)
    house.behave["lamp"] = lambda c: house.obey("lamp", c) if c.attempt == 2 else None
    result = await house.order("lamp")
    assert (result.state, result.attempts) == (State.SUCCEEDED, 2)
    first, second = house.heard
    assert 1.5 < first.at_s <= 2.0
    assert second.at_s == pytest.approx(first.at_s + 0.4)
    assert first.until_s == pytest.approx(3.0, abs=0.002)


async def test_a_full_queue_is_tried_again(house: Bench) -> None:
    house.link.full = True
    house.after(1.0, lambda: setattr(house.link, "full", False))
    result = await house.order("lamp")
    assert (result.state, result.attempts) == (State.SUCCEEDED, 1)
    house.link.full = True
    assert (await house.order("lamp")).state is State.EXPIRED


async def test_a_device_without_memory_gets_once_what_must_not_happen_twice(house: Bench) -> None:
    house.add("old", forgetful=True)
    house.behave["old"] = nothing
    assert (await house.order("old", "brew")).state is State.TIMED_OUT
    assert house.attempts("old") == [(0, "brew", 1)]
    await house.order("old", "turn_on")
    assert house.commands("old").count("turn_on") == 4


async def test_what_was_never_sent_is_no_second_time(house: Bench) -> None:
    house.add("old", forgetful=True)
    house.link.full = True
    house.after(1.0, lambda: setattr(house.link, "full", False))
    assert (await house.order("old", "brew")).state is State.SUCCEEDED
    assert house.attempts("old") == [(1.2, "brew", 1)]


async def test_at_the_end_what_waits_for_the_broker_is_answered_too(house: Bench) -> None:
    house.link.full = True
    asked = house.begin("lamp")
    await asyncio.sleep(1)
    house.dispatcher.close()
    house.link.full = False
    assert (await asked).state is State.EXPIRED
    assert house.now_s == pytest.approx(1.0)
    assert house.heard == []
