from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from devices.link.base import Message, Publish
from devices.link.memory import MemoryBroker, MemoryLink
from devices.simulated.lies import Lie
from devices.simulated.mcp import TOOLS, SimulatedMcpLamp
from tests.devices.conftest import settle

pytestmark = pytest.mark.unit

ADDRESS = "lamp-1/home/lamp/desk"
PRESENCE = f"$mcp-server/presence/{ADDRESS}"
DIM = {"name": "self.lamp.set_brightness", "arguments": {"percent": 40}}


class Client:
    """A client as careful as the protocol wants it to be."""

    def __init__(self, broker: MemoryBroker, link: MemoryLink) -> None:
        self.broker = broker
        self.link = link
        self.heard: list[dict[str, Any]] = []

    async def ask(self, method: str, *, topic: str = "", **params: Any) -> dict[str, Any] | None:
        """The answer to a question; None when there is none."""
        self.heard.clear()
        params.setdefault("_meta", {"progressToken": 5})
        body = {"jsonrpc": "2.0", "id": 5, "method": method, "params": params}
        told = (("MCP-MQTT-CLIENT-ID", "me"),)
        topic = topic or f"$mcp-rpc/me/{ADDRESS}"
        self.broker.publish(Publish(topic, json.dumps(body).encode(), user_properties=told))
        await settle()
        return next((b for b in self.heard if "method" not in b), None)

    def hear(self, message: Message) -> None:
        self.heard.append(json.loads(message.payload))


@pytest.fixture
async def broker() -> MemoryBroker:
    return MemoryBroker()


@pytest.fixture
async def lamp(broker: MemoryBroker) -> AsyncIterator[SimulatedMcpLamp]:
    link = MemoryLink(broker, "lamp")
    async with link, SimulatedMcpLamp(link).running() as lamp:
        yield lamp


@pytest.fixture
async def client(broker: MemoryBroker, lamp: SimulatedMcpLamp) -> AsyncIterator[Client]:
    async with MemoryLink(broker, "me") as link:
        client = Client(broker, link)
        await link.subscribe(f"$mcp-rpc/me/{ADDRESS}", client.hear)
        await link.connected()
        assert await client.ask("initialize", topic=f"$mcp-server/{ADDRESS}")
        yield client


async def test_it_says_that_it_is_there(broker: MemoryBroker, lamp: SimulatedMcpLamp) -> None:
    assert PRESENCE in broker.retained
    lamp.misbehave(Lie.OFFLINE)
    assert PRESENCE not in broker.retained
    lamp.misbehave()
    assert PRESENCE in broker.retained


async def test_it_tells_its_tools_in_pages(client: Client) -> None:
    names: list[str] = []
    params: dict[str, Any] = {}
    while True:
        answer = await client.ask("tools/list", **params)
        assert answer is not None
        names += [tool["name"] for tool in answer["result"]["tools"]]
        if "nextCursor" not in answer["result"]:
            break
        params = {"cursor": answer["result"]["nextCursor"]}
    assert names == [tool["name"] for tool in TOOLS]


async def test_it_obeys_who_introduced_himself(client: Client, lamp: SimulatedMcpLamp) -> None:
    answer = await client.ask("tools/call", **DIM)
    assert answer is not None
    assert answer["result"]["content"][0]["text"] == "The lamp shines at 40 %."
    client.broker.publish(Publish("$mcp-client/presence/me", b"{}"))
    assert await client.ask("tools/call", **DIM) is None
    assert lamp.calls == [(DIM["name"], DIM["arguments"])]


@pytest.mark.parametrize(
    ("lie", "said"),
    [(Lie.REFUSE, "error"), (Lie.SILENT, None), (Lie.ECHO, None), (Lie.JAM, "result")],
)
async def test_a_liar_does_nothing(
    client: Client, lamp: SimulatedMcpLamp, lie: Lie, said: str | None
) -> None:
    lamp.misbehave(lie)
    answer = await client.ask("tools/call", **DIM)
    assert lamp.calls == []
    assert said is None if answer is None else said in answer
    assert lie is not Lie.JAM or (answer is not None and answer["result"]["isError"])
