"""An arriving PUBLISH of the plainest form, read by hand: paho's own way takes 50 us a message.

Pure. Whatever is not of that form is left to paho, which also says what is malformed.
"""

from __future__ import annotations

from collections.abc import Sequence

from devices.link.base import Message

_RETAINED = 0x01
_QOS_OR_REPEATED = 0x0E
_SUBSCRIPTION_ID = 0x0B
_MORE = 0x80
_LENGTH_BYTES = 2
_NUMBER_BITS = 28


def plain(
    header: int, body: bytes | bytearray, *, v5: bool
) -> tuple[Message, Sequence[int]] | None:
    """The message, and the numbers of the filters that it came for (MQTT 5).

    `header` is the packet's first byte, `body` all after its length. None unless it has
    QoS 0, a topic of valid UTF-8, and no other properties than such numbers.
    """
    start = _LENGTH_BYTES + int.from_bytes(body[:_LENGTH_BYTES])
    if header & _QOS_OR_REPEATED or start == _LENGTH_BYTES or len(body) < start + v5:
        return None
    numbers: list[int] = []
    payload_at = start
    if v5:
        payload_at = start + 1 + body[start]
        read = _numbers(body[start + 1 : payload_at])
        if body[start] >= _MORE or len(body) < payload_at or read is None:
            return None
        numbers = read
    try:
        topic = body[_LENGTH_BYTES:start].decode()
    except UnicodeDecodeError:
        return None
    return Message(topic, bytes(body[payload_at:]), bool(header & _RETAINED)), numbers


def _numbers(properties: bytes | bytearray) -> list[int] | None:
    """The subscription identifiers; None when there is anything else."""
    numbers: list[int] = []
    at = 0
    while at < len(properties):
        if properties[at] != _SUBSCRIPTION_ID:
            return None
        number, shift, more = 0, 0, True
        while more:
            at += 1
            if at == len(properties) or shift == _NUMBER_BITS:
                return None
            number |= (properties[at] & 0x7F) << shift
            more = bool(properties[at] & _MORE)
            shift += 7
        numbers.append(number)
        at += 1
    return numbers
