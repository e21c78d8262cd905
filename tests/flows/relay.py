"""A TCP relay between a client and its broker: slow, frozen or cut as a test says."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit


class Relay:
    """Passes bytes on, each piece `latency_s` late; while `frozen` it takes all and passes none.

    `url` is where it listens once entered.
    """

    def __init__(self, broker_url: str) -> None:
        parts = urlsplit(broker_url)
        self._host, self._port = parts.hostname, parts.port
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._flows = asyncio.Event()
        self._flows.set()
        self.latency_s = 0.0
        self.url = ""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._join, "127.0.0.1", 0)
        self.url = f"mqtt://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        self._flows.set()
        await asyncio.sleep(0)

    def freeze(self) -> None:
        """Pass nothing on until `thaw`."""
        self._flows.clear()

    def thaw(self) -> None:
        """Pass on what waits, and all that comes."""
        self._flows.set()

    def cut(self) -> None:
        """Break every connection; what waits is lost."""
        for writer in self._writers:
            writer.transport.abort()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            there, back = await asyncio.open_connection(self._host, self._port)
            self._writers |= {writer, back}
            await asyncio.gather(self._pump(reader, back), self._pump(there, writer))
        self._writers.discard(writer)
        writer.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65_536):
                await asyncio.sleep(self.latency_s)
                await self._flows.wait()
                writer.write(data)
        writer.close()
