"""The simulated house at the broker that the demo brings along."""

from __future__ import annotations

import asyncio

import pytest

from devices.contract import codec
from devices.contract.command import Ack, AckStatus, Command, Scalar
from devices.link.base import Message, Publish
from devices.link.mqtt import MqttLink, MqttOptions
from devices.simulated.faults import Faults
from devices.simulated.house import mqtt_links, run_house

pytestmark = pytest.mark.flow

ROOT = "flow-house"


class Visitor:
    """Gives commands over MQTT and waits for what is said."""

    def __init__(self, link: MqttLink) -> None:
        self._link = link
        self._words: asyncio.Queue[Message] = asyncio.Queue()

    async def listen(self) -> None:
        await self._link.subscribe(f"{ROOT}/#", self._words.put_nowait, qos=1)

    def give(self, device_id: str, name: str, command_id: str, **args: Scalar) -> None:
        payload = codec.encode_command(Command(command_id, name, args, 3000))
        self._link.publish(Publish(f"{ROOT}/{device_id}/command", payload))

    async def next(self, device_id: str, leaf: str) -> bytes:
        async with asyncio.timeout(10):
            while True:
                word = await self._words.get()
                if word.topic == f"{ROOT}/{device_id}/{leaf}":
                    return word.payload

    async def see_online(self, device_ids: set[str]) -> None:
        missing = {f"{ROOT}/{device_id}/availability" for device_id in device_ids}
        async with asyncio.timeout(10):
            while missing:
                word = await self._words.get()
                if word.payload == b"online":
                    missing.discard(word.topic)

    async def final(self, device_id: str) -> Ack:
        while True:
            ack = codec.decode_ack(await self.next(device_id, "ack"))
            if ack.status.final:
                return ack


async def test_the_house_obeys_moves_and_leaves(embedded_broker_url: str) -> None:
    options = MqttOptions(url=embedded_broker_url, client_id="flow-visitor")
    async with MqttLink(options) as link:
        await link.connected()
        visitor = Visitor(link)
        await visitor.listen()
        faults = {"hall-light": Faults(drop=1)}
        async with run_house(
            mqtt_links(embedded_broker_url), faults=faults, root=ROOT, speed=50
        ) as house:
            await visitor.see_online(set(house.devices))
            visitor.give("bedroom-blind", "set_cover", "c1", position=80)
            assert (await visitor.final("bedroom-blind")).state["position"] == 80
            for _ in range(2):
                visitor.give("hall-light", "turn_on", "c2")
            assert (await visitor.final("hall-light")).status is AckStatus.SUCCEEDED
            assert [a.command_id for a in house["hall-light"].actuations] == ["c2"]
        assert await visitor.next("kitchen-light", "availability") == b"offline"
