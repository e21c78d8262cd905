"""The driver's own service: NavTalk v2 frames over a bare WebSocket server, everything kept.

It shares no line with the gateway or its simulated service. It speaks after each result, as
the real one does.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, suppress
from typing import Any, Self

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tests.faults.records import Answer, Asked, Note
from tests.faults.schedule import Ask

_CALL = "realtime.response.function_call_arguments.done"
_MAX_FRAME_BYTES = 16 * 1024 * 1024


class Service:
    """Takes one client at a time; a newer one takes the place of an older one.

    `asked` and `notes` are all calls and notes of all sessions. `live` is set while calls may
    be sent; `tools` are the newest definitions, as JSON. `strange` lists results that belong to
    no call of their session. `on_answer` is called with each call that was answered in its
    session.
    """

    def __init__(self, on_answer: Callable[[Asked], None]) -> None:
        self.port = 0
        self.sessions = 0
        self.asked: list[Asked] = []
        self.notes: list[Note] = []
        self.live = asyncio.Event()
        self.live_since = 0.0
        self.strange: list[str] = []
        self.tools = ""
        self._on_answer = on_answer
        self._socket: ServerConnection | None = None
        self._open: dict[str, asyncio.Future[None]] = {}
        self._by_id: dict[str, Asked] = {}
        self._running = AsyncExitStack()

    async def __aenter__(self) -> Self:
        server = await self._running.enter_async_context(
            serve(
                self._take,
                "127.0.0.1",
                0,
                compression=None,
                ping_interval=None,
                max_size=_MAX_FRAME_BYTES,
                close_timeout=0.3,
            )
        )
        self.port = server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._running.aclose()

    async def call(self, ask: Ask, within_s: float, repeats: str = "") -> Asked:
        """Send `ask` in the next live session; return when it is answered, or its session
        ended, or `within_s` have passed. `repeats` is the call that it makes again."""
        await self.live.wait()
        assert self._socket is not None
        call_id = f"{repeats}_again" if repeats else f"call_{ask.number}"
        asked = Asked(ask, call_id, self.sessions, time.time(), repeats=repeats)
        answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.asked.append(asked)
        self._by_id[call_id] = asked
        self._open[call_id] = answered
        data = {"function_name": ask.tool, "call_id": call_id, "arguments": ask.arguments}
        with suppress(ConnectionClosed):
            await _say(self._socket, _CALL, data)
        with suppress(TimeoutError):
            await asyncio.wait_for(answered, within_s)
        self._open.pop(call_id, None)
        return asked

    async def goodbye(self) -> None:
        """Close the session as the service does when its time is over."""
        if self._socket is not None:
            await self._socket.close(1001, "session expired")

    async def _take(self, socket: ServerConnection) -> None:
        self._left(self._socket)
        self._socket = socket
        self.sessions += 1
        session = self.sessions
        try:
            await _say(socket, "conversation.connected.success", {"sessionId": f"s{session}"})
            await _say(socket, "realtime.session.created", {})
            async for text in socket:
                await self._read(socket, session, json.loads(text))
        except ConnectionClosed:
            return
        finally:
            self._left(socket)

    def _left(self, socket: ServerConnection | None) -> None:
        """The session of `socket` is over: nobody waits for its results any more."""
        if socket is None or socket is not self._socket:
            return
        self._socket = None
        self.live.clear()
        for answered in self._open.values():
            if not answered.done():
                answered.set_result(None)
        self._open.clear()

    async def _read(self, socket: ServerConnection, session: int, frame: Mapping[str, Any]) -> None:
        kind = frame["type"]
        body = frame.get("data") or frame.get("item") or {}
        if kind == "realtime.input_config":
            await _say(socket, "realtime.session.updated", {})
        elif kind == "realtime.input_function_call":
            self._defined(socket, body["content"])
        elif "output" in body:
            self._answered(session, body)
            await _speak(socket)
        elif body.get("type") == "message" and body.get("role") == "system":
            self.notes.append(Note(time.time(), session, body["content"][0]["text"]))
        elif kind == "response.create":
            await _speak(socket)

    def _defined(self, socket: ServerConnection, tools: str) -> None:
        """The client has sent its tools: calls may be sent."""
        self.tools = tools
        if socket is self._socket and not self.live.is_set():
            self.live_since = time.time()
            self.live.set()

    def _answered(self, session: int, body: Mapping[str, Any]) -> None:
        asked = self._by_id.get(body["call_id"])
        if asked is None or asked.session != session:
            self.strange.append(f"a result for {body['call_id']} in session {session}")
            return
        asked.answers.append(Answer(time.time(), json.loads(body["output"])))
        waiting = self._open.get(asked.call_id)
        if waiting is not None and not waiting.done():
            waiting.set_result(None)
        self._on_answer(asked)


async def _say(socket: ServerConnection, kind: str, data: Mapping[str, Any]) -> None:
    await socket.send(json.dumps({"type": kind, "data": data}))


async def _speak(socket: ServerConnection) -> None:
    """The avatar's words on a result."""
    with suppress(ConnectionClosed):
        await _say(socket, "realtime.response.audio_transcript.done", {"content": "So it is."})
        await _say(socket, "realtime.response.audio.done", {})
