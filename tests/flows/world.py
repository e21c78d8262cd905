"""A whole world for a test: broker, simulated house, gateway, and the bare cloud script."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from devices.contract import codec
from devices.contract.command import Command
from devices.contract.errors import ContractError
from devices.link.base import Link, Message, Publish
from devices.link.mqtt import MqttLink, MqttOptions
from devices.simulated.base import SimulatedDevice
from devices.simulated.faults import Faults
from devices.simulated.house import House, LinkFactory, mqtt_links, run_house
from gateway.app import Gateway
from gateway.bus import Subscription
from gateway.config import FixedConfig
from gateway.events import BusEvent, CommandSent
from tests.flows.cloud import PATIENCE_S, Cloud, Talk

_numbers = itertools.count(1)


def fresh_root() -> str:
    """A topic root that no other test uses: brokers are shared, and keep what is retained."""
    return f"flow{os.getpid()}-{next(_numbers)}"


class Visitor:
    """Somebody else on the broker: says anything on the house's topics, and hears commands."""

    def __init__(self, url: str, root: str, client_id: str) -> None:
        self.link = MqttLink(MqttOptions(url=url, client_id=client_id))
        self.commands: list[tuple[str, Command]] = []
        self._root = root

    async def listen(self) -> None:
        await self.link.connected(PATIENCE_S)
        await self.link.subscribe(f"{self._root}/+/command", self._heard)

    def says(self, topic: str, payload: bytes | str, *, retain: bool = False) -> None:
        """Publish under the root."""
        data = payload.encode() if isinstance(payload, str) else payload
        self.link.publish(Publish(f"{self._root}/{topic}", data, qos=1, retain=retain))

    def _heard(self, message: Message) -> None:
        try:
            command = codec.decode_command(message.payload)
        except ContractError:
            return
        self.commands.append((message.topic.split("/")[1], command))


@dataclass
class World:
    """What runs, and what happened in it."""

    root: str
    house: House
    gateway: Gateway
    cloud: Cloud
    talk: Talk
    visitor: Visitor
    _subscription: Subscription
    _events: list[BusEvent]

    @property
    def events(self) -> list[BusEvent]:
        """All that the bus carried since the session began."""
        self._events += self._subscription.waiting()
        return self._events

    @property
    def sent(self) -> list[CommandSent]:
        """Every attempt of every command."""
        return [event for event in self.events if isinstance(event, CommandSent)]

    def acts(self, device_id: str) -> list[str]:
        """The commands that a device really carried out."""
        return [actuation.command for actuation in self.house[device_id].actuations]

    @property
    def all_acts(self) -> list[str]:
        """The same, of all devices."""
        return [act for device_id in self.house.devices for act in self.acts(device_id)]


async def eventually(condition: Callable[[], object], within_s: float = PATIENCE_S) -> None:
    """Return as soon as `condition` holds. Raises TimeoutError."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 -- what is waited for has no event of its own
            await asyncio.sleep(0.003)


@asynccontextmanager
async def world(
    broker_url: str,
    *,
    faults: Mapping[str, Faults] | None = None,
    of: Sequence[SimulatedDevice] | None = None,
    root: str = "",
    speed: float = 20.0,
    **config: Mapping[str, Any],
) -> AsyncIterator[World]:
    """A running world with a live session, made `of` these devices (all nine by default).

    `config` takes sections of the configuration; `root` is that of a world that runs already.
    """
    root = root or fresh_root()
    name = fresh_root()
    async with AsyncExitStack() as stack:
        house = await stack.enter_async_context(
            run_house(_links(broker_url, name), faults=faults, root=root, speed=speed, devices=of)
        )
        cloud = await stack.enter_async_context(Cloud())
        visitor = Visitor(broker_url, root, f"{name}-visitor")
        await stack.enter_async_context(visitor.link)
        await visitor.listen()
        settings = _config(broker_url, root, cloud.url, config, f"{name}-gateway")
        gateway = await stack.enter_async_context(Gateway(settings))
        await everybody(gateway, house, faults or {})
        events = stack.enter_context(gateway.bus.subscribe())
        stop = asyncio.Event()
        running = asyncio.create_task(gateway.run(stop))
        talk = await cloud.talk()
        try:
            yield World(root, house, gateway, cloud, talk, visitor, events, [])
        finally:
            stop.set()
            await running


async def everybody(gateway: Gateway, house: House, faults: Mapping[str, Faults]) -> None:
    """Return when the gateway knows the whole house and who of it is online."""

    def known(device_id: str) -> bool:
        device = gateway.directory.get(device_id)
        away = faults.get(device_id, Faults()).offline
        return device is not None and device.online is not away and device.online is not None

    await eventually(lambda: all(map(known, house.devices)))


def _links(url: str, name: str) -> LinkFactory:
    """As `mqtt_links`, with client ids that no other house on the broker has."""
    make = mqtt_links(url)

    def link(client_id: str, will: Publish) -> Link:
        return make(f"{name}-{client_id}", will)

    return link


def _config(
    broker_url: str,
    root: str,
    session_url: str,
    given: Mapping[str, Mapping[str, Any]],
    client_id: str,
) -> FixedConfig:
    needed: dict[str, dict[str, Any]] = {
        "session": {"url": session_url, "license": "flow-license"},
        "mqtt": {"url": broker_url, "client_id": client_id},
        # The broker is shared: what other tests announce there is none of this house.
        "devices": {"root": root, "ecosystems": {"native": {}}},
    }
    for section, values in given.items():
        needed[section] = needed.get(section, {}) | dict(values)
    return FixedConfig.model_validate(needed)
