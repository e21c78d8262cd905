"""A broker of a few lines that does exactly what a test tells it, byte by byte."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

CONNECT, PUBLISH, PUBACK, SUBSCRIBE, PINGREQ, DISCONNECT = 1, 3, 4, 8, 12, 14

ACCEPTED_V5 = bytes.fromhex("2003000000")
ACCEPTED_V4 = bytes.fromhex("20020000")


def publish_v5(topic: str, payload: bytes) -> bytes:
    body = len(topic).to_bytes(2, "big") + topic.encode() + b"\0" + payload
    return b"\x30" + _length(len(body)) + body


def publish_v4(topic: str, payload: bytes) -> bytes:
    body = len(topic).to_bytes(2, "big") + topic.encode() + payload
    return b"\x30" + _length(len(body)) + body


def suback_v4(subscribe: bytes, code: int = 0) -> bytes:
    """The same in MQTT 3.1.1."""
    return b"\x90\x03" + subscribe[:2] + bytes([code])


def suback_v5(subscribe: bytes, code: int = 0) -> bytes:
    """The answer to the body of a SUBSCRIBE."""
    return b"\x90\x04" + subscribe[:2] + b"\0" + bytes([code])


def _length(count: int) -> bytes:
    out = bytearray()
    while True:
        count, low = divmod(count, 128)
        out.append(low | (0x80 if count else 0))
        if not count:
            return bytes(out)


@dataclass
class Peer:
    """One client that has connected."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def packet(self) -> tuple[int, bytes]:
        """The next packet: its type and body. Raises IncompleteReadError at the end."""
        kind = (await self.reader.readexactly(1))[0] >> 4
        count, factor = 0, 1
        while True:
            byte = (await self.reader.readexactly(1))[0]
            count += (byte & 127) * factor
            factor *= 128
            if not byte & 128:
                return kind, await self.reader.readexactly(count)

    async def expect(self, kind: int) -> bytes:
        """The body of the next packet, which must be of this type."""
        got, body = await self.packet()
        assert got == kind, f"packet type {got} instead of {kind}"
        return body

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def until_gone(self) -> None:
        """Read and ignore until the client leaves."""
        while await self.reader.read(65536):
            pass


Script = Callable[[Peer], Awaitable[None]]


@dataclass
class ScriptedBroker:
    """Runs the next script for each connection, the last one for all that follow.

    The connection is closed when its script ends. A script that fails fails the test.
    """

    scripts: list[Script]
    tls: ssl.SSLContext | None = None
    connections: int = 0
    failures: list[BaseException] = field(default_factory=list)
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def port(self) -> int:
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    @property
    def url(self) -> str:
        return f"mqtts://localhost:{self.port}" if self.tls else f"mqtt://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.tls)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()
        if error is None and self.failures:
            raise self.failures[0]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        script = self.scripts[min(self.connections, len(self.scripts) - 1)]
        self.connections += 1
        try:
            await script(Peer(reader, writer))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        except AssertionError as error:
            self.failures.append(error)
        finally:
            self._tasks.discard(task)
            writer.close()
