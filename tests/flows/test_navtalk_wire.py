"""NavTalk v2 as its documents have it, from a bare WebSocket script on the other end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from websockets.asyncio.server import ServerConnection, serve

from gateway.bus import Bus
from gateway.clock import SystemClock
from gateway.events import FunctionCall
from gateway.outcome import Outcome, Status
from gateway.providers.registry import dialect_maker
from gateway.session.session import Session

pytestmark = pytest.mark.flow

LIGHT = {
    "type": "function",
    "name": "set_light",
    "description": "Switch a lamp.",
    "parameters": {
        "type": "object",
        "properties": {"room": {"type": "string"}, "on": {"type": "boolean"}},
        "required": ["room", "on"],
    },
}


@dataclass
class Offer:
    instructions: str = "You run the house."
    definitions: list[dict[str, Any]] = field(default_factory=lambda: [LIGHT])


class Script:
    """One end of the wire: each connection waits here until the test takes it."""

    def __init__(self) -> None:
        self.arrived: asyncio.Queue[ServerConnection] = asyncio.Queue()
        self.release = asyncio.Event()
        self.calls: list[FunctionCall] = []

    async def take(self, peer: ServerConnection) -> None:
        await self.arrived.put(peer)
        await peer.wait_closed()

    async def connection(self) -> ServerConnection:
        """The next connection, brought up as the documents say."""
        peer = await asyncio.wait_for(self.arrived.get(), 5)
        await say(peer, "conversation.connected.success", {"sessionId": "s", "iceServers": []})
        await say(peer, "realtime.session.created", {})
        await say(peer, "realtime.session.updated", {})
        return peer

    async def handle(self, call: FunctionCall, _offer: Any) -> Outcome:
        self.calls.append(call)
        await self.release.wait()
        if call.problem:
            return Outcome(Status.INVALID, call.problem)
        return Outcome(Status.CONFIRMED, "Kitchen light is on.")


@pytest.fixture
async def script() -> AsyncIterator[Script]:
    made = Script()
    made.release.set()
    async with serve(made.take, "127.0.0.1", 0) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/wss/v2/realtime-chat"
        settings = {"url": url, "license": "sk-1", "avatar_name": "navtalk.Leo", "voice": "cedar"}
        session = Session(
            dialects=dialect_maker("navtalk", settings),
            offer=Offer,
            handler=made.handle,
            bus=Bus(),
            clock=SystemClock(),
            random=lambda: 0.01,
        )
        running = asyncio.create_task(session.run())
        yield made
        made.release.set()
        await session.drain(1)
        await running


async def say(peer: ServerConnection, kind: str, data: Any = None, **top: Any) -> None:
    await peer.send(json.dumps({"type": kind, **({} if data is None else {"data": data}), **top}))


async def call(peer: ServerConnection, data: Any, **top: Any) -> None:
    await say(peer, "realtime.response.function_call_arguments.done", data, **top)


async def hear(peer: ServerConnection) -> dict[str, Any]:
    frame = await asyncio.wait_for(peer.recv(), 5)
    assert isinstance(frame, str)
    body: dict[str, Any] = json.loads(frame)
    return body


async def silence(peer: ServerConnection) -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(peer.recv(), 0.05)


async def opened(peer: ServerConnection) -> None:
    assert (await hear(peer))["type"] == "realtime.input_config"
    assert (await hear(peer))["type"] == "realtime.input_function_call"


async def test_the_guides_conversation_frame_by_frame(script: Script) -> None:
    peer = await script.connection()
    assert peer.request is not None
    query = parse_qs(urlsplit(peer.request.path).query)
    assert query == {"license": ["sk-1"], "name": ["navtalk.Leo"], "voice": ["cedar"]}

    config = await hear(peer)
    assert config["type"] == "realtime.input_config"
    assert json.loads(config["data"]["content"]) == {
        "voice": "cedar",
        "prompt": "You run the house.",
    }
    tools = await hear(peer)
    assert tools["type"] == "realtime.input_function_call"
    assert json.loads(tools["data"]["content"]) == [LIGHT]

    arguments = {"room": "kitchen", "on": True}
    await call(
        peer,
        {"function_name": "set_light", "call_id": "call_A1b2C3", "arguments": arguments},
        raw_data={
            "type": "response.function_call_arguments.done",
            "event_id": "event_1",
            "response_id": "resp_1",
            "item_id": "item_1",
            "output_index": 0,
            "name": "set_light",
            "call_id": "call_A1b2C3",
            "arguments": json.dumps(arguments),
        },
    )
    result = await hear(peer)
    assert result["type"] == "realtime.function_call_output"
    assert result["data"].keys() == {"call_id", "output", "reply"}
    assert (result["data"]["call_id"], result["data"]["reply"]) == ("call_A1b2C3", 1)
    assert json.loads(result["data"]["output"]) == {
        "ok": True,
        "status": "confirmed",
        "message": "Kitchen light is on.",
    }
    await silence(peer)
    assert script.calls[0].arguments == arguments


async def test_arguments_as_text_empty_and_broken(script: Script) -> None:
    peer = await script.connection()
    await opened(peer)
    for call_id, arguments in (("a", '{"on": true}'), ("b", ""), ("c", '{"on": tr')):
        await call(peer, {"function_name": "set_light", "call_id": call_id, "arguments": arguments})
        assert (await hear(peer))["data"]["call_id"] == call_id
    assert [c.arguments for c in script.calls] == [{"on": True}, {}, {}]
    assert [bool(c.problem) for c in script.calls] == [False, False, True]


async def test_a_call_that_comes_three_times_is_done_and_answered_once(script: Script) -> None:
    peer = await script.connection()
    await opened(peer)
    for _ in range(3):
        await call(peer, {"function_name": "set_light", "call_id": "a", "arguments": {}})
    await hear(peer)
    await silence(peer)
    assert len(script.calls) == 1


async def test_two_calls_of_one_answer_run_side_by_side(script: Script) -> None:
    script.release.clear()
    peer = await script.connection()
    await opened(peer)
    for call_id in ("a", "b"):
        await call(peer, {"function_name": "set_light", "call_id": call_id, "arguments": {}})
    async with asyncio.timeout(5):
        while len(script.calls) < 2:  # noqa: ASYNC110 - the handler has no event for this
            await asyncio.sleep(0.002)
    script.release.set()
    assert {(await hear(peer))["data"]["call_id"] for _ in range(2)} == {"a", "b"}


async def test_a_barge_in_cancels_nothing(script: Script) -> None:
    script.release.clear()
    peer = await script.connection()
    await opened(peer)
    await call(peer, {"function_name": "set_light", "call_id": "a", "arguments": {}})
    await say(peer, "realtime.input_audio_buffer.speech_started")
    await silence(peer)
    script.release.set()
    assert (await hear(peer))["data"]["call_id"] == "a"


async def test_the_socket_breaks_between_call_and_result(script: Script) -> None:
    script.release.clear()
    first = await script.connection()
    await opened(first)
    await call(first, {"function_name": "set_light", "call_id": "a", "arguments": {}})
    await silence(first)
    first.transport.abort()
    second = await script.connection()
    await opened(second)
    script.release.set()
    note = await hear(second)
    assert note["type"] == "conversation.item.create"
    assert note["item"]["type"] == "message"
    assert "Kitchen light is on." in note["item"]["content"][0]["text"]
    await silence(second)


async def test_no_sign_of_life_brings_the_older_form_once(script: Script) -> None:
    peer = await script.connection()
    await opened(peer)
    await call(peer, {"function_name": "set_light", "call_id": "a", "arguments": {}})
    first = await hear(peer)
    assert first["type"] == "realtime.function_call_output"
    await asyncio.sleep(3)
    await silence(peer)
    second = await hear(peer)
    assert second["item"] == {
        "type": "function_call_output",
        "call_id": "a",
        "output": first["data"]["output"],
    }
    assert await hear(peer) == {"type": "response.create"}
    await silence(peer)


async def test_events_without_data_and_strange_frames_are_survived(script: Script) -> None:
    peer = await script.connection()
    await opened(peer)
    for frame in ("{", "[]", b"\x00\x01", '{"type":"error"}', '{"type":"unknow","data":null}'):
        await peer.send(frame)
    await say(peer, "conversation.connected.warning", {"message": "Two avatars", "avatarId": "1"})
    await say(peer, "webrtc.signaling.offer", {"sdp": {"type": "offer", "sdp": "v=0"}})
    await call(peer, {"function_name": "set_light", "arguments": {}})
    await call(peer, {"call_id": "nameless", "arguments": {}})
    result = await hear(peer)
    assert result["data"]["call_id"] == "nameless"
    assert json.loads(result["data"]["output"])["message"] == "The function name is missing."
