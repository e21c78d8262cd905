"""The simulated box says what the firmware says: our adapter and others' reader understand it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from devices.contract.command import Command
from devices.ecosystems.base import Announced, Sighting, StateReport, Trouble
from devices.ecosystems.tasmota.adapter import Tasmota
from devices.link.base import Message
from devices.link.memory import MemoryBroker, MemoryLink
from devices.simulated.lies import Lie
from devices.simulated.tasmota import SimulatedTasmota

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("virtual_time")]

PLUG = "tasmota-a0b1c2d3e4f5-switch-1"
BLIND = "tasmota-a0b1c2d3e4f5-shutter-1"


class Scene:
    def __init__(self, box: SimulatedTasmota, link: MemoryLink) -> None:
        self.box = box
        self.adapter = Tasmota()
        self.seen: list[Sighting] = []
        self._link = link

    def hear(self, message: Message) -> None:
        self.seen.extend(self.adapter.decode(message))

    async def order(self, device_id: str, command: str, /, **args: int) -> list[Sighting]:
        """What is seen of a command, read-back included."""
        await asyncio.sleep(0.1)
        self.seen.clear()
        delivery = self.adapter.encode(device_id, Command("c", command, args, 3000))
        for message in [*delivery.messages, *delivery.proof.read_back]:
            self._link.publish(message)
        await asyncio.sleep(5)
        return self.seen


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    broker = MemoryBroker()
    async with MemoryLink(broker, "box") as link, MemoryLink(broker, "agent") as agent:
        made = Scene(SimulatedTasmota(link), agent)
        for topic in ("tasmota/discovery/+/config", "stat/#", "tele/#"):
            await agent.subscribe(topic, made.hear)
        async with made.box.running():
            yield made


async def test_it_announces_what_it_is(scene: Scene) -> None:
    await asyncio.sleep(0.1)
    names = {s.description.name for s in scene.seen if isinstance(s, Announced)}
    assert names == {"Hall plug", "Hall strip", "Hall blind"}


async def test_it_does_what_it_is_told_and_says_so(scene: Scene) -> None:
    seen = await scene.order(PLUG, "turn_on")
    assert StateReport(PLUG, {"on": True}, live=True) in seen
    assert scene.box.power[1] is True
    assert scene.box.actions == [("power1", "ON")]


async def test_a_shutter_takes_its_time(scene: Scene) -> None:
    seen = await scene.order(BLIND, "set_cover", position=50)
    states = [s.state for s in seen if isinstance(s, StateReport) and s.device_id == BLIND]
    assert any(state["moving"] for state in states)
    assert states[-1] == {"position": 50, "moving": False}


async def test_one_that_echoes_does_nothing(scene: Scene) -> None:
    scene.box.misbehave(Lie.ECHO)
    seen = await scene.order(PLUG, "turn_on")
    states = [s.state["on"] for s in seen if isinstance(s, StateReport) and s.device_id == PLUG]
    assert states[0] is True
    assert states[-1] is False
    assert scene.box.actions == []


async def test_one_that_refuses(scene: Scene) -> None:
    scene.box.misbehave(Lie.REFUSE)
    assert [s for s in await scene.order(PLUG, "turn_on") if isinstance(s, Trouble)]


async def test_one_that_jams(scene: Scene) -> None:
    scene.box.misbehave(Lie.JAM)
    seen = await scene.order(BLIND, "set_cover", position=100)
    last = [s.state for s in seen if isinstance(s, StateReport) and s.device_id == BLIND][-1]
    assert last["moving"] is False
    assert last["position"] != 100
