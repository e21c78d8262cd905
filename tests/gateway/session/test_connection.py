from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.utils import accept_key

from gateway.providers.base import Endpoint
from gateway.session.connection import (
    MAX_FRAME_BYTES,
    UNSENT_TIMEOUT_S,
    Connection,
    EndedError,
)
from gateway.session.ending import (
    BadAuthority,
    BadUrl,
    Closed,
    HttpRefused,
    NotConnected,
    NoWebSocket,
)
from tests.brokers import Certificate, make_certificate

pytestmark = pytest.mark.flow

Talk = Callable[[ServerConnection], Awaitable[None]]


@asynccontextmanager
async def service(talk: Talk, **options: Any) -> AsyncIterator[str]:
    async with serve(talk, "127.0.0.1", 0, close_timeout=0.2, **options) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/x?license=sk-secret"


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Connection]:
    connection = Connection(Endpoint(url, "ws://shown"))
    await connection.open()
    try:
        yield connection
    finally:
        await connection.close()


async def ending(connection: Connection) -> object:
    with pytest.raises(EndedError) as caught:
        async for _ in connection.frames():
            pass
    assert "sk-secret" not in repr(caught.value)
    return caught.value.ending


async def refusal(url: str, ca_file: str = "") -> object:
    with pytest.raises(EndedError) as caught:
        await Connection(Endpoint(url, "ws://shown", ca_file=ca_file)).open()
    assert caught.value.__suppress_context__
    return caught.value.ending


async def echo(peer: ServerConnection) -> None:
    async for frame in peer:
        await peer.send(frame)


async def test_text_goes_and_comes_in_order() -> None:
    async with service(echo) as url, connected(url) as connection:
        await connection.send(["a", "b"])
        await connection.send(["c"])
        frames = connection.frames()
        assert [await anext(frames) for _ in range(3)] == ["a", "b", "c"]


async def test_a_round_trip_ends_when_all_before_it_has_arrived() -> None:
    awake = asyncio.Event()

    async def sleepy(peer: ServerConnection) -> None:
        peer.transport.pause_reading()
        await awake.wait()
        peer.transport.resume_reading()
        await echo(peer)

    async with service(sleepy) as url, connected(url) as connection:
        await asyncio.sleep(0.05)
        await connection.send(["a"])
        asking = asyncio.ensure_future(connection.round_trip())
        done, _ = await asyncio.wait({asking}, timeout=0.1)
        assert not done
        awake.set()
        await asyncio.wait_for(asking, 5)


async def test_a_round_trip_of_a_connection_that_breaks_is_an_end() -> None:
    async def leave(peer: ServerConnection) -> None:
        await peer.close()

    async with service(leave) as url, connected(url) as connection:
        await ending(connection)
        with pytest.raises(EndedError):
            await connection.round_trip()


async def test_small_messages_are_not_held_back_or_packed() -> None:
    async with service(echo) as url, connected(url) as connection:
        inner = connection._socket
        assert inner is not None
        raw = inner.transport.get_extra_info("socket")
        assert raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert inner.protocol.extensions == []


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="Linux has it")
async def test_what_the_other_machine_does_not_take_ends_the_connection_in_time() -> None:
    async with service(echo) as url, connected(url) as connection:
        inner = connection._socket
        assert inner is not None
        raw = inner.transport.get_extra_info("socket")
        limit_ms = raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
        assert limit_ms == UNSENT_TIMEOUT_S * 1000


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@asynccontextmanager
async def tls_service(certificate: Certificate) -> AsyncIterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.cert, certificate.key)
    async with service(echo, ssl=context) as url:
        yield url.replace("ws://127.0.0.1", "wss://localhost")


async def test_ones_own_authority_is_trusted_when_it_is_named(certificate: Certificate) -> None:
    async with tls_service(certificate) as url:
        connection = Connection(Endpoint(url, "x", ca_file=str(certificate.ca)))
        await connection.open()
        await connection.send(["a"])
        assert await anext(connection.frames()) == "a"
        inner = connection._socket
        assert inner is not None
        context = inner.transport.get_extra_info("sslcontext")
        assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
        await connection.close()


async def test_a_certificate_of_a_stranger_is_not_trusted(
    certificate: Certificate, tmp_path: Path
) -> None:
    other = make_certificate(tmp_path)
    async with tls_service(certificate) as url:
        for ca_file in ("", str(other.ca)):
            end = await refusal(url, ca_file)
            assert isinstance(end, NotConnected)
            assert isinstance(end.cause, ssl.SSLCertVerificationError)


@pytest.mark.parametrize("text", [None, "", "no certificate"])
async def test_a_file_without_authorities_is_told(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "ca.pem"
    if text is not None:
        path.write_text(text)
    assert await refusal("wss://127.0.0.1:9/", str(path)) == BadAuthority()


async def test_headers_are_sent() -> None:
    seen: list[str | None] = []

    async def talk(peer: ServerConnection) -> None:
        seen.append(peer.request.headers.get("Authorization") if peer.request else None)

    async with service(talk) as url:
        connection = Connection(Endpoint(url, "x", {"Authorization": "Bearer k"}))
        await connection.open()
        await connection.close()
    assert seen == ["Bearer k"]


async def test_a_close_by_the_service_carries_code_and_reason() -> None:
    async def talk(peer: ServerConnection) -> None:
        await peer.close(4001, "Insufficient points")

    async with service(talk) as url, connected(url) as connection:
        assert await ending(connection) == Closed(4001, "Insufficient points")


async def test_a_broken_connection_has_no_code() -> None:
    async def talk(peer: ServerConnection) -> None:
        peer.transport.abort()

    async with service(talk) as url, connected(url) as connection:
        assert await ending(connection) == Closed(None)


async def test_a_frame_over_the_limit_ends_it_from_our_side() -> None:
    async def talk(peer: ServerConnection) -> None:
        await peer.send("x" * (MAX_FRAME_BYTES + 1))
        await peer.wait_closed()

    async with service(talk) as url, connected(url) as connection:
        end = await ending(connection)
    assert isinstance(end, Closed)
    assert (end.code, end.by_us) == (1009, True)


async def test_a_frame_of_several_megabytes_passes() -> None:
    async def talk(peer: ServerConnection) -> None:
        await peer.send("x" * 4_000_000)
        await peer.wait_closed()

    async with service(talk) as url, connected(url) as connection:
        assert len(await anext(connection.frames())) == 4_000_000


@pytest.mark.parametrize("status", [401, 404, 503])
async def test_an_http_answer_carries_its_status(status: int) -> None:
    def refuse(peer: ServerConnection, _request: object) -> Any:
        response = peer.respond(HTTPStatus(status), "no")
        response.headers["Retry-After"] = "7"
        return response

    async with service(echo, process_request=refuse) as url:
        assert await refusal(url) == HttpRefused(status, 7.0)


async def test_nobody_listening_is_a_network_matter() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        end = await refusal(f"ws://127.0.0.1:{taken.getsockname()[1]}/?license=sk-secret")
    assert isinstance(end, NotConnected)


async def test_who_hangs_up_in_the_middle_of_the_handshake_is_a_network_matter() -> None:
    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.close()

    server = await asyncio.start_server(proxy, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert isinstance(await refusal(f"ws://127.0.0.1:{port}/"), NotConnected)


async def test_a_stranger_at_the_url_is_no_websocket() -> None:
    async def stranger(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail ready\r\n")
        await reader.read()
        writer.close()

    server = await asyncio.start_server(stranger, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert await refusal(f"ws://127.0.0.1:{port}/") == NoWebSocket()


@pytest.mark.parametrize("url", ["http://127.0.0.1/", "ws://", "nonsense", "ws://127.0.0.1:x/"])
async def test_a_bad_url_is_told(url: str) -> None:
    assert await refusal(url) == BadUrl()


async def test_a_closed_connection_takes_nothing_more() -> None:
    async with service(echo) as url, connected(url) as connection:
        await connection.close()
        await connection.close()
        with pytest.raises(EndedError):
            await connection.send(["a"])
    with pytest.raises(EndedError):
        await Connection(Endpoint("ws://x", "x")).send(["a"])


async def test_a_service_that_does_not_say_goodbye_is_left_soon() -> None:
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        key = request.split("Sec-WebSocket-Key: ")[1].split("\r\n")[0]
        head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        writer.write(f"{head}Sec-WebSocket-Accept: {accept_key(key)}\r\n\r\n".encode())
        await reader.read()
        writer.close()

    server = await asyncio.start_server(mute, "127.0.0.1", 0)
    async with server:
        connection = Connection(
            Endpoint(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/", "x")
        )
        await connection.open()
        started = time.monotonic()
        await connection.close()
        assert time.monotonic() - started < 1.0


async def test_the_url_is_not_logged_even_at_debug(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with service(echo, logger=logging.getLogger("quiet")) as url:
        logging.getLogger("quiet").setLevel(logging.ERROR)
        async with connected(url) as connection:
            await connection.send(["a"])
            await anext(connection.frames())
    assert "sk-secret" not in caplog.text


async def test_a_reason_that_repeats_the_licence_is_blotted() -> None:
    async def talk(peer: ServerConnection) -> None:
        await peer.close(1008, "no account for sk-secret")

    async with service(talk) as url:
        connection = Connection(Endpoint(url, "ws://shown", secrets=("sk-secret",)))
        await connection.open()
        assert await ending(connection) == Closed(1008, "no account for ***")
        await connection.close()
