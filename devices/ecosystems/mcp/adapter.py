"""MCP over MQTT as one ecosystem: servers that come, are asked for their tools, and are called.

Needs MQTT 5: servers know their client by a user property. A conversation begins anew, under a
fresh client id, whenever a server says that it is there. The link's one will is not ours, so a
server hears that we have gone only when we speak to it again.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from devices.contract.capability import Description
from devices.contract.command import Ack, AckStatus, Command, Evidence
from devices.contract.errors import CommandRefusedError, PayloadError
from devices.ecosystems import payload
from devices.ecosystems.base import (
    Acknowledged,
    Announced,
    Availability,
    Delivery,
    Listen,
    Malformed,
    Removed,
    Say,
    Sighting,
    TopicFilter,
    Traits,
)
from devices.ecosystems.mcp import rpc
from devices.ecosystems.mcp.server import MAX_PAGES, Server, Stage
from devices.ecosystems.mcp.tools import acknowledgement, toolbox
from devices.link.base import Message, Publish

MAX_SERVERS = 500
MAX_CALLS = 1_024
MAX_ADDRESS = 160
PROTOCOL = "2025-03-26"
_PRESENCE, _CAPABILITY, _RPC = "$mcp-server/presence/", "$mcp-server/capability/", "$mcp-rpc/"
# Servers count their own questions from 0. Where the broker does not know No Local, our answer
# to one of those comes back to us, and must not look like an answer to a question of ours.
_FIRST_NUMBER = 1_000_000
_CLIENT = {"name": "honest-gateway", "version": "1"}


@dataclass(frozen=True, slots=True)
class _Call:
    device_id: str
    command_id: str


class Mcp:
    """Servers whose names match `names`. `fresh` makes a client id that nobody had before."""

    name = "mcp"
    traits = Traits(keeps_ids=False, silent_on_repeat=False, areas_from_names=True)

    def __init__(self, names: str = "#", *, fresh: Callable[[], str] | None = None) -> None:
        self._names = names
        self._fresh = fresh or _fresh
        self._servers: dict[str, Server] = {}
        self._by_device: dict[str, Server] = {}
        self._calls: OrderedDict[int, _Call] = OrderedDict()
        self._last_number = _FIRST_NUMBER

    def filters(self) -> Sequence[TopicFilter]:
        """Who comes and goes, and whose tools change; answers are listened to one by one."""
        return [TopicFilter(f"{kind}+/{self._names}") for kind in (_CAPABILITY, _PRESENCE)]

    def greeting(self) -> Sequence[Publish]:
        """Nothing: that a server is there is retained."""
        return ()

    def decode(self, message: Message) -> Iterable[Sighting]:
        """What a message says; Malformed when it breaks the rules."""
        try:
            return list(self._sightings(message))
        except PayloadError as error:
            return (Malformed(message.topic, str(error)),)

    def encode(self, device_id: str, command: Command) -> Delivery:
        """A call of the tool. Raises CommandRefusedError."""
        server = self._by_device.get(device_id)
        if server is None or server.tools is None:
            raise CommandRefusedError("unknown_device", "That device is not there any more.")
        original = server.tools.originals.get(command.command)
        if original is None:
            message = f"{server.name} has no {command.command.replace('_', ' ')}."
            raise CommandRefusedError("unknown_command", message)
        number = self._number()
        self._calls[number] = _Call(device_id, command.id)
        while len(self._calls) > MAX_CALLS:
            self._calls.popitem(last=False)
        params = {
            "name": original,
            "arguments": dict(command.args),
            "_meta": {"progressToken": number},
        }
        data = rpc.request(number, "tools/call", params)
        expiry_s = max(1, -(-command.ttl_ms // 1000))
        call = rpc.publish(server.client, server.rpc_topic, data, qos=0, expiry_s=expiry_s)
        return Delivery((call,))

    # --- what comes ----------------------------------------------------------------------

    def _sightings(self, message: Message) -> Iterator[Sighting]:
        topic = message.topic
        if topic.startswith(_PRESENCE):
            yield from self._present(topic.removeprefix(_PRESENCE), message)
        elif topic.startswith(_CAPABILITY):
            yield from self._changed(topic.removeprefix(_CAPABILITY), message)
        elif topic.startswith(_RPC):
            client, _, address = topic.removeprefix(_RPC).partition("/")
            server = self._servers.get(address)
            # A retained answer is the past; an answer to another client is none of our business.
            if server is not None and server.client == client and not message.retained:
                yield from self._spoken(server, message)

    def _present(self, address: str, message: Message) -> Iterator[Sighting]:
        before = self._servers.get(address)
        if not message.payload:
            yield from self._forget(address)
            return
        if len(address) > MAX_ADDRESS or not address.isprintable():
            raise PayloadError("the name of the server cannot be used")
        payload.read_object(message.payload, rpc.MAX_MESSAGE_BYTES)
        if before is None and len(self._servers) >= MAX_SERVERS:
            raise PayloadError("there are too many servers")
        server = Server(address, self._fresh())
        if before is not None:
            yield from self._leave(before)
            server.name, server.tools = before.name, before.tools
            if self._by_device.get(server.device_id) is before:
                self._by_device[server.device_id] = server
                yield Availability(server.device_id, online=False)
        self._servers[address] = server
        yield Listen(server.rpc_topic, then=(self._initialize(server),))

    def _changed(self, address: str, message: Message) -> Iterator[Sighting]:
        said = rpc.read(message.payload)
        server = self._servers.get(address)
        news = isinstance(said, rpc.Call) and said.method == "notifications/tools/list_changed"
        ready = server is not None and server.stage in (Stage.READY, Stage.LISTING)
        if server is not None and ready and news and not message.retained:
            yield self._list(server)

    def _spoken(self, server: Server, message: Message) -> Iterator[Sighting]:
        said = rpc.read(message.payload)
        if isinstance(said, rpc.Call):
            yield from self._called(server, said)
        elif said.id == server.awaited:
            server.awaited = 0
            yield from self._about_itself(server, said)
        elif said.id in self._calls and self._calls[said.id].device_id == server.device_id:
            call = self._calls.pop(said.id)
            yield Acknowledged(call.device_id, acknowledgement(call.command_id, said))

    def _called(self, server: Server, call: rpc.Call) -> Iterator[Sighting]:
        """The server speaks of itself; or it is our own request that comes back."""
        if call.method == "ping" and call.id is not None:
            yield Say(rpc.publish(server.client, server.rpc_topic, rpc.reply(call.id)))
        elif call.method == "notifications/progress":
            yield from self._progressed(server, call.params)
        elif call.method == "notifications/disconnected":
            server.stage = Stage.CLOSED
            if server.tools is not None:
                yield Availability(server.device_id, online=False)

    def _progressed(self, server: Server, params: Mapping[str, Any]) -> Iterator[Sighting]:
        token = params.get("progressToken")
        call = self._calls.get(token) if isinstance(token, int) else None
        if call is None or call.device_id != server.device_id:
            return
        done, total = payload.number(params.get("progress")), payload.number(params.get("total"))
        percent = None
        if done is not None and total is not None and 0 <= done <= total and total > 0:
            percent = done / total * 100
        ack = Ack(call.command_id, AckStatus.IN_PROGRESS, percent=percent)
        yield Acknowledged(call.device_id, ack)

    def _about_itself(self, server: Server, answer: rpc.Answer) -> Iterator[Sighting]:
        """The answer to `initialize`, or a page of `tools/list`."""
        if answer.result is None:
            raise PayloadError(f"the server does not say what it can do: {answer.message}")
        if server.stage is Stage.OPENING:
            server.name = server.called(answer.result.get("serverInfo"))
            begun = rpc.notification("notifications/initialized")
            yield Say(rpc.publish(server.client, server.rpc_topic, begun))
            yield self._list(server)
            return
        server.add_page(answer.result.get("tools"))
        cursor = answer.result.get("nextCursor")
        if isinstance(cursor, str) and cursor and server.pages < MAX_PAGES:
            yield self._page(server, {"cursor": cursor})
        else:
            yield from self._listed(server)

    def _listed(self, server: Server) -> Iterator[Sighting]:
        """All its tools are known."""
        device_id = server.device_id
        if self._by_device.setdefault(device_id, server) is not server:
            raise PayloadError("another server has its device id")
        server.stage = Stage.READY
        server.tools = tools = toolbox(server.listed, server.name)
        server.listed = []
        description = Description(device_id, server.name, commands=tools.commands)
        yield Announced(description, frozenset({f"mcp:{server.address}"}), Evidence.REPORTED)
        yield Availability(device_id, online=True)
        if tools.left_out:
            named = ", ".join(tools.left_out[:4])
            reason = f"tools that cannot be told by voice are left out: {named}"
            yield Malformed(server.control_topic, reason)

    # --- what is said --------------------------------------------------------------------

    def _initialize(self, server: Server) -> Publish:
        server.awaited = self._number()
        params = {"protocolVersion": PROTOCOL, "capabilities": {}, "clientInfo": _CLIENT}
        data = rpc.request(server.awaited, "initialize", params)
        return rpc.publish(server.client, server.control_topic, data)

    def _list(self, server: Server) -> Say:
        """Ask for all tools, from the first page on."""
        server.stage, server.listed, server.pages = Stage.LISTING, [], 0
        return self._page(server, {})

    def _page(self, server: Server, params: Mapping[str, Any]) -> Say:
        server.awaited = self._number()
        data = rpc.request(server.awaited, "tools/list", params)
        return Say(rpc.publish(server.client, server.rpc_topic, data))

    def _forget(self, address: str) -> Iterator[Sighting]:
        server = self._servers.pop(address, None)
        if server is None:
            return
        yield Listen(server.rpc_topic, wanted=False)
        if self._by_device.get(server.device_id) is server:
            del self._by_device[server.device_id]
            yield Removed(server.device_id)

    def _leave(self, server: Server) -> Iterator[Sighting]:
        """End the conversation; the server may forget who we were."""
        yield Listen(server.rpc_topic, wanted=False)
        gone = rpc.notification("notifications/disconnected")
        yield Say(rpc.publish(server.client, server.client_topic, gone))

    def _number(self) -> int:
        self._last_number += 1
        return self._last_number


def _fresh() -> str:
    # Short: some servers have 128 bytes for a whole topic.
    return f"gw-{secrets.token_hex(6)}"
