"""What the relay does to connections; messages are the business of the two proxies' tests."""

from __future__ import annotations

import asyncio
import time
from asyncio import StreamReader, StreamWriter

import pytest

from tests.faults.far_end import A_MOMENT_S, PATIENCE_S, dealer, far_end
from tests.faults.mqtt_proxy import mqtt_proxy
from tests.faults.relay import HOST, Relay

pytestmark = pytest.mark.flow

PING = b"\xc0\x00"


def relay_to(port: int) -> Relay:
    return mqtt_proxy(port, up=dealer(), down=dealer())


async def client(relay: Relay) -> tuple[StreamReader, StreamWriter]:
    return await asyncio.open_connection(HOST, relay.port)


async def ended(reader: StreamReader) -> bool:
    """Whether the connection ends now, in whichever way."""
    try:
        return await asyncio.wait_for(reader.read(), PATIENCE_S) == b""
    except ConnectionError:
        return True


async def test_what_is_said_arrives_in_both_directions() -> None:
    async with far_end() as far, relay_to(far.port) as relay:
        reader, writer = await client(relay)
        writer.write(PING)
        await far.hears(PING)
        far.say(b"\xd0\x00")
        assert await reader.readexactly(2) == b"\xd0\x00"
        writer.close()
        await asyncio.wait_for(far.ended.wait(), PATIENCE_S)


async def test_a_cut_ends_both_sides() -> None:
    async with far_end() as far, relay_to(far.port) as relay:
        reader, writer = await client(relay)
        writer.write(PING)
        await far.hears(PING)
        relay.cut()
        assert await ended(reader)
        await asyncio.wait_for(far.ended.wait(), PATIENCE_S)
        writer.close()


async def test_a_relay_that_refuses_is_not_there_and_comes_back_on_its_port() -> None:
    async with far_end() as far, relay_to(far.port) as relay:
        await relay.refuse()
        with pytest.raises(ConnectionRefusedError):
            await client(relay)
        await relay.listen()
        _, writer = await client(relay)
        writer.write(PING)
        await far.hears(PING)
        writer.close()


async def test_a_half_open_connection_takes_everything_and_passes_nothing_on() -> None:
    async with far_end() as far, relay_to(far.port) as relay:
        reader, writer = await client(relay)
        writer.write(PING)
        await far.hears(PING)
        relay.half_open = True
        writer.write(PING)
        far.say(PING)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), A_MOMENT_S)
        assert bytes(far.heard) == PING
        assert not far.ended.is_set()
        writer.close()


async def test_a_throttled_line_is_slow() -> None:
    async with far_end() as far, relay_to(far.port) as relay:
        relay.bytes_per_s = 100
        _, writer = await client(relay)
        started = time.monotonic()
        writer.write(PING * 10)
        await far.hears(PING * 10)
        assert time.monotonic() - started > 0.15
        writer.close()


async def test_without_a_far_end_the_client_is_dropped() -> None:
    async with far_end() as far:
        port = far.port
    async with relay_to(port) as relay:
        reader, writer = await client(relay)
        assert await ended(reader)
        writer.close()
