from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from devices.ecosystems.homie.document import read_document
from devices.link.base import Publish
from devices.link.memory import MemoryBroker, MemoryLink
from devices.simulated.homie5 import SimulatedHomie5
from devices.simulated.lies import Lie
from tests.devices.conftest import settle

pytestmark = pytest.mark.unit

BASE = "homie/5/landing"


@pytest.fixture
async def broker() -> MemoryBroker:
    return MemoryBroker()


@pytest.fixture
async def device(broker: MemoryBroker, pace: Any) -> AsyncIterator[SimulatedHomie5]:
    link = MemoryLink(broker, "landing")
    async with link, SimulatedHomie5(link, sleep=pace.sleep).running() as device:
        yield device


async def told(broker: MemoryBroker, path: str, value: str) -> None:
    broker.publish(Publish(f"{BASE}/{path}/set", value.encode()))
    await settle()


async def test_it_describes_itself(broker: MemoryBroker, device: Any) -> None:
    thing = read_document(broker.retained[f"{BASE}/$description"], "landing")
    assert [node.id for node in thing.nodes] == ["light", "blind"]
    assert broker.retained[f"{BASE}/$state"] == b"ready"
    device.remove()
    assert not broker.retained.keys() - {f"{BASE}/light/on/$target"}


async def test_it_takes_a_value_and_then_has_it(
    broker: MemoryBroker, device: Any, pace: Any
) -> None:
    await told(broker, "light/on", "true")
    assert broker.retained[f"{BASE}/light/on/$target"] == b"true"
    assert broker.retained[f"{BASE}/light/on"] == b"true"
    await told(broker, "blind/action", "open")
    await pace.step(20)
    assert device.values["blind/position"] == "100"
    assert device.actions == [("light/on", "true"), ("blind/action", "open")]


@pytest.mark.parametrize("lie", [Lie.ECHO, Lie.REFUSE, Lie.SILENT, Lie.OFFLINE])
async def test_a_liar_does_nothing(broker: MemoryBroker, device: Any, lie: Lie) -> None:
    device.misbehave(lie)
    await told(broker, "light/on", "true")
    assert device.actions == []
    assert broker.retained[f"{BASE}/light/on"] == b"false"
    assert (f"{BASE}/light/on/$target" in broker.retained) is (lie is Lie.ECHO)


async def test_a_blind_that_jams_says_so(broker: MemoryBroker, device: Any, pace: Any) -> None:
    device.misbehave(Lie.JAM)
    await told(broker, "blind/position", "100")
    await pace.step(20)
    assert device.values["blind/position"] == "50"
    assert broker.retained[f"{BASE}/$alert/stuck"] == b"The blind is stuck."
