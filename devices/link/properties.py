"""MQTT 5 properties of a PUBLISH, packed by hand: paho's own take 16 us a message. Pure."""

from __future__ import annotations

import struct

from devices.link.base import Publish

_EXPIRY_ID, _EXPIRY = 0x02, struct.Struct("!BI")
_EXPIRY_MOST_S = 2**32 - 1
_CORRELATION_ID, _CORRELATION = 0x09, struct.Struct("!BH")
_CORRELATION_MOST_BYTES = 100


class PublishProperties:
    """What paho asks of the properties that it sends: their bytes."""

    __slots__ = ("_packed",)

    def __init__(self, packed: bytes) -> None:
        self._packed = packed

    def pack(self) -> bytes:
        """The bytes, with their length in front."""
        return self._packed


def publish_properties(message: Publish) -> PublishProperties | None:
    """Expiry and correlation; None when there is neither.

    Raises ValueError for an expiry of 2**32 s or more, or more than 100 bytes of correlation.
    """
    packed = b""
    if message.expiry_s is not None:
        if not 0 <= message.expiry_s <= _EXPIRY_MOST_S:
            raise ValueError(f"an expiry of {message.expiry_s} s does not fit in MQTT's field")
        packed += _EXPIRY.pack(_EXPIRY_ID, message.expiry_s)
    if message.correlation is not None:
        if len(message.correlation) > _CORRELATION_MOST_BYTES:
            raise ValueError("correlation data must be at most 100 bytes")
        packed += _CORRELATION.pack(_CORRELATION_ID, len(message.correlation))
        packed += message.correlation
    # Below 128 bytes the length is a single byte.
    return PublishProperties(bytes((len(packed),)) + packed) if packed else None
