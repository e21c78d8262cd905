"""The mosquitto configuration that we hand out, at work."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from devices.contract.errors import LinkError
from devices.link.base import Message, Publish
from devices.link.mqtt import MqttLink, MqttOptions
from devices.sdk import serving, will
from devices.simulated.lights import KitchenLight
from gateway.app import Gateway
from gateway.config import FixedConfig
from gateway.outcome import Status
from tests.brokers import Mosquitto

pytestmark = pytest.mark.flow

DEPLOY = Path(__file__).parents[2] / "deploy" / "mosquitto"
USERS = {"gateway": "gw-secret", "kitchen-light": "kl-secret", "coffee-machine": "cm-secret"}


class Deployed(Mosquitto):
    """mosquitto with our files; only port and paths are another test machine's."""

    def _config(self) -> str:
        self._access()
        text = (DEPLOY / "gateway.conf").read_text(encoding="utf-8")
        text = text.replace("listener 1883", f"listener {self.port} 127.0.0.1")
        text = text.replace("/etc/mosquitto/passwords", str(self.folder / "passwords"))
        text = text.replace("/etc/mosquitto/gateway.acl", str(DEPLOY / "gateway.acl"))
        return f"user root\n{text}"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with Deployed(tmp_path_factory.mktemp("deployed"), users=USERS) as broker:
        yield broker.url


def options(url: str, user: str, *, last_will: Publish | None = None) -> MqttOptions:
    return MqttOptions(
        url=url, username=user, password=USERS[user], client_id=f"{user}-test", will=last_will
    )


@asynccontextmanager
async def linked(url: str, user: str) -> AsyncIterator[MqttLink]:
    async with MqttLink(options(url, user)) as link:
        await link.connected(5)
        yield link


async def test_the_gateway_and_a_device_work_under_the_rules(url: str) -> None:
    light = KitchenLight()
    link = MqttLink(options(url, light.id, last_will=will(light)))
    mqtt = {"url": url, "username": "gateway", "password": USERS["gateway"]}
    config = FixedConfig.model_validate({"session": {"provider": "none"}, "mqtt": mqtt})
    async with serving(light, link):
        await link.connected(5)
        async with Gateway(config) as gateway:
            assert await gateway.ready()
            outcome = await gateway.call("turn_on", {"target": "kitchen light"})
    assert outcome.status is Status.CONFIRMED


async def test_a_device_cannot_acknowledge_for_another(url: str) -> None:
    heard: asyncio.Queue[Message] = asyncio.Queue()
    async with linked(url, "gateway") as gateway, linked(url, "coffee-machine") as device:
        await gateway.subscribe("home/+/ack", heard.put_nowait)
        device.publish(Publish("home/kitchen-light/ack", b"forged"))
        device.publish(Publish("home/coffee-machine/ack", b"own"))
        first = await asyncio.wait_for(heard.get(), 5)
    assert (first.topic, first.payload) == ("home/coffee-machine/ack", b"own")


async def test_a_device_neither_reads_nor_writes_commands_of_another(url: str) -> None:
    heard: asyncio.Queue[Message] = asyncio.Queue()
    async with (
        linked(url, "gateway") as gateway,
        linked(url, "coffee-machine") as curious,
        linked(url, "kitchen-light") as light,
    ):
        await curious.subscribe("home/+/command", heard.put_nowait)
        await light.subscribe("home/kitchen-light/command", heard.put_nowait)
        curious.publish(Publish("home/kitchen-light/command", b"forged"))
        gateway.publish(Publish("home/kitchen-light/command", b"for the light"))
        gateway.publish(Publish("home/coffee-machine/command", b"for the machine"))
        got = {(await asyncio.wait_for(heard.get(), 5)).payload for _ in range(2)}
    assert got == {b"for the light", b"for the machine"}
    assert heard.empty()


async def test_nobody_comes_in_without_a_password(url: str) -> None:
    async with MqttLink(MqttOptions(url=url)) as link:
        with pytest.raises(LinkError):
            await link.connected(5)
