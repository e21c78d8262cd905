from __future__ import annotations

import asyncio

import pytest

from devices.contract.command import AckStatus, Command, Evidence
from gateway.dispatch.lifecycle import State
from gateway.dispatch.order import Order, Result
from gateway.events import CommandEnded
from tests.gateway.dispatch.bench import Bench, nothing, settle

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("virtual_time")]


# --- answers ----------------------------------------------------------------------------------


async def test_a_device_that_obeys_is_believed_at_once(house: Bench) -> None:
    result = await house.order("lamp", brightness=60)
    assert result == Result(
        State.SUCCEEDED,
        command_id=house.heard[0].command.id,
        device_state={"on": True, "brightness": 60},
        evidence=Evidence.REPORTED,
        attempts=1,
    )
    assert house.now_s == 0.0
    device = house.directory.get("lamp")
    assert device is not None
    assert device.state == {"on": True, "brightness": 60}


async def test_who_has_less_patience_is_answered_sooner(house: Bench) -> None:
    house.behave["lamp"] = nothing
    order = Order("lamp", "turn_on", {}, "call-1", answer_within_s=1.0)
    result = await house.dispatcher.carry_out(order, house.late.append)
    assert (house.now_s, result.state) == (pytest.approx(1.0), State.TIMED_OUT)
    assert all(heard.until_s <= 1.001 for heard in house.heard)


# --- absent devices and links -----------------------------------------------------------------


async def test_a_device_that_is_known_to_be_absent_is_answered_at_once(house: Bench) -> None:
    house.online("lamp", False)
    assert await house.order("lamp") == Result(State.EXPIRED, offline=True)
    assert await house.order("nowhere") == Result(State.EXPIRED, offline=True)
    assert (house.now_s, house.heard) == (0.0, [])


# --- turns ------------------------------------------------------------------------------------


def slowly(house: Bench, device_id: str, takes_s: float) -> None:
    """The device obeys after a while, whatever the attempt."""
    house.behave[device_id] = lambda c: house.after(takes_s, lambda: house.obey(device_id, c))


async def test_two_devices_are_served_side_by_side(house: Bench) -> None:
    slowly(house, "lamp", 0.3)
    slowly(house, "blind", 0.3)
    results = await asyncio.gather(house.order("lamp"), house.order("blind"))
    assert [result.state for result in results] == [State.SUCCEEDED] * 2
    assert house.now_s == pytest.approx(0.3)


async def test_one_attribute_is_served_in_order_and_the_newest_wish_wins(house: Bench) -> None:
    slowly(house, "lamp", 0.3)
    first = house.begin("lamp")
    await settle()
    waiting = house.begin("lamp", "turn_off")
    await settle()
    newest = house.begin("lamp")
    assert (await waiting).state is State.SUPERSEDED
    assert house.now_s == 0.0
    assert (await first).state is State.SUCCEEDED
    assert (await newest).state is State.SUCCEEDED
    assert house.attempts("lamp") == [(0, "turn_on", 1), (0.3, "turn_on", 1)]


async def test_what_a_newer_command_does_not_replace_is_kept(house: Bench) -> None:
    slowly(house, "lamp", 0.3)
    asked = [
        house.begin("lamp"),
        house.begin("lamp", brightness=30),
        house.begin("lamp"),
    ]
    results = await asyncio.gather(*asked)
    assert [result.state for result in results] == [State.SUCCEEDED] * 3
    assert [h.command.args for h in house.heard] == [{}, {"brightness": 30}, {}]


async def test_two_cups_are_two_wishes(house: Bench) -> None:
    slowly(house, "lamp", 0.6)
    results = await asyncio.gather(*(house.order("lamp", "brew") for _ in range(3)))
    assert [result.state for result in results] == [State.SUCCEEDED] * 3
    assert len({heard.command.id for heard in house.heard}) == 3
    # The native contract keeps ids: even a cup of coffee may be asked for again.
    assert house.attempts("lamp")[:2] == [(0, "brew", 1), (0.4, "brew", 2)]


async def test_what_waits_longer_than_its_time_is_never_sent(house: Bench) -> None:
    house.behave["lamp"] = lambda c: house.says("lamp", c.id, AckStatus.ACCEPTED)
    first = house.begin("lamp", "turn_on")
    await settle()
    waiting = await house.order("lamp", "turn_off")
    assert (waiting.state, waiting.attempts) == (State.EXPIRED, 0)
    assert house.now_s == pytest.approx(3.0)
    await first
    await asyncio.sleep(60)
    assert house.commands("lamp") == ["turn_on"]


async def test_stop_waits_for_nobody_and_nothing_moves_after_it(house: Bench) -> None:
    house.behave["blind"] = lambda c: house.obey("blind", c) if c.command == "stop" else None
    moving = house.begin("blind", "set_cover", position=0)
    await settle()
    waiting = house.begin("blind", "set_cover", position=50)
    await settle()
    assert (await house.order("blind", "stop")).state is State.SUCCEEDED
    assert house.now_s == 0.0
    assert (await waiting).state is State.SUPERSEDED
    assert (await moving).state is State.TIMED_OUT
    assert house.attempts("blind") == [(0, "set_cover", 1), (0, "stop", 1)]


async def test_a_stop_that_was_lost_does_not_end_a_later_movement(house: Bench) -> None:
    house.behave["blind"] = lambda c: house.obey("blind", c) if c.command != "stop" else None
    stop = house.begin("blind", "stop")
    await settle()
    assert (await house.order("blind", "set_cover", position=50)).state is State.SUCCEEDED
    assert (await stop).state is State.TIMED_OUT
    assert house.commands("blind") == ["stop", "set_cover"]


# --- devices that keep no ids -----------------------------------------------------------------


async def test_a_fresh_state_that_equals_the_wish_is_already(house: Bench) -> None:
    house.add("old", forgetful=True)
    house.reports("old", on=True, brightness=60)
    result = await house.order("old", brightness=60)
    assert (result.state, result.already) == (State.SUCCEEDED, True)
    assert result.device_state == {"on": True, "brightness": 60}
    assert house.heard == []
    assert not (await house.order("old", brightness=20)).already


async def test_a_native_device_is_asked_even_so(house: Bench) -> None:
    house.reports("lamp", on=True)
    assert not (await house.order("lamp")).already


@pytest.mark.parametrize("why", ["stale", "offline", "unknown", "retained", "other"])
async def test_a_state_that_proves_nothing_is_no_answer(house: Bench, why: str) -> None:
    house.add("old", forgetful=True)
    house.reports("old", on=why != "other", live=why != "retained")
    if why == "stale":
        await asyncio.sleep(61)
    elif why == "offline":
        house.online("old", False)
    elif why == "unknown":
        device = house.directory.get("old")
        assert device is not None
        device.online = None
    result = await house.order("old")
    assert not result.already
    assert result.offline is (why == "offline")
    assert len(house.heard) == (0 if why == "offline" else 1)


async def test_a_value_that_is_not_known_is_not_already(house: Bench) -> None:
    house.add("old", forgetful=True)
    house.reports("old", on=None)
    assert not (await house.order("old")).already
    assert len(house.heard) == 1


@pytest.mark.parametrize("answer", [AckStatus.ACCEPTED, None])
async def test_what_may_still_change_is_not_already(house: Bench, answer: AckStatus | None) -> None:
    house.add("old", forgetful=True)
    house.reports("old", on=True)

    def behave(command: Command) -> None:
        if command.command == "turn_on":
            house.obey("old", command)
        elif answer is not None:
            house.says("old", command.id, answer)

    house.behave["old"] = behave
    off = house.begin("old", "turn_off")
    await settle()
    on = house.begin("old", "turn_on")
    await off
    await on
    again = await house.order("old", "turn_on")
    assert not again.already
    assert house.commands("old")[-1] == "turn_on"


# --- ends -------------------------------------------------------------------------------------


async def test_at_the_end_everybody_is_answered_and_nothing_is_sent(house: Bench) -> None:
    house.behave["lamp"] = nothing
    house.behave["blind"] = lambda c: house.says("blind", c.id, AckStatus.ACCEPTED)
    asked = [
        house.begin("lamp"),
        house.begin("lamp", "turn_off"),
        house.begin("blind", "set_cover", position=0),
    ]
    await settle()
    sent = len(house.heard)
    house.dispatcher.close()
    results = await asyncio.gather(*asked)
    assert house.now_s == 0.0
    assert [r.state for r in results] == [State.TIMED_OUT, State.EXPIRED, State.ACCEPTED]
    assert (await house.order("lamp", "turn_off")).state is State.EXPIRED
    await asyncio.sleep(60)
    assert len(house.heard) == sent


async def test_who_leaves_frees_the_turn_and_is_told_what_became_of_it(house: Bench) -> None:
    house.behave["lamp"] = nothing
    asked = house.begin("lamp")
    await asyncio.sleep(0.1)
    waiting = house.begin("lamp", "turn_off")
    await asyncio.sleep(0.1)
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)
    assert asked.cancelled()
    await settle()
    first, second = house.heard
    assert (second.at_s, second.command.command) == (pytest.approx(0.2), "turn_off")
    house.says("lamp", first.command.id, state={"on": True})
    house.says("lamp", second.command.id, state={"on": False})
    assert (await waiting).state is State.SUCCEEDED
    assert [late.state for late in house.late] == [State.SUCCEEDED]
    await asyncio.sleep(60)
    assert len(house.heard) == 2


async def test_who_leaves_before_its_turn_is_never_sent(house: Bench) -> None:
    slowly(house, "lamp", 0.3)
    first = house.begin("lamp")
    await settle()
    waiting = house.begin("lamp", "turn_off")
    await settle()
    waiting.cancel()
    assert (await first).state is State.SUCCEEDED
    await asyncio.sleep(60)
    assert house.commands("lamp") == ["turn_on"]
    assert sorted(e.state for e in house.told(CommandEnded)) == ["expired", "succeeded"]
