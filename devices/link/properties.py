"""MQTT 5 properties of a PUBLISH, packed by hand: paho's own take 16 us a message. Pure."""

from __future__ import annotations

import struct

from devices.link.base import Publish

_EXPIRY_ID, _EXPIRY = 0x02, struct.Struct("!BI")
_EXPIRY_MOST_S = 2**32 - 1
_CORRELATION_ID, _CORRELATION = 0x09, struct.Struct("!BH")
_CORRELATION_MOST_BYTES = 100
_USER_ID, _LENGTH = b"\x26", struct.Struct("!H")
_USER_MOST_BYTES = 1000
# From here on the length of all properties takes two bytes.
_ONE_BYTE = 128


class PublishProperties:
    """What paho asks of the properties that it sends: their bytes."""

    __slots__ = ("_packed",)

    def __init__(self, packed: bytes) -> None:
        self._packed = packed

    def pack(self) -> bytes:
        """The bytes, with their length in front."""
        return self._packed


def publish_properties(message: Publish) -> PublishProperties | None:
    """Expiry, correlation and user properties; None when there are none.

    Raises ValueError for an expiry of 2**32 s or more, more than 100 bytes of correlation, or
    more than 1,000 bytes of user properties.
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
    if message.user_properties:
        packed += _user_properties(message.user_properties)
    return PublishProperties(_length(packed) + packed) if packed else None


def _user_properties(pairs: tuple[tuple[str, str], ...]) -> bytes:
    packed = b"".join(_USER_ID + _text(name) + _text(value) for name, value in pairs)
    if len(packed) > _USER_MOST_BYTES:
        raise ValueError("user properties must be at most 1,000 bytes")
    return packed


def _text(text: str) -> bytes:
    data = text.encode()[: _USER_MOST_BYTES + 1]
    return _LENGTH.pack(len(data)) + data


def _length(packed: bytes) -> bytes:
    size = len(packed)
    if size < _ONE_BYTE:
        return bytes((size,))
    return bytes((size % _ONE_BYTE | _ONE_BYTE, size // _ONE_BYTE))
