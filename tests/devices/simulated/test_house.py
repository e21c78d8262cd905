from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from devices.contract import codec
from devices.contract.capability import Kind, Risk
from devices.contract.command import Ack, AckStatus, Command
from devices.contract.topics import Leaf, Topics
from devices.link.base import Link, Message, Publish
from devices.link.memory import MemoryBroker, MemoryLink
from devices.link.mqtt import MqttLink
from devices.simulated.faults import Faults
from devices.simulated.house import House, make_devices, mqtt_links, run_house

pytestmark = pytest.mark.unit

Settle = Callable[[], Awaitable[None]]


class World:
    """A house, and somebody outside who hears and commands."""

    def __init__(self) -> None:
        self.broker = MemoryBroker()
        self.ear = MemoryLink(self.broker, "ear")
        self.heard: list[Message] = []

    def link(self, client_id: str, will: Publish) -> Link:
        return MemoryLink(self.broker, client_id, will=will)

    def give(self, device_id: str, name: str, command_id: str = "c1") -> None:
        payload = codec.encode_command(Command(command_id, name, {}, 3000))
        self.ear.publish(Publish(f"home/{device_id}/command", payload))

    def acks(self, device_id: str) -> list[Ack]:
        topic = Topics().of(device_id, Leaf.ACK)
        return [codec.decode_ack(m.payload) for m in self.heard if m.topic == topic]

    def kept(self, device_id: str, leaf: Leaf) -> bytes:
        return self.broker.retained[Topics().of(device_id, leaf)]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    await made.ear.subscribe("home/#", made.heard.append)
    async with made.ear:
        await made.ear.connected()
        yield made


@pytest.fixture
async def house(world: World, settle: Settle) -> AsyncIterator[House]:
    async with run_house(world.link) as running:
        await settle()
        yield running


def test_the_house_is_as_everybody_expects_it() -> None:
    devices = {d.description.id: d.description for d in make_devices()}
    assert {i: (d.name, d.area) for i, d in devices.items()} == {
        "kitchen-light": ("Kitchen light", "Kitchen"),
        "living-room-lamp": ("Living room lamp", "Living room"),
        "hall-light": ("Hall light", "Hall"),
        "bedroom-blind": ("Bedroom blind", "Bedroom"),
        "front-door-lock": ("Front door lock", "Hall"),
        "garage-door": ("Garage door", "Garage"),
        "thermostat": ("Thermostat", "Living room"),
        "outdoor-temperature": ("Outdoor temperature", "Garden"),
        "coffee-machine": ("Coffee machine", "Kitchen"),
    }
    assert devices["kitchen-light"].aliases == ("ceiling light",)
    assert devices["front-door-lock"].aliases == ("front door",)
    guarded = {
        i for i, d in devices.items() if any(c.risk is not Risk.NORMAL for c in d.capabilities)
    }
    assert guarded == {"front-door-lock", "garage-door"}
    (white,) = devices["living-room-lamp"].of_kind(Kind.COLOR_TEMPERATURE)
    assert (white.minimum, white.maximum) == (2200, 6500)
    (sensor,) = devices["outdoor-temperature"].of_kind(Kind.SENSOR)
    assert (sensor.name, sensor.unit) == ("temperature", "\u00b0C")


async def test_every_device_announces_itself_on_its_own_connection(
    world: World, house: House
) -> None:
    assert set(world.broker.clients) == {"ear", *house.devices}
    for device_id, device in house.devices.items():
        assert (
            codec.decode_description(world.kept(device_id, Leaf.DESCRIPTION)) == device.description
        )
        assert world.kept(device_id, Leaf.AVAILABILITY) == b"online"
        assert codec.decode_state(world.kept(device_id, Leaf.STATE)) == device.state


async def test_a_device_obeys_once(world: World, house: House, settle: Settle) -> None:
    for _ in range(3):
        world.give("kitchen-light", "turn_on")
    await settle()
    assert [a.status for a in world.acks("kitchen-light")] == [AckStatus.SUCCEEDED] * 3
    assert len(house["kitchen-light"].actuations) == 1


async def test_the_house_leaves_offline(world: World, settle: Settle) -> None:
    async with run_house(world.link):
        await settle()
    await settle()
    assert all(
        payload == b"offline"
        for topic, payload in world.broker.retained.items()
        if topic.endswith("/availability")
    )
    assert world.broker.clients == ["ear"]


async def test_faults_are_there_from_the_start(world: World, settle: Settle) -> None:
    async with run_house(world.link, faults={"hall-light": Faults(lose_acks=1)}) as house:
        await settle()
        world.give("hall-light", "turn_on")
        await settle()
        assert world.acks("hall-light") == []
        world.give("hall-light", "turn_on")
        await settle()
        assert [a.status for a in world.acks("hall-light")] == [AckStatus.SUCCEEDED]
        assert len(house["hall-light"].actuations) == 1


async def test_a_fault_of_nobody_is_refused(world: World) -> None:
    with pytest.raises(ValueError, match="no device 'attic-light'; there are: kitchen-light"):
        async with run_house(world.link, faults={"attic-light": Faults(drop=1)}):
            pass


async def test_a_device_goes_offline_and_comes_back(
    world: World, house: House, settle: Settle
) -> None:
    house.misbehave("hall-light", Faults(offline=True))
    world.give("hall-light", "turn_on")
    await settle()
    assert world.kept("hall-light", Leaf.AVAILABILITY) == b"offline"
    assert world.acks("hall-light") == []
    house.misbehave("hall-light")
    await settle()
    assert world.kept("hall-light", Leaf.AVAILABILITY) == b"online"
    world.give("hall-light", "turn_on", "c2")
    await settle()
    assert [a.id for a in world.acks("hall-light")] == ["c2"]


async def test_faults_can_be_set_from_outside(world: World, house: House, settle: Settle) -> None:
    world.ear.publish(Publish("home-faults/hall-light", b"silent"))
    await settle()
    world.give("hall-light", "turn_on")
    await settle()
    assert world.acks("hall-light") == []
    world.ear.publish(Publish("home-faults/hall-light", b""))
    await settle()
    world.give("hall-light", "turn_on", "c2")
    await settle()
    assert [a.id for a in world.acks("hall-light")] == ["c2"]


@pytest.mark.parametrize("payload", [b"explode=1", b"\xff\xfe"])
async def test_faults_that_do_not_exist_are_logged(
    world: World, house: House, settle: Settle, payload: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    world.ear.publish(Publish("home-faults/hall-light", payload))
    await settle()
    assert "hall-light: " in caplog.text
    world.give("hall-light", "turn_on")
    await settle()
    assert len(world.acks("hall-light")) == 1


def test_mqtt_links_carry_their_client_id_and_refuse_a_bad_url() -> None:
    will = Publish("home/lamp/availability", b"offline", qos=1, retain=True)
    assert isinstance(mqtt_links("mqtt://localhost:1883")("lamp", will), MqttLink)
    with pytest.raises(ValueError, match="url"):
        mqtt_links("http://localhost")("lamp", will)


async def test_with_a_memory_the_house_knows_its_commands_after_a_restart(
    world: World, settle: Settle, tmp_path: Path
) -> None:
    for _ in range(2):
        async with run_house(world.link, memory=tmp_path) as house:
            await settle()
            world.give("kitchen-light", "turn_on")
            await settle()
    assert house["kitchen-light"].actuations == []
    assert [ack.status for ack in world.acks("kitchen-light")] == [AckStatus.SUCCEEDED] * 2
