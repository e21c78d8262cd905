"""A TCP relay that spoils connections and messages; it knows a protocol only by its framing.

The far end is on this machine. What it does to whole connections is done by its owner's
call; what it does to single messages is up to its dealers.
"""

from __future__ import annotations

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol, Self

from tests.brokers import free_port
from tests.faults.mischief import Dealer

HOST = "127.0.0.1"
_BROKEN = (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError)


class Framing(Protocol):
    """Where a packet of one direction of one connection ends, and which ones are messages."""

    async def read(self, reader: StreamReader) -> bytes:
        """The next whole packet. Raises IncompleteReadError at the end."""

    def is_message(self, packet: bytes) -> bool:
        """Whether faults may strike this packet; others always pass."""

    def garbled(self, packet: bytes) -> bytes:
        """A packet of the same kind, with garbage in it."""


class Relay:
    """Stands between clients and `target_port`, on a `port` of its own.

    `up` deals with what clients say, `down` with what they are told. `half_open`: everything
    is taken and nothing passed on. `bytes_per_s` throttles each direction, None does not.
    """

    def __init__(
        self, target_port: int, framing: Callable[[], Framing], *, up: Dealer, down: Dealer
    ) -> None:
        self.port = free_port()
        self.half_open = False
        self.bytes_per_s: float | None = None
        self._target_port = target_port
        self._framing = framing
        self._up = up
        self._down = down
        self._server: asyncio.Server | None = None
        self._open: set[StreamWriter] = set()
        self._serving: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self.listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.refuse()
        self.cut()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def listen(self) -> None:
        """Take connections (again)."""
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, HOST, self.port)

    async def refuse(self) -> None:
        """Take no new connections: clients find nobody there."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def cut(self) -> None:
        """Break every connection without a word."""
        for writer in list(self._open):
            writer.transport.abort()

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        self._open.add(writer)
        try:
            far_reader, far_writer = await asyncio.open_connection(HOST, self._target_port)
        except OSError:
            self._drop(writer)
            return
        self._open.add(far_writer)
        ways = (
            self._pump(reader, far_writer, self._up),
            self._pump(far_reader, writer, self._down),
        )
        pumps = [asyncio.create_task(way, name="relay") for way in ways]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            self._drop(writer)
            self._drop(far_writer)

    async def _pump(self, reader: StreamReader, writer: StreamWriter, dealer: Dealer) -> None:
        """Carry one direction until either side ends."""
        framing = self._framing()
        with suppress(*_BROKEN):
            while True:
                packet = await framing.read(reader)
                if self.half_open:
                    continue
                self._pass_on(packet, framing, writer, dealer)
                await writer.drain()
                if self.bytes_per_s is not None:
                    await asyncio.sleep(len(packet) / self.bytes_per_s)

    def _pass_on(
        self, packet: bytes, framing: Framing, writer: StreamWriter, dealer: Dealer
    ) -> None:
        if not framing.is_message(packet):
            writer.write(packet)
            return
        for after_s, dealt in dealer.deal(packet, framing.garbled):
            if after_s:
                asyncio.get_running_loop().call_later(after_s, self._write_late, writer, dealt)
            else:
                writer.write(dealt)

    def _write_late(self, writer: StreamWriter, packet: bytes) -> None:
        if writer in self._open and not self.half_open:
            writer.write(packet)

    def _drop(self, writer: StreamWriter) -> None:
        """Close what may still hold unsent bytes; they go out first."""
        self._open.discard(writer)
        writer.close()
