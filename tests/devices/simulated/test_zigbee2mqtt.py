"""The simulated bridge says what the real one says: before, while and after something is done."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from devices.ecosystems.base import Announced
from devices.ecosystems.zigbee2mqtt.adapter import Zigbee2Mqtt
from devices.link.base import Message, Publish
from devices.link.memory import MemoryBroker, MemoryLink
from devices.simulated.lies import Lie
from devices.simulated.zigbee2mqtt import SimulatedBridge

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("virtual_time")]


class Scene:
    def __init__(self, bridge: SimulatedBridge, link: MemoryLink) -> None:
        self.bridge = bridge
        self.heard: list[tuple[str, Any]] = []
        self._link = link

    def hear(self, message: Message) -> None:
        self.heard.append((message.topic.removeprefix("zigbee2mqtt/"), json.loads(message.payload)))

    async def tell(self, leaf: str, body: Any) -> list[Any]:
        """What the bridge publishes on the device's topic from then on."""
        await asyncio.sleep(0.1)
        self.heard.clear()
        self._link.publish(Publish(f"zigbee2mqtt/{leaf}", json.dumps(body).encode()))
        await asyncio.sleep(5)
        name = leaf.rpartition("/")[0]
        return [said for topic, said in self.heard if topic == name]


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    broker = MemoryBroker()
    async with MemoryLink(broker, "bridge") as link, MemoryLink(broker, "agent") as agent:
        made = Scene(SimulatedBridge(link), agent)
        await agent.subscribe("zigbee2mqtt/#", made.hear)
        async with made.bridge.running():
            yield made


def test_the_adapter_takes_its_list() -> None:
    listed = json.dumps(SimulatedBridge(MemoryLink(MemoryBroker(), "x")).devices()).encode()
    sightings = Zigbee2Mqtt().decode(Message("zigbee2mqtt/bridge/devices", listed))
    names = [s.description.name for s in sightings if isinstance(s, Announced)]
    assert names == ["Hall lamp", "Front lock", "Hall shade"]


async def test_a_lamp_echoes_and_does_it(scene: Scene) -> None:
    said = await scene.tell("Hall/lamp/set", {"state": "ON"})
    assert [one["state"] for one in said] == ["ON", "ON"]
    assert scene.bridge.actions == [("Hall/lamp", {"state": "ON"})]
    (read,) = await scene.tell("Hall/lamp/get", {"state": ""})
    assert read["state"] == "ON"


async def test_a_lamp_that_only_echoes_is_found_out_by_asking(scene: Scene) -> None:
    scene.bridge.misbehave(Lie.ECHO)
    (echo,) = await scene.tell("Hall/lamp/set", {"state": "ON"})
    (read,) = await scene.tell("Hall/lamp/get", {"state": ""})
    assert (echo["state"], read["state"]) == ("ON", "OFF")


async def test_a_lock_speaks_only_when_the_bolt_has_turned(scene: Scene) -> None:
    (said,) = await scene.tell("Front lock/set", {"state": "UNLOCK"})
    assert said == {"state": "UNLOCK", "lock_state": "unlocked"}
    scene.bridge.misbehave(Lie.ECHO)
    assert await scene.tell("Front lock/set", {"state": "LOCK"}) == []


async def test_a_shade_says_first_where_it_shall_go_and_then_where_it_is(scene: Scene) -> None:
    said = await scene.tell("Hall shade/set", {"position": 80})
    assert [one["position"] for one in said] == [80, 20, 40, 60, 80]
    scene.bridge.misbehave(Lie.JAM)
    said = await scene.tell("Hall shade/set", {"position": 0})
    assert said[-1]["position"] == 40


async def test_what_cannot_be_done_is_in_the_log_only(scene: Scene) -> None:
    scene.bridge.misbehave(Lie.REFUSE)
    assert await scene.tell("Hall/lamp/set", {"state": "ON"}) == []
    (line,) = [body["message"] for topic, body in scene.heard if topic == "bridge/logging"]
    assert "Publish 'set' 'state' to 'Hall/lamp' failed" in line


async def test_after_a_restart_it_says_again_what_it_remembers(scene: Scene) -> None:
    await asyncio.sleep(0.1)
    scene.heard.clear()
    scene.bridge.restart()
    await asyncio.sleep(0.1)
    assert [topic for topic, _ in scene.heard if topic == "Hall/lamp"] == ["Hall/lamp"]
