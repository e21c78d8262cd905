from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from devices.link.arrivals import plain
from devices.link.base import Message

pytestmark = pytest.mark.unit

topics = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)


def body(topic: str, payload: bytes, properties: bytes = b"") -> bytes:
    name = topic.encode()
    return len(name).to_bytes(2) + name + properties + payload


def numbered(*numbers: int) -> bytes:
    """As paho packs the subscription identifiers of a PUBLISH."""
    properties = Properties(PacketTypes.PUBLISH)
    if numbers:
        properties.SubscriptionIdentifier = list(numbers)
    return properties.pack()


@given(topics, st.binary(max_size=200), st.booleans())
def test_a_message_of_mqtt_3_is_read(topic: str, payload: bytes, retained: bool) -> None:
    read = plain(0x30 | retained, body(topic, payload), v5=False)
    assert read == (Message(topic, payload, retained), [])


@given(
    topics,
    st.binary(max_size=200),
    st.lists(st.integers(1, 268_435_455), max_size=20),
)
def test_the_numbers_of_mqtt_5_are_those_that_paho_wrote(
    topic: str, payload: bytes, numbers: list[int]
) -> None:
    read = plain(0x30, body(topic, payload, numbered(*numbers)), v5=True)
    assert read == (Message(topic, payload), numbers)


@given(st.integers(0x30, 0x3F), st.binary(max_size=60), st.booleans())
def test_garbage_is_read_or_left_alone(header: int, packet: bytes, v5: bool) -> None:
    read = plain(header, packet, v5=v5)
    if read is not None:
        message, _ = read
        assert packet[2:].startswith(message.topic.encode())
        assert packet.endswith(message.payload)


@pytest.mark.parametrize("header", [0x32, 0x34, 0x38, 0x3A])
def test_what_is_acknowledged_or_repeated_is_left_to_paho(header: int) -> None:
    assert plain(header, body("a", b"\x00\x01"), v5=False) is None


@pytest.mark.parametrize(
    "packet",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x00", id="half a length"),
        pytest.param(b"\x00\x00\x00", id="no topic"),
        pytest.param(b"\x00\x09abc", id="a topic that is cut off"),
        pytest.param(b"\x00\x01a", id="no properties"),
        pytest.param(b"\x00\x01a\x03\x0b\x01", id="properties that are cut off"),
        pytest.param(b"\x00\x01a\x02\x0b\x81", id="a number that is cut off"),
        pytest.param(b"\x00\x01a\x06\x0b\x81\x81\x81\x81\x01", id="a number without end"),
        pytest.param(b"\x00\x01a\x02\x01\x01payload", id="another property"),
        pytest.param(b"\x00\x01a\x80\x01payload", id="a length of two bytes"),
        pytest.param(b"\x00\x02\xc3\x28\x00payload", id="a topic that is no text"),
    ],
)
def test_anything_else_is_left_to_paho(packet: bytes) -> None:
    assert plain(0x30, packet, v5=True) is None
