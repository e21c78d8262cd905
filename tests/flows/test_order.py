"""Calls at the same time: devices side by side, one attribute in order, the newest wish wins."""

from __future__ import annotations

import asyncio

import pytest

from devices.simulated.faults import Faults
from devices.simulated.lights import HallLight, KitchenLight
from gateway.events import CommandSent, EvidenceReceived
from tests.flows.world import World, eventually, world

pytestmark = pytest.mark.flow

SLOW = Faults(delay_s=0.2)


def story(home: World) -> list[tuple[str, str]]:
    """What went over the wire, in order: (`sent` or the ack's status, device)."""
    told = []
    for event in home.events:
        if isinstance(event, CommandSent):
            told.append(("sent", event.device_id))
        elif isinstance(event, EvidenceReceived):
            told.append((event.status, event.device_id))
    return told


async def test_two_devices_work_side_by_side(broker_url: str) -> None:
    slow = {"kitchen-light": SLOW, "hall-light": SLOW}
    async with world(broker_url, of=[KitchenLight(), HallLight()], faults=slow) as home:
        names = ("Kitchen light", "Hall light")
        asked = [await home.talk.ask("turn_on", {"target": name}) for name in names]
        outcomes = await asyncio.gather(*map(home.talk.outcome, asked))
        assert [outcome["status"] for outcome in outcomes] == ["confirmed", "confirmed"]
        assert [what for what, _ in story(home)] == ["sent", "sent", "succeeded", "succeeded"]


async def test_one_attribute_is_written_in_order(broker_url: str) -> None:
    async with world(broker_url, of=[KitchenLight()], faults={"kitchen-light": SLOW}) as home:
        asked = [
            await home.talk.ask(tool, {"target": "Kitchen light"})
            for tool in ("turn_on", "turn_off")
        ]
        outcomes = await asyncio.gather(*map(home.talk.outcome, asked))
        assert [outcome["status"] for outcome in outcomes] == ["confirmed", "confirmed"]
        assert [what for what, _ in story(home)] == ["sent", "succeeded", "sent", "succeeded"]
        assert home.acts("kitchen-light") == ["turn_on", "turn_off"]


async def test_a_third_wish_supersedes_the_one_that_waits(broker_url: str) -> None:
    async with world(broker_url, of=[KitchenLight()], faults={"kitchen-light": SLOW}) as home:
        asked = []
        for brightness in (30, 60, 90):
            arguments = {"target": "Kitchen light", "brightness": brightness}
            asked.append(await home.talk.ask("turn_on", arguments))
        outcomes = await asyncio.gather(*map(home.talk.outcome, asked))
        assert [o["status"] for o in outcomes] == ["confirmed", "superseded", "confirmed"]
        assert outcomes[1]["ok"] is False
        assert outcomes[2]["state"]["brightness"] == 90
        await eventually(lambda: len(home.visitor.commands) == 2)
        levels = [command.args["brightness"] for _, command in home.visitor.commands]
        assert levels == [30, 90]


async def test_a_wish_that_repeats_itself_under_one_call_id_is_done_once(broker_url: str) -> None:
    async with world(broker_url, of=[KitchenLight()], faults={"kitchen-light": SLOW}) as home:
        for _ in range(3):
            await home.talk.ask("turn_on", {"target": "Kitchen light"}, "call_twice")
        assert (await home.talk.outcome("call_twice"))["status"] == "confirmed"
        await home.talk.ask("turn_on", {"target": "Kitchen light"}, "call_twice")
        assert (await home.talk.call("turn_off", target="Kitchen light"))["ok"] is True
        assert len(home.talk.results("call_twice")) == 1
        assert home.acts("kitchen-light") == ["turn_on", "turn_off"]
