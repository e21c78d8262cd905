"""MQTT as the relay reads it: whole packets, and which of them are commands or acknowledgements.

Faults strike only those: they are QoS 0, and the promise must hold without them. What is
retained travels over TCP, which loses nothing while a connection stands.
"""

from __future__ import annotations

from asyncio import StreamReader

from tests.faults.mischief import Dealer
from tests.faults.relay import Relay

_PUBLISH = 3
_RETAIN = 0b0001
_QOS = 0b0110
_MORE = 0x80
_GARBAGE = b'{"id": "01JD8Z\xff\xfe, "status": succ'


class MqttFraming:
    """Fixed header, remaining length, body; the same in MQTT 3.1.1 and 5."""

    async def read(self, reader: StreamReader) -> bytes:
        """The next packet."""
        head = await reader.readexactly(2)
        while head[-1] & _MORE:
            head += await reader.readexactly(1)
        return head + await reader.readexactly(_remaining(head))

    def is_message(self, packet: bytes) -> bool:
        """Whether it is a command or an acknowledgement at QoS 0, not retained."""
        if packet[0] >> 4 != _PUBLISH or packet[0] & (_QOS | _RETAIN):
            return False
        return _topic(packet).endswith((b"/command", b"/ack"))

    def garbled(self, packet: bytes) -> bytes:
        """A publication on the same topic whose payload is garbage.

        The garbage begins with a zero byte, which MQTT 5 reads as "no properties".
        """
        topic = _topic(packet)
        body = len(topic).to_bytes(2, "big") + topic + b"\x00" + _GARBAGE
        return packet[:1] + bytes([len(body)]) + body


def mqtt_proxy(broker_port: int, *, up: Dealer, down: Dealer) -> Relay:
    """A proxy before the broker at `broker_port` of this machine."""
    return Relay(broker_port, MqttFraming, up=up, down=down)


def _remaining(head: bytes) -> int:
    """The length that the digits after the first byte say, seven bits each, least first."""
    return sum((digit & ~_MORE) << (7 * place) for place, digit in enumerate(head[1:]))


def _topic(packet: bytes) -> bytes:
    start = 1
    while packet[start] & _MORE:
        start += 1
    length = int.from_bytes(packet[start + 1 : start + 3], "big")
    return packet[start + 3 : start + 3 + length]
