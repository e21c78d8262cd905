"""WebSocket as the relay reads it: the handshake as one packet, then whole frames.

Faults strike text frames. TCP loses none of them while a connection stands, so a driver
that wants to be fair only duplicates, reorders and delays.
"""

from __future__ import annotations

from asyncio import StreamReader

from tests.faults.mischief import Dealer
from tests.faults.relay import Relay

_TEXT_IN_ONE_FRAME = 0x81
_MASKED = 0x80
_LENGTH_BYTES = {126: 2, 127: 8}
_GARBAGE = b"{not JSON"


class WebSocketFraming:
    """One direction of one connection."""

    def __init__(self) -> None:
        self._shaken = False

    async def read(self, reader: StreamReader) -> bytes:
        """The handshake, then frame by frame."""
        if not self._shaken:
            self._shaken = True
            return await reader.readuntil(b"\r\n\r\n")
        head = await reader.readexactly(2)
        length = head[1] & ~_MASKED
        extra = await reader.readexactly(_LENGTH_BYTES.get(length, 0))
        length = int.from_bytes(extra, "big") if extra else length
        key = await reader.readexactly(4 if head[1] & _MASKED else 0)
        return head + extra + key + await reader.readexactly(length)

    def is_message(self, packet: bytes) -> bool:
        """Whether it is a text in one frame."""
        return packet[0] == _TEXT_IN_ONE_FRAME

    def garbled(self, packet: bytes) -> bytes:
        """A text frame that is no JSON, masked (with zeros) when `packet` was."""
        mask = packet[1] & _MASKED
        key = bytes(4) if mask else b""
        return bytes([_TEXT_IN_ONE_FRAME, mask | len(_GARBAGE)]) + key + _GARBAGE


def ws_proxy(service_port: int, *, up: Dealer, down: Dealer) -> Relay:
    """A proxy before the service at `service_port` of this machine."""
    return Relay(service_port, WebSocketFraming, up=up, down=down)
