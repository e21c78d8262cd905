from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from devices.link.base import Message, Publish
from devices.link.memory import MemoryBroker, MemoryLink
from devices.simulated.lies import Lie
from devices.simulated.shelly import SimulatedOldShelly, SimulatedShelly
from tests.devices.conftest import settle

pytestmark = pytest.mark.unit


class Ear:
    """Everything that is said on a broker."""

    def __init__(self, broker: MemoryBroker, link: MemoryLink) -> None:
        self._broker = broker
        self._link = link
        self.heard: list[Message] = []

    async def listen(self) -> None:
        await self._link.subscribe("#", self.heard.append)

    async def says(self, topic: str, payload: str) -> None:
        self.heard.clear()
        self._broker.publish(Publish(topic, payload.encode()))
        await settle()

    async def asks(self, method: str, **params: Any) -> dict[str, Any]:
        """The one answer to a call."""
        frame = {"id": 5, "src": "me", "method": method, "params": params}
        await self.says("hall/shelly/rpc", json.dumps(frame))
        (answer,) = [json.loads(m.payload) for m in self.heard if m.topic == "me/rpc"]
        assert (answer["id"], answer["dst"]) == (5, "me")
        return dict(answer)

    def news(self) -> list[dict[str, Any]]:
        """What was notified."""
        events = [json.loads(m.payload) for m in self.heard if m.topic.endswith("/events/rpc")]
        return [event["params"] for event in events]

    def on(self, topic: str) -> list[str]:
        return [m.payload.decode() for m in self.heard if m.topic == topic]


@pytest.fixture
async def broker() -> MemoryBroker:
    return MemoryBroker()


@pytest.fixture
async def ear(broker: MemoryBroker) -> AsyncIterator[Ear]:
    async with MemoryLink(broker, "ear") as link:
        await link.connected(1)
        made = Ear(broker, link)
        await made.listen()
        yield made


@pytest.fixture
async def shelly(broker: MemoryBroker, ear: Ear, pace: Any) -> AsyncIterator[SimulatedShelly]:
    link = MemoryLink(broker, "shelly")
    async with link, SimulatedShelly(link, sleep=pace.sleep).running() as made:
        yield made


@pytest.fixture
async def plug(broker: MemoryBroker, ear: Ear) -> AsyncIterator[SimulatedOldShelly]:
    async with MemoryLink(broker, "plug") as link, SimulatedOldShelly(link).running() as made:
        yield made


@pytest.mark.usefixtures("shelly")
async def test_it_answers_what_it_is(ear: Ear) -> None:
    info = (await ear.asks("Shelly.GetDeviceInfo"))["result"]
    assert info["mac"] == "A0B1C2D3E4F6"
    assert set((await ear.asks("Shelly.GetStatus"))["result"]) >= {"switch:0", "light:0", "cover:0"}
    assert (await ear.asks("Valve.Open", id=0))["error"]["code"] == 404
    await ear.says("shellies/command", "announce")
    assert ear.on("hall/shelly/announce") == ear.on("shellies/announce") != []


async def test_it_switches_and_notifies_changes_only(ear: Ear, shelly: SimulatedShelly) -> None:
    assert (await ear.asks("Switch.Set", id=0, on=True))["result"] == {"was_on": False}
    assert [news["switch:0"]["output"] for news in ear.news()] == [True]
    await ear.asks("Switch.Set", id=0, on=True)
    assert ear.news() == []
    assert shelly.truth["switch:0"]["output"] is True


async def test_it_lies(ear: Ear, shelly: SimulatedShelly) -> None:
    shelly.misbehave(Lie.ECHO)
    assert "result" in await ear.asks("Switch.Set", id=0, on=True)
    assert shelly.truth["switch:0"]["output"] is False
    shelly.misbehave(Lie.REFUSE)
    assert (await ear.asks("Light.Set", id=0, on=True))["error"]["code"] == -109
    shelly.misbehave(Lie.OFFLINE)
    await ear.says("hall/shelly/rpc", "{}")
    assert ear.on("me/rpc") == []
    assert shelly.actions == []


async def test_it_moves_and_jams(ear: Ear, shelly: SimulatedShelly, pace: Any) -> None:
    await ear.asks("Cover.GoToPosition", id=0, pos=40)
    for _ in range(4):
        await pace.step()
    assert (shelly.truth["cover:0"]["current_pos"], shelly.truth["cover:0"]["state"]) == (
        40,
        "stopped",
    )
    shelly.misbehave(Lie.JAM)
    await ear.asks("Cover.Open", id=0)
    for _ in range(2):
        await pace.step()
    assert {"id": 0, "errors": ["obstruction"]} in [news["cover:0"] for news in ear.news()]
    assert shelly.truth["cover:0"]["current_pos"] == 70


async def test_the_old_one(ear: Ear, plug: SimulatedOldShelly) -> None:
    await ear.says("shellies/cellar-plug/relay/0/command", "on")
    assert ear.on("shellies/cellar-plug/relay/0") == ["on"]
    plug.misbehave(Lie.ECHO)
    await ear.says("shellies/cellar-plug/relay/0/command", "off")
    assert ear.on("shellies/cellar-plug/relay/0") == ["off"]
    await ear.says("shellies/cellar-plug/command", "update")
    assert ear.on("shellies/cellar-plug/relay/0") == ["on"]
    assert plug.actions == ["on"]
