"""The simulated node says what the firmware says, and is understood."""

from __future__ import annotations

import asyncio

import pytest

from devices.ecosystems.base import Announced, StateReport
from devices.link.base import Message, Publish
from devices.link.memory import MemoryBroker, MemoryLink
from devices.simulated.esphome import SimulatedNode
from tests.devices.ecosystems.homeassistant.building import house
from tests.devices.ecosystems.transcripts import heard

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("virtual_time")]


async def test_a_lamp_and_an_awning_of_one_node_that_do_what_they_are_told() -> None:
    broker, said = MemoryBroker(), list[Message]()
    async with MemoryLink(broker, "node") as link, MemoryLink(broker, "agent") as agent:
        await agent.subscribe("#", said.append)
        async with SimulatedNode(link).running() as node:
            await asyncio.sleep(0.1)
            adapter = house()
            announced = [s for s in heard(adapter, said) if isinstance(s, Announced)]
            # The first of two has the node's name until the second comes.
            names = {s.description.id: s.description.name for s in announced}
            assert sorted(names.values()) == ["Porch awning", "Porch lamp"]
            said.clear()
            agent.publish(Publish("porch/light/porch_lamp/command", b'{"state": "ON"}'))
            agent.publish(Publish("porch/cover/porch_awning/position/command", b"40"))
            await asyncio.sleep(5)
            assert node.actions == [("lamp", "ON"), ("blind", "40")]
            states = [s.state for s in heard(adapter, said) if isinstance(s, StateReport)]
            assert any(state.get("on") is True for state in states)
            assert any(state.get("position") == 40 for state in states)
