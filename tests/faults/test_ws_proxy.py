from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tests.faults.far_end import A_MOMENT_S, PATIENCE_S, dealer
from tests.faults.mischief import Odds
from tests.faults.relay import HOST, Relay
from tests.faults.ws_proxy import WebSocketFraming, ws_proxy

HANDSHAKE = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


def frame(text: bytes, *, masked: bool) -> bytes:
    """A text frame as RFC 6455 has it."""
    mask = 0x80 if masked else 0
    key = b"\x01\x02\x03\x04" if masked else b""
    if len(text) < 126:
        length = bytes([mask | len(text)])
    elif len(text) < 65536:
        length = bytes([mask | 126]) + len(text).to_bytes(2, "big")
    else:
        length = bytes([mask | 127]) + len(text).to_bytes(8, "big")
    return b"\x81" + length + key + text


@pytest.mark.unit
@given(st.lists(st.builds(frame, st.binary(max_size=300), masked=st.booleans()), max_size=8))
async def test_a_stream_is_cut_where_its_frames_end(sent: list[bytes]) -> None:
    reader = asyncio.StreamReader()
    reader.feed_data(HANDSHAKE + b"".join(sent))
    framing = WebSocketFraming()
    assert await framing.read(reader) == HANDSHAKE
    assert [await framing.read(reader) for _ in sent] == sent


@pytest.mark.unit
async def test_a_long_frame_stays_whole() -> None:
    long = frame(bytes(100_000), masked=True)
    reader = asyncio.StreamReader()
    reader.feed_data(HANDSHAKE + long)
    framing = WebSocketFraming()
    await framing.read(reader)
    assert await framing.read(reader) == long


@asynccontextmanager
async def talk(up: Odds, down: Odds) -> AsyncIterator[tuple[Relay, ClientConnection]]:
    """A client of a server that sends back what it hears, with the proxy between."""

    async def echo(socket: ServerConnection) -> None:
        try:
            async for text in socket:
                await socket.send(text)
        except ConnectionClosed:
            return

    async with serve(echo, HOST, 0, compression=None, close_timeout=0.1) as server:
        port = server.sockets[0].getsockname()[1]
        async with (
            ws_proxy(port, up=dealer(up), down=dealer(down)) as relay,
            connect(
                f"ws://{HOST}:{relay.port}", compression=None, proxy=None, close_timeout=0.1
            ) as client,
        ):
            yield relay, client


async def heard(client: ClientConnection, count: int) -> list[str | bytes]:
    """The next `count` messages, and no more."""
    texts = [await asyncio.wait_for(client.recv(), PATIENCE_S) for _ in range(count)]
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(client.recv(), A_MOMENT_S)
    return texts


@pytest.mark.flow
@pytest.mark.parametrize(
    ("up", "down", "expected"),
    [
        (Odds(), Odds(), ["a", "b"]),
        (Odds(duplicate=1), Odds(), ["a", "a", "b", "b"]),
        (Odds(), Odds(drop=1), []),
        (Odds(garble=1), Odds(), ["{not JSON", "{not JSON"]),
    ],
)
async def test_messages_are_lost_doubled_and_garbled(
    up: Odds, down: Odds, expected: list[str]
) -> None:
    async with talk(up, down) as (_, client):
        await client.send("a")
        await client.send("b")
        assert await heard(client, len(expected)) == expected


@pytest.mark.flow
async def test_a_cut_is_an_end_without_goodbye() -> None:
    async with talk(Odds(), Odds()) as (relay, client):
        await client.send("a")
        assert await heard(client, 1) == ["a"]
        relay.cut()
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(client.recv(), PATIENCE_S)
        assert closed.value.rcvd is None
