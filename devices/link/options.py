"""What an MQTT link needs to know, checked when it is written down. Opens nothing."""

from __future__ import annotations

import re
import secrets
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import SplitResult, unquote, urlsplit

from devices.link.base import Publish

MAX_PAYLOAD_BYTES = 256 * 1024
"""Larger messages are neither sent nor handed on; a description of a big bridge fits."""

Protocol = Literal["auto", "5", "3.1.1"]

_PORTS = {"mqtt": 1883, "mqtts": 8883, "ws": 80, "wss": 443}
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252}[A-Za-z0-9_])?\.?|[0-9A-Fa-f:.]+(%\w+)?")
_DEFAULT_PATH = "/mqtt"
_MAX_KEEPALIVE_S = 65_535  # two bytes on the wire


@dataclass(frozen=True, slots=True)
class Address:
    """Where a broker listens. `host` is a name or an IP address without brackets."""

    host: str
    port: int
    tls: bool
    path: str | None = field(repr=False)
    """the WebSocket's path with its query; None for a plain connection"""

    def __str__(self) -> str:
        """For a log line: no user, no password."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class MqttOptions:
    """One client of one broker.

    `url` is mqtt://, mqtts://, ws:// or wss://; ports default to 1883, 8883, 80 and 443.
    A user and password in it count when `username` is empty. TLS always checks the broker's
    certificate: against `ca_file`, or the system's authorities when it is "".
    `cert_file` and `key_file` show who we are. An empty `client_id` becomes a random one.
    `will` is what the broker publishes when we vanish. `protocol` "auto" means MQTT 5, and 3.1.1
    where the broker does not know 5. `connect_timeout_s` bounds the way to the broker, and
    then its answer; `subscribe_timeout_s` its answer to a subscription. `max_queued` bounds
    the messages not yet written, and those not yet acknowledged.

    Raises ValueError, with one sentence and no secret, for what cannot work.
    """

    url: str = field(default="mqtt://localhost:1883", repr=False)
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = field(default="", repr=False)
    client_id: str = ""
    keepalive_s: int = 60
    will: Publish | None = None
    protocol: Protocol = "auto"
    connect_timeout_s: float = 5.0
    subscribe_timeout_s: float = 10.0
    max_queued: int = 1000
    max_payload_bytes: int = MAX_PAYLOAD_BYTES
    address: Address = field(init=False)

    def __post_init__(self) -> None:
        parts = _split(self.url)
        object.__setattr__(self, "address", _address(parts))
        if not self.username and parts.username:
            object.__setattr__(self, "username", unquote(parts.username))
            object.__setattr__(self, "password", self.password or unquote(parts.password or ""))
        if not self.client_id:
            object.__setattr__(self, "client_id", f"link-{secrets.token_hex(6)}")
        if not 1 <= self.keepalive_s <= _MAX_KEEPALIVE_S:
            raise ValueError(f"keepalive_s must be from 1 to {_MAX_KEEPALIVE_S} seconds")
        if self.protocol not in {"auto", "5", "3.1.1"}:
            raise ValueError(f"the protocol {self.protocol!r} must be auto, 5 or 3.1.1")

    def tls_context(self) -> ssl.SSLContext | None:
        """What TLS needs; None for a plain connection.

        Host names are checked, and nothing below TLS 1.2 is spoken. Raises OSError, which
        names the setting, for a file that cannot be used.
        """
        if not self.address.tls:
            return None
        with _blamed_on(f"ca_file {self.ca_file}"):
            context = ssl.create_default_context(cafile=self.ca_file or None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.sslsocket_class = _TidySocket
        if self.cert_file:
            with _blamed_on(f"cert_file {self.cert_file} or its key_file"):
                # Without a password OpenSSL would ask whoever sits at the terminal.
                context.load_cert_chain(self.cert_file, self.key_file or None, password="")
        return context


@contextmanager
def _blamed_on(what: str) -> Iterator[None]:
    try:
        yield
    except ssl.SSLError as error:
        reason = error.reason or "no PEM of that kind, or behind a pass phrase"
        raise OSError(error.errno, f"{what} cannot be used ({reason.lower()})") from None
    except OSError as error:
        raise OSError(error.errno, f"{what} cannot be used ({error.strerror})") from None


class _TidySocket(ssl.SSLSocket):
    """Closes itself when the handshake fails: paho would leave that to the garbage collector."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


def _split(url: str) -> SplitResult:
    # urlsplit's own errors may quote the URL, and that may hold a password.
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ValueError("the MQTT url cannot be read: its host or port is malformed") from None
    if parts.scheme not in _PORTS:
        raise ValueError("the MQTT url must begin with mqtt://, mqtts://, ws:// or wss://")
    return parts


def _address(parts: SplitResult) -> Address:
    host = parts.hostname or ""
    if not _HOST.fullmatch(host):
        raise ValueError("the MQTT url has no valid host: write mqtt://HOST or mqtt://HOST:PORT")
    if parts.port == 0:
        raise ValueError("the MQTT url has port 0, where nothing can listen")
    over_websocket = parts.scheme in {"ws", "wss"}
    if not over_websocket and parts.path not in {"", "/"}:
        raise ValueError("the MQTT url has a path, which only ws:// and wss:// can have")
    path = parts.path if parts.path not in {"", "/"} else _DEFAULT_PATH
    if parts.query:
        path += f"?{parts.query}"
    return Address(
        host=host,
        port=parts.port or _PORTS[parts.scheme],
        tls=parts.scheme in {"mqtts", "wss"},
        path=path if over_websocket else None,
    )
