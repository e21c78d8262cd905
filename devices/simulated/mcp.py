"""A lamp without hardware that brings its own tools: an MCP server over MQTT.

It tells its tools in pages, obeys who has introduced himself, and can be told to misbehave. It
is no part of the gateway.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from devices.link.base import Link, Message, Publish
from devices.simulated.lies import Lie

PAGE = 2
TOOLS: tuple[dict[str, Any], ...] = (
    {
        "name": "self.lamp.set_brightness",
        "description": "Set how bright the lamp shines.",
        "inputSchema": {
            "type": "object",
            "properties": {
                "percent": {"type": "integer", "minimum": 0, "maximum": 100},
                "fade": {"anyOf": [{"type": "boolean"}, {"type": "null"}], "default": None},
            },
            "required": ["percent"],
        },
        "annotations": {"idempotentHint": True},
    },
    {
        "name": "read_lamp",
        "description": "Tell what the lamp does.",
        "inputSchema": {"type": "object", "properties": {}},
        "annotations": {"readOnlyHint": True},
    },
    {
        "name": "wipe_scenes",
        "description": "Throw away all stored scenes.",
        "inputSchema": {"type": "object"},
        "annotations": {"destructiveHint": True},
    },
    {
        "name": "store_scene",
        "description": "Store a scene.",
        "inputSchema": {
            "type": "object",
            "properties": {"scene": {"type": "object"}},
            "required": ["scene"],
        },
    },
    {"name": "take_picture", "annotations": {"audience": ["user"]}},
    {"name": "self.reboot", "description": "Restart the lamp."},
)


class SimulatedMcpLamp:
    """A server `server_id` called `name`.

    `calls` is what it really did, oldest first. Lie.ECHO sends each call back as it came;
    Lie.JAM begins, tells of its progress, and fails.
    """

    def __init__(
        self, link: Link, *, server_id: str = "lamp-1", name: str = "home/lamp/desk"
    ) -> None:
        self.lie = Lie.NONE
        self.calls: list[tuple[str, Mapping[str, Any]]] = []
        self.clients: set[str] = set()
        self.tools = list(TOOLS)
        self.percent = 0
        self._id = server_id
        self._address = f"{server_id}/{name}"
        self._link = link

    @asynccontextmanager
    async def running(self) -> AsyncIterator[SimulatedMcpLamp]:
        """It is on its link for the length of the block."""
        await self._link.subscribe(f"$mcp-server/{self._address}", self._introduced)
        await self._link.subscribe(f"$mcp-rpc/+/{self._address}", self._heard)
        await self._link.subscribe("$mcp-client/presence/+", self._left)
        await self._link.connected(5)
        self.announce()
        try:
            yield self
        finally:
            self.announce(present=False)

    def announce(self, *, present: bool = True) -> None:
        """Say that it is there, or not."""
        told = {"description": "A desk lamp.", "meta": {}}
        body = {"jsonrpc": "2.0", "method": "notifications/server/online", "params": told}
        data = json.dumps(body).encode() if present else b""
        self._publish(f"$mcp-server/presence/{self._address}", data, retain=True)

    def misbehave(self, lie: Lie = Lie.NONE) -> None:
        """Be like that from now on."""
        was_away, self.lie = self.lie is Lie.OFFLINE, lie
        if (lie is Lie.OFFLINE) is not was_away:
            self.announce(present=lie is not Lie.OFFLINE)

    def learn(self, tool: Mapping[str, Any]) -> None:
        """Have one tool more."""
        self.tools.append(dict(tool))
        body = {"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}
        self._publish(f"$mcp-server/capability/{self._address}", json.dumps(body).encode())

    # --- the server ----------------------------------------------------------------------

    def _introduced(self, message: Message) -> None:
        """Clients are known by the user property of their first message, by nothing else."""
        client = dict(message.user_properties).get("MCP-MQTT-CLIENT-ID")
        body = json.loads(message.payload)
        if client is None or body.get("method") != "initialize":
            return
        self.clients.add(client)
        info = {"name": "lamp", "title": "Desk lamp", "version": "1.0"}
        result = {"protocolVersion": "2025-03-26", "capabilities": {"tools": {"listChanged": True}}}
        self._answer(client, body["id"], result={**result, "serverInfo": info})

    def _left(self, message: Message) -> None:
        self.clients.discard(message.topic.rpartition("/")[2])

    def _heard(self, message: Message) -> None:
        client = message.topic.split("/")[1]
        body = json.loads(message.payload)
        if client not in self.clients or "method" not in body:
            return
        if body["method"] == "tools/list":
            self._list(client, body)
        elif body["method"] == "tools/call":
            self._called(client, body, message)

    def _list(self, client: str, body: Mapping[str, Any]) -> None:
        start = int(body["params"].get("cursor", 0))
        result: dict[str, Any] = {"tools": self.tools[start : start + PAGE]}
        if start + PAGE < len(self.tools):
            result["nextCursor"] = str(start + PAGE)
        self._answer(client, body["id"], result=result)

    def _called(self, client: str, body: Mapping[str, Any], message: Message) -> None:
        if self.lie is Lie.ECHO and "echoed" not in dict(message.user_properties):
            self._publish(message.topic, message.payload, told=(("echoed", "yes"),))
        elif self.lie is Lie.REFUSE:
            error = {"code": -32602, "message": "The lamp is locked."}
            self._answer(client, body["id"], error=error)
        elif self.lie is Lie.JAM:
            self._progress(client, body)
            self._say(client, body["id"], "The dimmer is stuck.", failed=True)
        elif self.lie is Lie.NONE:
            self._do(client, body["id"], body["params"])

    def _do(self, client: str, key: int, params: Mapping[str, Any]) -> None:
        name, arguments = params["name"], params.get("arguments", {})
        self.calls.append((name, arguments))
        if name == "self.lamp.set_brightness":
            self.percent = arguments["percent"]
        known = any(tool["name"] == name for tool in self.tools)
        text = f"The lamp shines at {self.percent} %." if known else f"Unknown tool: {name}"
        self._say(client, key, text, failed=not known)

    def _progress(self, client: str, body: Mapping[str, Any]) -> None:
        told = {"progressToken": body["params"]["_meta"]["progressToken"]}
        params = {**told, "progress": 1, "total": 2}
        note = {"jsonrpc": "2.0", "method": "notifications/progress", "params": params}
        self._publish(f"$mcp-rpc/{client}/{self._address}", json.dumps(note).encode())

    def _say(self, client: str, key: int, text: str, *, failed: bool = False) -> None:
        content = [{"type": "text", "text": text}]
        self._answer(client, key, result={"content": content, "isError": failed})

    def _answer(self, client: str, key: int, **said: Any) -> None:  # noqa: ANN401 -- any JSON
        body = {"jsonrpc": "2.0", "id": key, **said}
        self._publish(f"$mcp-rpc/{client}/{self._address}", json.dumps(body).encode())

    def _publish(
        self,
        topic: str,
        data: bytes,
        *,
        retain: bool = False,
        told: tuple[tuple[str, str], ...] = (),
    ) -> None:
        who = (("MCP-COMPONENT-TYPE", "mcp-server"), ("MCP-MQTT-CLIENT-ID", self._id))
        self._link.publish(Publish(topic, data, retain=retain, user_properties=(*who, *told)))
