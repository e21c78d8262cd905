"""The simulated box says what a home-made one says, and is understood."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from devices.ecosystems.base import Announced, Availability, StateReport
from devices.link.base import Message, Publish
from devices.link.memory import MemoryBroker, MemoryLink
from devices.simulated.homeassistant import SimulatedAnnouncer
from devices.simulated.lies import Lie
from tests.devices.ecosystems.homeassistant.building import encode, house
from tests.devices.ecosystems.transcripts import heard

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("virtual_time")]


class Scene:
    def __init__(self, box: SimulatedAnnouncer, link: MemoryLink) -> None:
        self.box = box
        self.heard: list[Message] = []
        self._link = link

    async def tell(self, leaf: str, text: str) -> list[tuple[str, str]]:
        """What the box says from then on."""
        await asyncio.sleep(0.1)
        self.heard.clear()
        self._link.publish(Publish(f"den/{leaf}", text.encode()))
        await asyncio.sleep(5)
        said = [(m.topic.removeprefix("den/"), m.payload.decode()) for m in self.heard]
        return [each for each in said if not each[0].endswith("set")]


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    broker = MemoryBroker()
    async with MemoryLink(broker, "box") as link, MemoryLink(broker, "agent") as agent:
        made = Scene(SimulatedAnnouncer(link), agent)
        await agent.subscribe("#", made.heard.append)
        async with made.box.running():
            yield made


async def test_the_adapter_understands_it(scene: Scene) -> None:
    await asyncio.sleep(0.1)
    ecosystem = house()
    sightings = heard(ecosystem, scene.heard)
    found = {s.description.name: s.description for s in sightings if isinstance(s, Announced)}
    assert {name: d.area for name, d in found.items()} == {"Den lamp": "Den", "Den blind": "Den"}
    assert sum(isinstance(s, Availability) and s.online for s in sightings) == 2
    assert {"on": False, "brightness": 100} in [
        s.state for s in sightings if isinstance(s, StateReport)
    ]
    (message,) = encode(ecosystem, found["Den lamp"].id, "turn_on").messages
    assert message.topic == "den/lamp/set"


async def test_a_lamp_reports_what_it_did(scene: Scene) -> None:
    said = await scene.tell("lamp/set", '{"state": "ON", "brightness": 9}')
    assert said == [("lamp", '{"state": "ON", "brightness": 9}')]
    assert scene.box.actions == [("lamp", "ON")]


async def test_a_blind_travels_and_says_when_it_stands(scene: Scene) -> None:
    said = await scene.tell("blind/set", "OPEN")
    positions = [text for leaf, text in said if leaf == "blind/position"]
    assert positions == ["25", "50", "75", "100"]
    assert (said[0], said[-1]) == (("blind", "opening"), ("blind", "open"))
    assert (await scene.tell("blind/set", "STOP"))[-1] == ("blind", "stopped")


@pytest.mark.parametrize("lie", [Lie.SILENT, Lie.OFFLINE, Lie.REFUSE, Lie.ECHO])
async def test_a_box_that_does_nothing(scene: Scene, lie: Lie) -> None:
    scene.box.misbehave(lie)
    said = await scene.tell("lamp/set", '{"state": "ON"}')
    expected = {Lie.REFUSE: ["OFF"], Lie.ECHO: ["ON"]}.get(lie, [])
    assert [text[11:].split('"')[0] for _, text in said] == expected
    assert await scene.tell("blind/set", "OPEN") == []
    assert scene.box.actions == []


async def test_a_blind_that_jams(scene: Scene) -> None:
    scene.box.misbehave(Lie.JAM)
    said = await scene.tell("blind/position/set", "100")
    assert said[-2:] == [("blind/position", "50"), ("blind", "open")]
