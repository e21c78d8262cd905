"""One WebSocket to the service, used once. The only module here that knows `websockets`.

It moves text in order and says why it ended. It never shows the URL: that may hold a secret.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidMessage,
    InvalidProxy,
    InvalidStatus,
    InvalidURI,
    WebSocketException,
)

from gateway.errors import SessionError
from gateway.providers.base import Endpoint
from gateway.session.ending import (
    BadAuthority,
    BadUrl,
    Closed,
    Ending,
    HttpRefused,
    NotConnected,
    NoWebSocket,
    Told,
)

OPEN_TIMEOUT_S = 10.0
CLOSE_TIMEOUT_S = 0.3
PING_INTERVAL_S = 20.0
PING_TIMEOUT_S = 20.0
# What was sent and not taken by the other machine for this long ends the connection, also
# where a pong is not due yet.
UNSENT_TIMEOUT_S = 20.0
# Realtime services send frames beyond the library's 1 MiB.
MAX_FRAME_BYTES = 16 * 1024 * 1024

# At DEBUG the library logs the request line, which holds the licence.
_wire_log = logging.getLogger("gateway.session.wire")
_wire_log.setLevel(logging.WARNING)


class EndedError(SessionError):
    """The connection ended, or never came about; `ending` says how."""

    def __init__(self, ending: Ending) -> None:
        super().__init__("the connection ended")
        self.ending = ending

    def known(self, *, was_ready: bool) -> EndedError:
        """The same end, and whether the model had been there."""
        if isinstance(self.ending, Closed | Told):
            return EndedError(replace(self.ending, was_ready=was_ready))
        return self


class Connection:
    """A connection from `open` to `close`. A new attempt is a new object."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._socket: ClientConnection | None = None
        self._sending = asyncio.Lock()

    async def open(self) -> None:
        """Connect within OPEN_TIMEOUT_S. Raises EndedError. Cancelling it leaves nothing open."""
        tls = await _tls(self._endpoint)
        options: dict[str, Any] = {} if tls is None else {"ssl": tls}
        try:
            self._socket = await _connect(
                self._endpoint.url,
                additional_headers=dict(self._endpoint.headers),
                # Messages are small, and packing them costs more time than it saves.
                compression=None,
                proxy=None if _is_loopback(self._endpoint.url) else True,
                open_timeout=OPEN_TIMEOUT_S,
                close_timeout=CLOSE_TIMEOUT_S,
                ping_interval=PING_INTERVAL_S,
                ping_timeout=PING_TIMEOUT_S,
                max_size=MAX_FRAME_BYTES,
                logger=_wire_log,
                **options,
            )
        except (OSError, WebSocketException, ValueError) as error:
            # `from None`: the library's texts may hold the URL, also in a traceback.
            raise EndedError(_why_not_open(error)) from None
        _notice_dead_peers(self._socket.transport.get_extra_info("socket"))

    async def frames(self) -> AsyncIterator[str | bytes]:
        """Each frame as it comes; raises EndedError when the connection ended. Never returns."""
        peer = self._opened()
        while True:
            try:
                frame = await peer.recv()
            except ConnectionClosed as closed:
                raise EndedError(self._why_closed(closed)) from None
            yield frame

    async def send(self, frames: Sequence[str]) -> None:
        """Send `frames` in order, with nothing in between. Raises EndedError."""
        peer = self._opened()
        try:
            async with self._sending:
                for frame in frames:
                    await peer.send(frame)
        except ConnectionClosed as closed:
            raise EndedError(self._why_closed(closed)) from None

    async def round_trip(self) -> None:
        """Return when all that was sent before has arrived. Raises EndedError."""
        peer = self._opened()
        try:
            async with self._sending:
                pong = await peer.ping()
            await pong
        except ConnectionClosed as closed:
            raise EndedError(self._why_closed(closed)) from None

    async def close(self) -> None:
        """Say goodbye; after CLOSE_TIMEOUT_S the socket is dropped. Closing twice is fine."""
        if self._socket is not None:
            await self._socket.close()

    def _opened(self) -> ClientConnection:
        if self._socket is None:
            raise EndedError(Closed(None))
        return self._socket

    def _why_closed(self, closed: ConnectionClosed) -> Ending:
        ending = _closed(closed)
        return replace(ending, reason=self._endpoint.blotted(ending.reason))


class _connect(connect):  # noqa: N801 -- it is awaited like the function that it extends
    """Follows a redirection on the same machine only: elsewhere nobody may have our key."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        """The new address, or `exc` when it must not be followed."""
        before = _origin(self.uri)
        new = super().process_redirect(exc)
        return new if not isinstance(new, str) or _origin(new) == before else exc


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port


async def _tls(endpoint: Endpoint) -> ssl.SSLContext | None:
    """How to check the service, None for ws://. Raises EndedError."""
    if urlsplit(endpoint.url).scheme != "wss":
        return None
    try:
        # In a thread: the authorities of a system are some hundred kilobytes to parse. Anew
        # each time: a file that was mended is heeded.
        return await asyncio.to_thread(_context, endpoint.ca_file)
    except (OSError, ValueError):
        raise EndedError(BadAuthority()) from None


def _context(ca_file: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _notice_dead_peers(raw: socket.socket | None) -> None:
    """Only Linux can be told; elsewhere the pings have to do."""
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if raw is not None and option is not None:
        raw.setsockopt(socket.IPPROTO_TCP, option, int(UNSENT_TIMEOUT_S * 1000))


def _why_not_open(error: Exception) -> Ending:
    match error:
        case InvalidStatus():
            status = error.response.status_code
            return HttpRefused(status, _seconds(error.response.headers.get("Retry-After")))
        case InvalidURI() | InvalidProxy():
            return BadUrl()
        case InvalidMessage() if isinstance(error.__cause__, EOFError):
            # Something in between took the connection and had nobody to pass it on to.
            return NotConnected(ConnectionResetError())
        case InvalidHandshake() | WebSocketException():
            return NoWebSocket()
        case OSError():
            return NotConnected(error)
    return BadUrl()


def _closed(closed: ConnectionClosed) -> Closed:
    by_us = closed.rcvd is None or closed.rcvd_then_sent is False
    frame = closed.sent if by_us and closed.sent is not None else closed.rcvd
    if frame is None:
        return Closed(None)
    return Closed(frame.code, frame.reason, by_us=by_us)


def _seconds(retry_after: str | None) -> float | None:
    """Retry-After in seconds, at most an hour; None for dates and nonsense."""
    if retry_after is None or not retry_after.isascii() or not retry_after.isdigit():
        return None
    return min(float(retry_after), 3600.0)


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
