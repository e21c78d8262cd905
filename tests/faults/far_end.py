"""A plain TCP server for the proxies' tests: it keeps what it hears and says what it is told."""

from __future__ import annotations

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random

from tests.faults.mischief import Dealer, Odds

PATIENCE_S = 5.0
# Long enough for anything that is on its way on loopback.
A_MOMENT_S = 0.15


@dataclass
class FarEnd:
    """One listener; `heard` is everything that any client said."""

    port: int = 0
    heard: bytearray = field(default_factory=bytearray)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    _writers: list[StreamWriter] = field(default_factory=list)

    def say(self, data: bytes) -> None:
        """Say it to the newest client."""
        self._writers[-1].write(data)

    async def hears(self, data: bytes) -> None:
        """Return when it has heard exactly `data`. Raises TimeoutError."""
        async with asyncio.timeout(PATIENCE_S):
            while bytes(self.heard) != data:  # noqa: ASYNC110 -- bytes have no event
                await asyncio.sleep(0.003)

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Keep what one client says until it leaves."""
        self._writers.append(writer)
        try:
            while data := await reader.read(65536):
                self.heard += data
        except ConnectionError:
            pass
        finally:
            self.ended.set()
            writer.close()


@asynccontextmanager
async def far_end() -> AsyncIterator[FarEnd]:
    """A far end that listens."""
    end = FarEnd()
    server = await asyncio.start_server(end.serve, "127.0.0.1", 0)
    end.port = server.sockets[0].getsockname()[1]
    async with server:
        yield end


def dealer(odds: Odds | None = None) -> Dealer:
    """A dealer with these odds, or one that does nothing."""
    return Dealer(odds or Odds(), Random(1))
