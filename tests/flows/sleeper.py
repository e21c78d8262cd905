"""A light of another make, which sleeps and has its broker keep what comes meanwhile."""

from __future__ import annotations

import asyncio

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from devices.contract import codec
from devices.contract.capability import Capability, Description, Kind
from tests.flows.cloud import PATIENCE_S

_POLL_S = 0.05


class Sleeper:
    """Hears commands at QoS 1 in a session that outlives its connections; answers none.

    Its retained availability says online all the time. `heard` are the commands' payloads.
    """

    def __init__(self, port: int, root: str, where: str) -> None:
        self._port, self._root = port, root
        self.name, self.id = f"{where} light", f"{where.lower()}-light"
        self._client: Client | None = None
        self._loop: asyncio.Task[object] | None = None
        self._subscribed = asyncio.Event()
        self.heard: list[bytes] = []

    async def wake(self) -> None:
        """Connect and take what waits."""
        loop = asyncio.get_running_loop()
        self._subscribed.clear()
        client = Client(
            CallbackAPIVersion.VERSION2,
            f"{self._root}-{self.id}",
            protocol=MQTTProtocolVersion.MQTTv5,
        )
        kept = Properties(PacketTypes.CONNECT)
        kept.SessionExpiryInterval = 600

        def connected(*_: object) -> None:
            client.subscribe(f"{self._root}/{self.id}/command", qos=1)

        def heard(_c: object, _u: object, message: MQTTMessage) -> None:
            self.heard.append(bytes(message.payload))

        def subscribed(*_: object) -> None:
            self._announce(client)
            loop.call_soon_threadsafe(self._subscribed.set)

        client.on_connect, client.on_message, client.on_subscribe = connected, heard, subscribed
        client.connect("127.0.0.1", self._port, clean_start=False, properties=kept)
        self._client = client
        self._loop = asyncio.create_task(asyncio.to_thread(client.loop_forever, _POLL_S))
        await asyncio.wait_for(self._subscribed.wait(), PATIENCE_S)

    async def sleep(self) -> None:
        """Leave; the session stays."""
        assert self._client is not None
        assert self._loop is not None
        self._client.disconnect()
        await self._loop

    def _announce(self, client: Client) -> None:
        description = Description(self.id, self.name, capabilities=(Capability(Kind.POWER),))
        for leaf, payload in (
            ("description", codec.encode_description(description)),
            ("availability", codec.encode_availability(online=True)),
        ):
            client.publish(f"{self._root}/{self.id}/{leaf}", payload, qos=1, retain=True)
