"""A real MQTT broker (rumqttd, from the extra `demo`) as a child process on loopback.

For `gateway demo` and the tests. It never listens on another interface, and needs no account.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import tempfile
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any, Self

from gateway.errors import GatewayError

_HOST = "127.0.0.1"
# Another program may take a port between our choice and the broker's start.
_ATTEMPTS = 5
_MAX_PAYLOAD_BYTES = 512 * 1024

_CONFIG = """
id = 0

[router]
id = 0
max_connections = 10010
max_outgoing_packet_count = 1000
max_segment_size = 10485760
max_segment_count = 10

[v5.1]
name = "mqtt5"
listen = "{host}:{port_v5}"
next_connection_delay_ms = 0
    [v5.1.connections]
    connection_timeout_ms = 60000
    max_payload_size = {max_payload_bytes}
    max_inflight_count = 100
    dynamic_filters = true

[v4.1]
name = "mqtt311"
listen = "{host}:{port_v4}"
next_connection_delay_ms = 0
    [v4.1.connections]
    connection_timeout_ms = 60000
    max_payload_size = {max_payload_bytes}
    max_inflight_count = 100
    dynamic_filters = true
"""


class EmbeddedBroker:
    """Starts on `async with`, ends with it, and ends by itself when this process dies.

    Entering raises GatewayError when the extra is missing or the broker does not start.
    """

    def __init__(self) -> None:
        self._native: Any = None
        self._ports = (0, 0)

    @property
    def url(self) -> str:
        """Where MQTT 5 clients connect. Valid once entered."""
        return f"mqtt://{_HOST}:{self._ports[0]}"

    @property
    def url_v4(self) -> str:
        """Where MQTT 3.1.1 clients connect. Valid once entered."""
        return f"mqtt://{_HOST}:{self._ports[1]}"

    async def __aenter__(self) -> Self:
        iotcore = _library()
        problem: Exception | None = None
        for _ in range(_ATTEMPTS):
            try:
                await self._start(iotcore)
            except (OSError, RuntimeError) as error:
                problem = error
            else:
                return self
        raise GatewayError(f"the embedded broker does not start: {problem}")

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await asyncio.to_thread(self._native.stop)

    async def _start(self, iotcore: ModuleType) -> None:
        """Start on two fresh ports. Raises OSError or RuntimeError when that fails."""
        self._ports = _free_ports()
        starting = asyncio.ensure_future(asyncio.to_thread(self._run, iotcore))
        try:
            await asyncio.shield(starting)
        except asyncio.CancelledError:
            # The thread cannot be stopped half-way; its child process must not stay behind.
            await asyncio.wait({starting})
            await asyncio.to_thread(self._native.stop)
            raise

    def _run(self, iotcore: ModuleType) -> None:
        port_v5, port_v4 = self._ports
        config = _CONFIG.format(
            host=_HOST, port_v5=port_v5, port_v4=port_v4, max_payload_bytes=_MAX_PAYLOAD_BYTES
        )
        # The broker has read its configuration when `start` returns.
        with tempfile.TemporaryDirectory(prefix="gateway-broker-") as folder:
            path = Path(folder) / "broker.toml"
            path.write_text(config, encoding="utf-8")
            self._native = iotcore.Broker(config_path=str(path))
            self._native.start()


def _library() -> ModuleType:
    try:
        import iotcore  # noqa: PLC0415 -- an extra: absent from most installations
    except ImportError:
        message = "the embedded broker is not installed: pip install 'honest-gateway[demo]'"
        raise GatewayError(message) from None
    return iotcore


def _free_ports() -> tuple[int, int]:
    with contextlib.ExitStack() as held:
        first, second = (held.enter_context(socket.socket()) for _ in range(2))
        first.bind((_HOST, 0))
        second.bind((_HOST, 0))
        return first.getsockname()[1], second.getsockname()[1]
