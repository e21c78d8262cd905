from __future__ import annotations

import asyncio

import pytest

from devices.contract.command import AckStatus, Command
from gateway.dispatch.lifecycle import State
from gateway.dispatch.order import Order, Result, Written
from gateway.events import CommandEnded, CommandSent
from tests.gateway.dispatch.bench import Bench, nothing, settle

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("virtual_time")]

LAMP = Written("01ASKED", Order("lamp", "turn_on", {"brightness": 60}, "call-1"), "native")
BLIND = Written("01MOVED", Order("blind", "set_cover", {"position": 0}, "call-2"), "native")


def ask(house: Bench, asked: Written = LAMP) -> asyncio.Task[Result]:
    return asyncio.create_task(house.dispatcher.ask(asked, house.late.append))


async def test_the_question_is_the_same_command_without_any_time_to_live(house: Bench) -> None:
    result = await ask(house)
    (heard,) = house.heard
    assert heard.command == Command("01ASKED", "turn_on", {"brightness": 60}, 0, 1)
    assert (result.state, result.command_id) == (State.SUCCEEDED, "01ASKED")
    assert house.told(CommandSent) == []


async def test_a_device_that_never_saw_it_says_expired(house: Bench) -> None:
    house.behave["lamp"] = lambda c: house.says("lamp", c.id, AckStatus.EXPIRED)
    assert (await ask(house)).state is State.EXPIRED


async def test_a_silent_device_is_asked_until_delivery_would_end(house: Bench) -> None:
    house.behave["lamp"] = nothing
    result = await ask(house)
    assert house.now_s == pytest.approx(3.0)
    assert result.state is State.TIMED_OUT
    assert {heard.command.ttl_ms for heard in house.heard} == {0}
    assert len(house.heard) == 8


async def test_what_a_silent_device_says_later_is_told(house: Bench) -> None:
    house.behave["lamp"] = nothing
    await ask(house)
    house.says("lamp", "01ASKED", state={"on": True, "brightness": 60})
    await settle()
    assert [late.state for late in house.late] == [State.SUCCEEDED]
    assert [e.state for e in house.told(CommandEnded)] == ["succeeded"]


async def test_a_device_that_is_still_at_it_is_waited_for(house: Bench) -> None:
    house.behave["blind"] = lambda c: house.says("blind", c.id, AckStatus.IN_PROGRESS)
    asked = ask(house, BLIND)
    await asyncio.sleep(30)
    house.says("blind", "01MOVED", state={"position": 0, "moving": False})
    assert (await asked).state is State.SUCCEEDED
    assert len(house.heard) == 1


async def test_it_is_waited_for_no_longer_than_a_new_command_would_be(house: Bench) -> None:
    house.behave["blind"] = lambda c: house.says("blind", c.id, AckStatus.ACCEPTED)
    assert (await ask(house, BLIND)).state is State.ACCEPTED
    assert house.now_s == pytest.approx(60.0)


async def test_a_broker_that_is_away_is_tried_again(house: Bench) -> None:
    house.link.full = True
    asked = ask(house)
    await asyncio.sleep(1)
    house.link.full = False
    assert (await asked).state is State.SUCCEEDED


async def test_nobody_is_asked_who_is_not_there_or_keeps_no_ids(house: Bench) -> None:
    house.add("old-lamp", forgetful=True)
    for device_id in ("old-lamp", "nowhere"):
        asked = Written("01X", Order(device_id, "turn_on", {}, "call-1"), "any")
        assert (await ask(house, asked)).state is State.TIMED_OUT
    assert house.heard == []


async def test_a_new_command_does_not_wait_for_a_question(house: Bench) -> None:
    house.behave["lamp"] = lambda c: None if c.id == "01ASKED" else house.obey("lamp", c)
    asked = ask(house)
    await settle()
    result = await house.order("lamp")
    assert (result.state, house.now_s) == (State.SUCCEEDED, 0.0)
    await asked


async def test_a_memory_is_not_taken_for_the_present_state(house: Bench) -> None:
    house.reports("lamp", on=False, brightness=0)
    assert (await ask(house)).state is State.SUCCEEDED
    lamp = house.directory.get("lamp")
    assert lamp is not None
    assert lamp.state == {"on": False, "brightness": 0}
