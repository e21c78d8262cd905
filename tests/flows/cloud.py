"""A realtime service as its documents have it: a bare WebSocket server in the hands of a test.

It sends and understands the frames of the NavTalk v2 documents, and shares no line with the
gateway or its simulated service.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import ssl
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

Frame = dict[str, Any]

PATIENCE_S = 10.0
CALL = "realtime.response.function_call_arguments.done"
_numbers = itertools.count(1)


class Talk:
    """One connection of a client: every frame that it sent, and a mouth.

    With `speaks`, each result that asks for it is followed by the avatar's words.
    """

    def __init__(self, socket: ServerConnection, *, speaks: bool) -> None:
        assert socket.request is not None
        self.socket = socket
        self.query = parse_qs(urlsplit(socket.request.path).query)
        self.frames: list[Frame] = []
        self._speaks = speaks
        self._grown = asyncio.Condition()

    async def read(self) -> None:
        """Keep what comes until the connection ends."""
        try:
            async for text in self.socket:
                assert isinstance(text, str)
                await self._keep(json.loads(text))
        except ConnectionClosed:
            return

    async def say(self, kind: str, data: Frame | None = None, **top: Any) -> None:
        """Send an event."""
        body = {"type": kind} | ({} if data is None else {"data": data}) | top
        await self.socket.send(json.dumps(body))

    async def welcome(self) -> None:
        """What the service says to a client that it takes."""
        await self.say("conversation.connected.success", {"sessionId": "s1", "iceServers": []})
        await self.say("realtime.session.created", {})
        await self.say("realtime.session.updated", {})

    async def ask(self, name: str, arguments: Any, call_id: str = "") -> str:
        """Call a function as the guide shows; the call id."""
        call_id = call_id or f"call_{next(_numbers)}"
        data = {"function_name": name, "call_id": call_id, "arguments": arguments}
        await self.say(CALL, data)
        return call_id

    async def frame(self, wanted: Callable[[Frame], bool], within_s: float = PATIENCE_S) -> Frame:
        """The first frame like that, as soon as it is there. Raises TimeoutError."""
        async with asyncio.timeout(within_s), self._grown:
            while True:
                for frame in self.frames:
                    if wanted(frame):
                        return frame
                await self._grown.wait()

    async def count(self, number: int) -> list[Frame]:
        """The first `number` frames, as soon as they are there."""
        async with asyncio.timeout(PATIENCE_S), self._grown:
            await self._grown.wait_for(lambda: len(self.frames) >= number)
            return self.frames[:number]

    async def outcome(self, call_id: str, within_s: float = PATIENCE_S) -> Frame:
        """The output for `call_id`. A second one for the same id fails the test."""
        result = await self.frame(lambda f: _result_id(f) == call_id, within_s)
        assert len(self.results(call_id)) == 1
        output: Frame = json.loads(_body(result)["output"])
        return output

    async def call(self, name: str, /, **arguments: Any) -> Frame:
        """Call a function and take its output."""
        return await self.outcome(await self.ask(name, arguments))

    async def note(self, part: str) -> str:
        """The message item with `part` in its text."""
        frame = await self.frame(lambda f: part in _text(f))
        return _text(frame)

    def results(self, call_id: str) -> list[Frame]:
        """All frames that answer `call_id`."""
        return [frame for frame in self.frames if _result_id(frame) == call_id]

    def of(self, kind: str) -> list[Frame]:
        """All frames of a type."""
        return [frame for frame in self.frames if frame["type"] == kind]

    @property
    def tools(self) -> dict[str, Frame]:
        """The newest definitions, by name."""
        sent = self.of("realtime.input_function_call")
        return {tool["name"]: tool for tool in json.loads(sent[-1]["data"]["content"])}

    def targets(self, tool: str) -> list[str]:
        """The targets that the newest definition of `tool` lists; [] without one."""
        if tool not in self.tools:
            return []
        listed: list[str] = self.tools[tool]["parameters"]["properties"]["target"]["enum"]
        return listed

    async def _keep(self, frame: Frame) -> None:
        async with self._grown:
            self.frames.append(frame)
            self._grown.notify_all()
        if self._speaks and (_body(frame).get("reply") == 1 or frame["type"] == "response.create"):
            # Who has left may have said more, which is still to be read.
            with suppress(ConnectionClosed):
                await self._speak()

    async def _speak(self) -> None:
        spoken = {"id": f"resp_{next(_numbers)}", "content": "So it is."}
        await self.say("realtime.response.audio_transcript.done", spoken)
        await self.say("realtime.response.audio.done", {})


class Cloud:
    """The service; `async with` listens on loopback. `refusal` is said to whoever connects.

    With `tls` it speaks wss, as localhost.
    """

    def __init__(self, *, speaks: bool = True, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.url = ""
        self.connections = 0
        self.refusal: Frame | None = None
        self._speaks = speaks
        self._arrived: asyncio.Queue[Talk] = asyncio.Queue()
        self._running = AsyncExitStack()

    async def __aenter__(self) -> Self:
        server = await self._running.enter_async_context(
            serve(self._take, "127.0.0.1", 0, close_timeout=0.3, ssl=self._tls)
        )
        port = server.sockets[0].getsockname()[1]
        where = f"wss://localhost:{port}" if self._tls else f"ws://127.0.0.1:{port}"
        self.url = f"{where}/wss/v2/realtime-chat"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._running.aclose()

    async def silent_talk(self) -> Talk:
        """The next connection, to which nothing was said."""
        return await asyncio.wait_for(self._arrived.get(), PATIENCE_S)

    async def talk(self) -> Talk:
        """The next connection, welcomed once it has sent its two opening frames."""
        talk = await self.silent_talk()
        first, second = await talk.count(2)
        assert first["type"] == "realtime.input_config"
        assert second["type"] == "realtime.input_function_call"
        await talk.welcome()
        return talk

    async def _take(self, socket: ServerConnection) -> None:
        self.connections += 1
        if self.refusal is not None:
            await socket.send(json.dumps(self.refusal))
            return
        talk = Talk(socket, speaks=self._speaks)
        self._arrived.put_nowait(talk)
        await talk.read()


def _body(frame: Frame) -> Frame:
    body: Frame = frame.get("data") or frame.get("item") or {}
    return body


def _result_id(frame: Frame) -> str | None:
    body = _body(frame)
    return body["call_id"] if "output" in body else None


def _text(frame: Frame) -> str:
    if _body(frame).get("type") != "message":
        return ""
    text: str = frame["item"]["content"][0]["text"]
    return text
