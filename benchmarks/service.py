"""The fake service: a bare WebSocket server that sends calls and times their results."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed


@dataclass
class Service:
    """One contender at a time connects to `url`; `tools_bytes` is what it registered."""

    url: str = ""
    tools_bytes: int = 0
    tools_at: float = 0.0
    failures: list[str] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        """Listen on a free loopback port."""
        self._connected = asyncio.Event()
        self._pending: dict[str, asyncio.Future[float]] = {}
        self._server: Server = await serve(
            self._serve, "127.0.0.1", 0, compression=None, max_size=None
        )
        port = next(iter(self._server.sockets)).getsockname()[1]
        self.url = f"ws://127.0.0.1:{port}/"
        return self

    async def __aexit__(self, *_: object) -> None:
        """Hang up."""
        self._server.close()
        await self._server.wait_closed()

    async def contender(self, timeout_s: float = 60) -> None:
        """Return when a contender has registered its tools."""
        await asyncio.wait_for(self._connected.wait(), timeout_s)
        self._connected.clear()

    async def call(self, number: int, target: str, brightness: int) -> float:
        """One call; seconds from frame out to result in."""
        call_id = f"call_{number}"
        waiter = self._pending[call_id] = asyncio.get_running_loop().create_future()
        arguments = {"target": target, "brightness": brightness}
        data = {"function_name": "turn_on", "call_id": call_id, "arguments": arguments}
        frame = {"type": "realtime.response.function_call_arguments.done", "data": data}
        started = time.perf_counter()
        await self._session.send(json.dumps(frame))
        async with asyncio.timeout(10):
            return await waiter - started

    async def _serve(self, session: ServerConnection) -> None:
        self._session = session
        # A contender that is told to end may do so without a closing frame.
        with suppress(ConnectionClosed):
            await self._read(session)

    async def _read(self, session: ServerConnection) -> None:
        async for frame in session:
            arrived = time.perf_counter()
            event = json.loads(frame)
            if event["type"] == "realtime.function_call_output":
                self._take(event["data"], arrived)
            elif event["type"] == "realtime.input_function_call":
                self.tools_bytes = len(event["data"]["content"].encode())
                self.tools_at = time.time()
                self._connected.set()

    def _take(self, data: dict[str, Any], arrived: float) -> None:
        outcome = json.loads(data["output"])
        if outcome["status"] != "confirmed":
            self.failures.append(data["output"])
        self._pending.pop(data["call_id"]).set_result(arrived)
