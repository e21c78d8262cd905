from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.link.base import Message, Publish
from devices.link.mqtt import MqttLink, MqttOptions
from tests.faults.far_end import A_MOMENT_S, PATIENCE_S, dealer, far_end
from tests.faults.mischief import Odds
from tests.faults.mqtt_proxy import MqttFraming, mqtt_proxy
from tests.faults.relay import HOST


def digits(length: int) -> bytes:
    """A remaining length as MQTT writes it."""
    written = bytearray()
    while length > 127:
        written.append(length % 128 | 0x80)
        length //= 128
    return bytes(written) + bytes([length])


def packet(first: int, body: bytes) -> bytes:
    return bytes([first]) + digits(len(body)) + body


def publication(topic: str, payload: bytes = b"{}", first: int = 0x30) -> bytes:
    name = topic.encode()
    return packet(first, len(name).to_bytes(2, "big") + name + b"\x00" + payload)


packets = st.builds(packet, st.integers(0, 255), st.binary(max_size=300))


@pytest.mark.unit
@given(st.lists(packets, min_size=1, max_size=8))
async def test_a_stream_is_cut_where_its_packets_end(sent: list[bytes]) -> None:
    reader = asyncio.StreamReader()
    reader.feed_data(b"".join(sent))
    framing = MqttFraming()
    assert [await framing.read(reader) for _ in sent] == sent


@pytest.mark.unit
async def test_a_long_packet_stays_whole() -> None:
    long = packet(0x30, bytes(200_000))
    reader = asyncio.StreamReader()
    reader.feed_data(long)
    assert await MqttFraming().read(reader) == long


@pytest.mark.unit
@pytest.mark.parametrize(
    ("sent", "struck"),
    [
        (publication("home/a/command"), True),
        (publication("home/a/ack"), True),
        (publication("home/a/ack", bytes(1000)), True),
        (publication("home/a/ack", first=0x31), False),
        (publication("home/a/ack", first=0x32), False),
        (publication("home/a/state"), False),
        (publication("home/a/availability"), False),
        (packet(0xC0, b""), False),
        (packet(0x82, b"\x00\x01\x00\x0ahome/a/ack\x00"), False),
    ],
)
def test_only_commands_and_acknowledgements_without_a_guarantee_are_struck(
    sent: bytes, struck: bool
) -> None:
    assert MqttFraming().is_message(sent) is struck


@pytest.mark.flow
@pytest.mark.parametrize(
    ("odds", "copies"), [(Odds(drop=1), 0), (Odds(), 1), (Odds(duplicate=1), 2)]
)
async def test_acknowledgements_are_lost_and_doubled_and_the_rest_passes(
    odds: Odds, copies: int
) -> None:
    ack, state = publication("home/a/ack"), publication("home/a/state", first=0x31)
    async with far_end() as far, mqtt_proxy(far.port, up=dealer(odds), down=dealer()) as relay:
        _, writer = await asyncio.open_connection(HOST, relay.port)
        writer.write(ack + state)
        await far.hears(ack * copies + state)
        writer.close()


@pytest.mark.flow
async def test_a_delayed_message_is_overtaken() -> None:
    ack, state = publication("home/a/ack"), publication("home/a/state", first=0x31)
    odds = Odds(delay=1, delay_s=A_MOMENT_S)
    async with far_end() as far, mqtt_proxy(far.port, up=dealer(odds), down=dealer()) as relay:
        _, writer = await asyncio.open_connection(HOST, relay.port)
        writer.write(ack + state)
        await far.hears(state + ack)
        writer.close()


@pytest.mark.flow
async def test_garbage_is_still_mqtt_and_has_the_topic(mosquitto_url: str) -> None:
    """Real clients on both sides: what is garbled is the payload, not the connection."""
    port = int(mosquitto_url.rpartition(":")[2])
    heard: asyncio.Queue[Message] = asyncio.Queue()
    async with (
        mqtt_proxy(port, up=dealer(), down=dealer(Odds(garble=1))) as relay,
        MqttLink(MqttOptions(f"mqtt://{HOST}:{relay.port}", client_id="faults-garbled")) as link,
        MqttLink(MqttOptions(mosquitto_url, client_id="faults-device")) as device,
    ):
        await link.subscribe("faults-garbled/+/ack", heard.put_nowait)
        await link.connected(PATIENCE_S)
        await device.connected(PATIENCE_S)
        for _ in range(2):
            device.publish(Publish("faults-garbled/lamp/ack", b'{"id": "1"}'))
            message = await asyncio.wait_for(heard.get(), PATIENCE_S)
            assert message.topic == "faults-garbled/lamp/ack"
            assert b"\xff" in message.payload
