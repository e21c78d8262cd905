from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import shutil
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import websockets
from paho.mqtt.client import DisconnectFlags
from paho.mqtt.reasoncodes import ReasonCode

from devices.contract.errors import LinkDownError, LinkFullError, LinkRefusedError
from devices.link import watch
from devices.link.backoff import Backoff
from devices.link.base import LinkChange, LinkState, Publish
from devices.link.mqtt import MqttLink, MqttOptions
from gateway.simulated.broker import EmbeddedBroker
from tests.brokers import Certificate, Mosquitto, free_port, make_certificate
from tests.devices.link.contract import *  # noqa: F403 -- the shared suite
from tests.devices.link.contract import WITHIN_S, Heard, World, until_state
from tests.devices.link.scripted import (
    ACCEPTED_V4,
    ACCEPTED_V5,
    CONNECT,
    PUBLISH,
    SUBSCRIBE,
    Peer,
    Script,
    ScriptedBroker,
    publish_v4,
    publish_v5,
    suback_v4,
    suback_v5,
)

pytestmark = pytest.mark.flow

AT_ONCE = Backoff(base_s=0.01, cap_s=0.01)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def mosquitto_tls(
    tmp_path_factory: pytest.TempPathFactory, certificate: Certificate
) -> Iterator[Mosquitto]:
    folder = tmp_path_factory.mktemp("mosquitto-tls")
    with Mosquitto(folder, cert=certificate.cert, key=certificate.key) as broker:
        yield broker


@contextlib.asynccontextmanager
async def websocket_to(broker: EmbeddedBroker) -> AsyncIterator[str]:
    """The broker behind a WebSocket, cut into frames wherever it likes."""
    port = int(broker.url.rpartition(":")[2])

    async def serve(outside: websockets.ServerConnection) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)

        async def back() -> None:
            while data := await reader.read(1000):
                await outside.send(data)

        answers = asyncio.create_task(back(), name="back")
        try:
            async for frame in outside:
                writer.write(bytes(frame))
        finally:
            answers.cancel()
            await asyncio.wait({answers})
            writer.close()
            await writer.wait_closed()

    options: dict[str, Any] = {"subprotocols": ["mqtt"], "compression": None}
    async with websockets.serve(serve, "127.0.0.1", 0, **options) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/mqtt"


def hang_up(link: MqttLink) -> None:
    """End the connection under the link, as a broker or a network does."""
    link._connection._client.socket().shutdown(socket.SHUT_RDWR)


@pytest.fixture(params=["rumqttd-5", "rumqttd-3.1.1", "mosquitto-5", "mosquitto-3.1.1", "tls"])
def world(request: pytest.FixtureRequest) -> World:
    name, _, protocol = request.param.partition("-")
    common: dict[str, Any] = {"protocol": protocol or "auto"}
    if name == "rumqttd":
        broker: EmbeddedBroker = request.getfixturevalue("embedded_broker")
        common["url"] = broker.url if protocol == "5" else broker.url_v4
    elif name == "mosquitto":
        common["url"] = request.getfixturevalue("mosquitto_url")
    else:
        common["url"] = request.getfixturevalue("mosquitto_tls").url
        common["ca_file"] = str(request.getfixturevalue("certificate").ca)
    return World(
        make=lambda client_id, will: MqttLink(
            MqttOptions(client_id=client_id, will=will, **common), backoff=AT_ONCE
        ),
        cut=hang_up,
        one_copy=request.param != "rumqttd-3.1.1",
        tells=not request.param.endswith("3.1.1"),
    )


def link_to(url: str, *, backoff: Backoff = AT_ONCE, **options: Any) -> MqttLink:
    return MqttLink(MqttOptions(url=url, client_id="me", **options), backoff=backoff)


def accept_v5(*then: Script) -> Script:
    """Let an MQTT 5 client in, then go on; at the end stay until it leaves."""

    async def script(peer: Peer) -> None:
        greeting = await peer.expect(CONNECT)
        assert greeting[6] == 5, "not MQTT 5"
        peer.send(ACCEPTED_V5)
        for step in then:
            await step(peer)
        await peer.until_gone()

    return script


async def accept_v4(peer: Peer) -> None:
    greeting = await peer.expect(CONNECT)
    assert greeting[6] == 4, "not MQTT 3.1.1"
    peer.send(ACCEPTED_V4)
    await peer.until_gone()


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not true():  # noqa: ASYNC110 -- what it looks at tells nobody
            await asyncio.sleep(0.002)


async def grant(peer: Peer) -> None:
    peer.send(suback_v5(await peer.expect(SUBSCRIBE)))


def answer_connect_with(hexadecimal: str) -> Script:
    async def script(peer: Peer) -> None:
        await peer.expect(CONNECT)
        peer.send(bytes.fromhex(hexadecimal))

    return script


# --- versions


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param("2003008400", id="unsupported version, in MQTT 5"),
        pytest.param("20020001", id="unsupported version, in MQTT 3.1.1"),
        pytest.param("20020005", id="a code that MQTT 5 does not have"),
        pytest.param("", id="closes without a word"),
    ],
)
async def test_a_broker_without_mqtt_5_gets_3_1_1_at_once(
    answer: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        ScriptedBroker([answer_connect_with(answer), accept_v4]) as broker,
        link_to(broker.url) as link,
    ):
        await link.connected(WITHIN_S)
        assert link.protocol == "3.1.1"
        assert "WARNING" not in caplog.text
        hang_up(link)
        await until_state(link, LinkState.LOST)
        await link.connected(WITHIN_S)
        assert broker.connections == 3, "it remembers what worked"


async def test_a_broker_that_restarts_keeps_its_version() -> None:
    closes = answer_connect_with("")
    async with (
        ScriptedBroker([accept_v5(), closes, closes, accept_v5()]) as broker,
        link_to(broker.url) as link,
    ):
        await link.connected(WITHIN_S)
        hang_up(link)
        await until_state(link, LinkState.LOST)
        await link.connected(WITHIN_S)
        assert link.protocol == "5"


async def test_the_version_that_was_asked_for_is_the_only_one_tried() -> None:
    async with (
        ScriptedBroker([answer_connect_with("2003008400")]) as broker,
        link_to(broker.url, protocol="5") as link,
    ):
        with pytest.raises(LinkRefusedError, match="version"):
            await link.connected(WITHIN_S)
        assert broker.connections == 1


async def test_a_real_broker_of_the_old_version_only(embedded_broker: EmbeddedBroker) -> None:
    async with link_to(embedded_broker.url_v4) as link:
        await link.connected(WITHIN_S)
        assert link.protocol == "3.1.1"


# --- refusals


@pytest.mark.parametrize("code", ["85", "86", "87", "8a"])
async def test_a_refusal_stops_the_link(code: str, caplog: pytest.LogCaptureFixture) -> None:
    changes: list[LinkChange] = []
    async with (
        ScriptedBroker([answer_connect_with(f"200300{code}00")]) as broker,
        link_to(broker.url, username="me", password="s3cret") as link,
    ):
        link.on_change(changes.append)
        with pytest.raises(LinkRefusedError) as caught:
            await link.connected(WITHIN_S)
        await asyncio.wait_for(asyncio.shield(link._task), WITHIN_S)
        assert link.state is LinkState.REFUSED
        assert broker.connections == 1
    assert [change.state for change in changes] == ["refused", "closed"]
    assert "s3cret" not in f"{caught.value}{changes}{caplog.text}{link._mqtt._options!r}"


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_a_wrong_password_at_a_real_broker(tmp_path: Path, protocol: str) -> None:
    with Mosquitto(tmp_path, users={"me": "right"}) as broker:
        wrong = {"username": "me", "password": "wrong", "protocol": protocol}
        async with link_to(broker.url, **wrong) as link:
            with pytest.raises(LinkRefusedError, match="not authori"):
                await link.connected(WITHIN_S)
        with_user = broker.url.replace("//", "//me:right@")
        async with link_to(with_user, protocol=protocol) as link:
            await link.connected(WITHIN_S)


async def test_a_broker_that_is_busy_is_asked_again() -> None:
    async with (
        ScriptedBroker([answer_connect_with("2003008900"), accept_v5()]) as broker,
        link_to(broker.url) as link,
    ):
        await link.connected(WITHIN_S)


async def test_a_denied_subscription() -> None:
    await check_denied(accept_v5(deny, grant))


async def test_a_denied_subscription_in_3_1_1() -> None:
    async def script(peer: Peer) -> None:
        await peer.expect(CONNECT)
        peer.send(ACCEPTED_V4)
        peer.send(suback_v4(await peer.expect(SUBSCRIBE), 0x80))
        peer.send(suback_v4(await peer.expect(SUBSCRIBE)))
        await peer.until_gone()

    await check_denied(script, protocol="3.1.1")


async def check_denied(script: Script, **options: Any) -> None:
    async with ScriptedBroker([script]) as broker, link_to(broker.url, **options) as link:
        await link.connected(WITHIN_S)
        with pytest.raises(LinkRefusedError, match="denies 'closed'"):
            await link.subscribe("closed", Heard())
        await link.subscribe("open", Heard())
        assert [one.topic_filter for one in link._table.wanted()] == ["open"]


async def deny(peer: Peer) -> None:
    peer.send(suback_v5(await peer.expect(SUBSCRIBE), 0x87))


async def test_a_subscription_denied_at_connect_leaves_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    heard = Heard()

    async def send(peer: Peer) -> None:
        peer.send(publish_v5("b", b"1"))

    async with ScriptedBroker([accept_v5(deny, grant, send)]) as broker:
        link = link_to(broker.url)
        await link.subscribe("a", heard)
        await link.subscribe("b", heard)
        async with link:
            await link.connected(WITHIN_S)
            await heard.until(1)
    assert "denies 'a': not authorized" in caplog.text


# --- subscriptions


async def test_each_filter_is_asked_for_once_with_the_highest_qos() -> None:
    asked: list[bytes] = []

    async def note(peer: Peer) -> None:
        body = await peer.expect(SUBSCRIBE)
        asked.append(body)
        peer.send(suback_v5(body))

    async with ScriptedBroker([accept_v5(note, note)]) as broker:
        link = link_to(broker.url)
        for topic_filter, qos in (("a/+", 0), ("a/+", 1), ("b", 0), ("a/+", 0)):
            await link.subscribe(topic_filter, Heard(), qos=qos)
        for _ in range(2):
            async with link:
                await link.connected(WITHIN_S)
                assert len(asked) == 2, "before `connected` returns, and not twice"
                assert asked[0].endswith(b"\0\x03a/+\x01")
                assert asked[1].endswith(b"\0\x01b\x00")
            asked.clear()


async def test_an_answer_may_come_before_its_number_is_known() -> None:
    heard = Heard()

    async def send(peer: Peer) -> None:
        peer.send(publish_v5("a", b"1"))

    async with ScriptedBroker([accept_v5(send)]) as broker, link_to(broker.url) as link:
        await link.connected(WITHIN_S)
        client = link._connection._client
        subscribe = client.subscribe

        def eager(*args: Any, **kwargs: Any) -> Any:
            number = client._last_mid + 1
            client._in_packet["packet"] = bytearray(number.to_bytes(2, "big") + b"\0\0")
            client._in_packet["command"] = 0x90
            client._handle_suback()
            client._in_packet.update(command=0, packet=bytearray())
            return subscribe(*args, **kwargs)

        client.subscribe = eager
        await asyncio.wait_for(link.subscribe("a", heard), WITHIN_S)


async def test_a_broker_that_never_answers_a_subscription_has_lost_us() -> None:
    async with (
        ScriptedBroker([accept_v5()]) as broker,
        link_to(broker.url, subscribe_timeout_s=0.05) as link,
    ):
        await link.connected(WITHIN_S)
        await link.subscribe("a", Heard())
        await until_state(link, LinkState.LOST)
        assert "does not answer a subscription" in link.reason


async def test_an_answer_that_drowned_in_a_flood_does_not_end_the_connection(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def flood(peer: Peer) -> None:
        await peer.expect(SUBSCRIBE)
        peer.send(publish_v5("a/1", b"1") * 100)

    heard = Heard()
    async with (
        ScriptedBroker([accept_v5(flood, grant)]) as broker,
        link_to(broker.url, subscribe_timeout_s=0.2) as link,
    ):
        await link.subscribe("a/+", heard)
        await link.subscribe("b", heard)
        await link.connected(WITHIN_S)
        assert broker.connections == 1
    assert len(heard.messages) == 100
    assert "does not confirm a/+; it may drop messages" in caplog.text


async def test_filters_with_wildcards_are_asked_for_one_at_a_time() -> None:
    asked: list[int] = []

    async def answer_late(peer: Peer) -> None:
        body = await peer.expect(SUBSCRIBE)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.05):
                await peer.expect(SUBSCRIBE)
                pytest.fail("the next one came before the answer")
        asked.append(len(body))
        peer.send(suback_v5(body))

    async with ScriptedBroker([accept_v5(answer_late, answer_late)]) as broker:
        link = link_to(broker.url)
        await link.subscribe("a/+", Heard())
        await link.subscribe("b/#", Heard())
        async with link:
            await link.connected(WITHIN_S)
    assert len(asked) == 2


async def test_a_handler_may_answer_before_all_subscriptions_stand() -> None:
    answers: list[bytes] = []

    async def ask(peer: Peer) -> None:
        body = await peer.expect(SUBSCRIBE)
        peer.send(publish_v5("a", b"question"))
        answers.append(await peer.expect(PUBLISH))
        peer.send(suback_v5(body))

    async with ScriptedBroker([accept_v5(ask)]) as broker:
        link = link_to(broker.url)
        await link.subscribe("a", lambda _: link.publish(Publish("b", b"answer")))
        async with link:
            with pytest.raises(LinkDownError):
                link.publish(Publish("b", b"too early"))
            await link.connected(WITHIN_S)
    assert answers == [b"\0\x01b\0answer"]


async def test_a_connection_lost_while_subscribing() -> None:
    async def close(peer: Peer) -> None:
        await peer.expect(SUBSCRIBE)
        peer.writer.close()

    async with (
        ScriptedBroker([accept_v5(close), accept_v5(grant)]) as broker,
        link_to(broker.url) as link,
    ):
        await link.connected(WITHIN_S)
        await asyncio.wait_for(link.subscribe("a", Heard()), WITHIN_S)
        await link.connected(WITHIN_S)
        assert broker.connections == 2


# --- what is sent


async def test_nothing_is_sent_again_on_a_later_connection() -> None:
    sent: list[bytes] = []

    async def lose(peer: Peer) -> None:
        sent.append(await peer.expect(PUBLISH))
        peer.writer.close()

    async def note(peer: Peer) -> None:
        sent.append(await peer.expect(PUBLISH))

    async with (
        ScriptedBroker([accept_v5(lose), accept_v5(note)]) as broker,
        link_to(broker.url) as link,
    ):
        await link.connected(WITHIN_S)
        link.publish(Publish("door", b"open", 1))
        await until_state(link, LinkState.LOST)
        with pytest.raises(LinkDownError):
            link.publish(Publish("door", b"open", 1))
        await link.connected(WITHIN_S)
        link.publish(Publish("lamp", b"on"))
        await until(lambda: len(sent) == 2)
    assert b"door" in sent[0]
    assert b"lamp" in sent[1]


async def test_expiry_and_correlation_are_on_the_wire() -> None:
    sent: list[bytes] = []

    async def note(peer: Peer) -> None:
        sent.append(await peer.expect(PUBLISH))

    async with ScriptedBroker([accept_v5(note)]) as broker, link_to(broker.url) as link:
        await link.connected(WITHIN_S)
        link.publish(Publish("a", b"x", expiry_s=3, correlation=b"id"))
        await until(lambda: bool(sent))
    assert sent == [b"\0\x01a" + b"\x0a" + b"\x02\0\0\0\x03" + b"\x09\0\x02id" + b"x"]


async def test_a_message_that_is_too_large_is_not_sent(mosquitto_url: str) -> None:
    async with link_to(mosquitto_url) as link:
        await link.connected(WITHIN_S)
        with pytest.raises(ValueError, match="too large"):
            link.publish(Publish("a", bytes(256 * 1024 + 1)))
        assert link.state is LinkState.CONNECTED


async def test_a_broker_that_does_not_read_fills_the_queue() -> None:
    reading = asyncio.Event()

    async def read_later(peer: Peer) -> None:
        peer.writer.transport.pause_reading()
        await reading.wait()
        peer.writer.transport.resume_reading()

    async with (
        ScriptedBroker([accept_v5(read_later)]) as broker,
        link_to(broker.url, max_queued=10) as link,
    ):
        await link.connected(WITHIN_S)
        with pytest.raises(LinkFullError):
            fill(link)
        reading.set()
        await until(lambda: not link._connection._still_waiting())
        link.publish(Publish("a", b"there is room again"))


async def test_what_a_broker_does_not_take_in_time_is_never_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who hears a command late would obey it late: the connection ends with what waits in it."""
    monkeypatch.setattr(watch, "UNHEARD_MS", 300)
    reading = asyncio.Event()

    async def read_never(peer: Peer) -> None:
        peer.writer.transport.pause_reading()
        await reading.wait()

    async with (
        ScriptedBroker([accept_v5(read_never), accept_v5()]) as broker,
        link_to(broker.url) as link,
    ):
        await link.connected(WITHIN_S)
        fill(link, 100)
        await until_state(link, LinkState.LOST)
        await link.connected(WITHIN_S)
        assert not link._connection._still_waiting()
        reading.set()


def fill(link: MqttLink, messages: int = 1000) -> None:
    for _ in range(messages):
        link.publish(Publish("a", bytes(100_000)))


async def test_messages_that_nobody_acknowledges_fill_the_queue() -> None:
    # Leaving waits for them, but not for long.
    async with (
        ScriptedBroker([accept_v5()]) as broker,
        asyncio.timeout(3),
        link_to(broker.url, max_queued=5) as link,
    ):
        await link.connected(WITHIN_S)
        for _ in range(5):
            link.publish(Publish("a", b"", 1))
        with pytest.raises(LinkFullError):
            link.publish(Publish("a", b"", 1))


async def test_small_packets_are_not_held_back(mosquitto_url: str) -> None:
    async with link_to(mosquitto_url) as link:
        await link.connected(WITHIN_S)
        sock = link._connection._client.socket()
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


# --- what arrives


async def test_what_is_too_large_is_dropped_and_counted() -> None:
    async def send(peer: Peer) -> None:
        peer.send(publish_v4("a", bytes(256 * 1024 + 1)) + publish_v4("a", b"small"))
        # A topic that is no UTF-8.
        peer.send(b"\x30\x04\0\x02\xff\xfe" + publish_v4("a", b"last"))

    async def script(peer: Peer) -> None:
        await peer.expect(CONNECT)
        peer.send(ACCEPTED_V4)
        body = await peer.expect(SUBSCRIBE)
        peer.send(b"\x90\x03" + body[:2] + b"\0")
        await send(peer)
        await peer.until_gone()

    heard = Heard()
    async with ScriptedBroker([script]) as broker:
        link = link_to(broker.url, protocol="3.1.1")
        await link.subscribe("#", heard)
        async with link:
            await heard.until(2)
    assert heard.payloads == [b"small", b"last"]
    assert link.dropped == 2


async def test_a_description_of_a_megabyte_is_told_and_the_next_one_taken(
    mosquitto_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    heard = Heard()
    options = MqttOptions(url=mosquitto_url, client_id="large", max_payload_bytes=2_000_000)
    async with MqttLink(options) as sender, link_to(mosquitto_url) as link:
        await link.subscribe("large/#", heard)
        await sender.connected(5)
        await link.connected(5)
        sender.publish(Publish("large/description", bytes(1_000_000)))
        sender.publish(Publish("large/description", b"small"))
        await heard.until(1)
        assert link.protocol == "5"
        assert link.dropped == 1
    assert heard.payloads == [b"small"]
    assert "large/description: it has 1000000 bytes" in caplog.text


async def test_all_that_one_tls_record_holds_is_read(certificate: Certificate) -> None:
    count = 200  # more than one readiness event serves

    async def burst(peer: Peer) -> None:
        answer = suback_v5(await peer.expect(SUBSCRIBE))
        peer.send(answer + b"".join(publish_v5("a", b"%d" % n) for n in range(count)))

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.cert, certificate.key)
    heard = Heard()
    async with ScriptedBroker([accept_v5(burst)], tls=context) as broker:
        link = link_to(broker.url, ca_file=str(certificate.ca))
        await link.subscribe("a", heard)
        async with link:
            await heard.until(count)
    assert heard.payloads == [b"%d" % n for n in range(count)]


@pytest.mark.parametrize("seed", range(20))
async def test_a_broker_that_sends_garbage_is_left(seed: int) -> None:
    garbage = random.Random(seed).randbytes(200) * 50

    async def send(peer: Peer) -> None:
        peer.send(bytes([(seed % 15 + 1) << 4]) + garbage)
        peer.writer.write_eof()

    async with (
        ScriptedBroker([accept_v5(send), accept_v5()]) as broker,
        link_to(broker.url) as link,
    ):
        await until_state(link, LinkState.LOST)
        await link.connected(WITHIN_S)


async def test_answers_that_come_twice_are_counted_once() -> None:
    changes: list[LinkState] = []

    async def again(peer: Peer) -> None:
        peer.send(ACCEPTED_V5)
        peer.send(publish_v5("go", b""))
        await peer.expect(PUBLISH)
        peer.send(bytes.fromhex("e0018e") + bytes.fromhex("e0018e"))

    async with ScriptedBroker([accept_v5(grant, again), accept_v5(grant)]) as broker:
        link = link_to(broker.url)
        link.on_change(lambda change: changes.append(change.state))
        await link.subscribe("go", lambda _: link.publish(Publish("gone", b"")))
        async with link:
            await until_state(link, LinkState.LOST)
            assert "another client with the id 'me'" in link.reason
            gone = DisconnectFlags(is_disconnect_packet_from_server=False)
            link._connection._on_disconnect(None, None, gone, ReasonCode(14), None)
            await link.connected(WITHIN_S)
    assert changes == ["connecting", "connected", "lost", "connected", "closed"]


# --- coming back


async def test_pauses_grow_up_to_a_limit() -> None:
    pauses: list[float] = []
    enough = asyncio.Event()

    async def sleep(pause_s: float) -> None:
        pauses.append(pause_s)
        if len(pauses) == 9:
            enough.set()
            await asyncio.Event().wait()

    link = MqttLink(
        MqttOptions(url=f"mqtt://127.0.0.1:{free_port()}"),
        backoff=Backoff(draw=lambda: 1.0),
        sleep=sleep,
    )
    async with link:
        await asyncio.wait_for(enough.wait(), WITHIN_S)
    assert pauses == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


async def test_a_restarted_broker_and_what_the_log_says(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "devices.link")
    heard = Heard()
    with Mosquitto(tmp_path) as broker:
        async with link_to(broker.url) as link:
            await link.subscribe("a/#", heard)
            await link.connected(WITHIN_S)
            broker.stop()
            await until_state(link, LinkState.LOST)
            with pytest.raises(LinkDownError, match="cannot reach the broker"):
                await link.connected(0.1)
            broker.start()
            await link.connected(WITHIN_S)
            link.publish(Publish("a/b", b"1"))
            await heard.until(1)
    levels = [r.levelname for r in caplog.records if r.name == "devices.link.reconnect"]
    assert levels[:2] == ["INFO", "WARNING"]
    assert set(levels[2:-1]) == {"DEBUG"}
    assert levels[-1] == "INFO"


async def test_a_broker_that_stops_answering_is_noticed() -> None:
    async with ScriptedBroker([accept_v5()]) as broker, link_to(broker.url, keepalive_s=1) as link:
        await link.connected(WITHIN_S)
        await until_state(link, LinkState.LOST)
        assert "does not answer any more" in link.reason


async def test_a_broker_that_never_greets() -> None:
    async def mute(peer: Peer) -> None:
        await peer.until_gone()

    async with (
        ScriptedBroker([mute]) as broker,
        link_to(broker.url, connect_timeout_s=0.05) as link,
    ):
        await until_state(link, LinkState.LOST)
        assert "does not answer" in link.reason


async def test_leaving_while_connecting_does_not_wait() -> None:
    async def mute(peer: Peer) -> None:
        await peer.until_gone()

    async with ScriptedBroker([mute]) as broker:
        for pause_s in (0.0, 0.001, 0.02):
            async with asyncio.timeout(1), link_to(broker.url):
                await asyncio.sleep(pause_s)


# --- ways to the broker


async def test_a_certificate_of_an_unknown_authority(
    mosquitto_tls: Mosquitto, tmp_path: Path
) -> None:
    async with link_to(mosquitto_tls.url) as link:
        await until_state(link, LinkState.LOST)
        assert "certificate is not valid" in link.reason


async def test_a_certificate_of_another_host(
    mosquitto_tls: Mosquitto, certificate: Certificate
) -> None:
    url = mosquitto_tls.url.replace("localhost", "127.0.0.1")
    async with link_to(url, ca_file=str(certificate.ca)) as link:
        await until_state(link, LinkState.LOST)
        assert "certificate is not valid" in link.reason


async def test_a_tls_file_that_is_not_there(mosquitto_tls: Mosquitto) -> None:
    async with link_to(mosquitto_tls.url, ca_file="/nowhere/ca.pem") as link:
        with pytest.raises(LinkRefusedError, match="TLS"):
            await link.connected(WITHIN_S)


def client_key_made_secret(certificate: Certificate, folder: Path) -> Path:
    """The same key behind a pass phrase."""
    locked = folder / "locked.pem"
    program = shutil.which("openssl") or ""
    words = [program, "ec", "-in", str(certificate.key), "-aes256", "-passout", "pass:abcd"]
    subprocess.run([*words, "-out", str(locked)], check=True, capture_output=True)
    return locked


async def test_a_broker_that_asks_for_our_certificate(
    tmp_path: Path, certificate: Certificate
) -> None:
    ours = make_certificate(tmp_path / "ours", host="gateway")
    strangers = make_certificate(tmp_path / "strangers", host="gateway")
    locked = client_key_made_secret(ours, tmp_path)
    extra = f"cafile {ours.ca}\nrequire_certificate true\nuse_identity_as_username true"
    with Mosquitto(tmp_path, cert=certificate.cert, key=certificate.key, extra=extra) as broker:

        def link(**shown: Path) -> MqttLink:
            files = {name: str(path) for name, path in shown.items()}
            return link_to(broker.url, ca_file=str(certificate.ca), **files)

        async with link(cert_file=ours.cert, key_file=ours.key) as good:
            await good.connected(WITHIN_S)
        for files in ({}, {"cert_file": strangers.cert, "key_file": strangers.key}):
            async with link(**files) as bad:
                await until_state(bad, LinkState.LOST)
                assert "check cert_file" in bad.reason
        for key in (strangers.key, locked, tmp_path / "nowhere"):
            async with link(cert_file=ours.cert, key_file=key) as bad:
                with pytest.raises(LinkRefusedError, match=r"cert_file .* or its key_file"):
                    await bad.connected(WITHIN_S)


async def test_a_certificate_that_has_expired(tmp_path: Path) -> None:
    old = make_certificate(tmp_path / "old", expired=True)
    with Mosquitto(tmp_path, cert=old.cert, key=old.key) as broker:
        async with link_to(broker.url, ca_file=str(old.ca)) as link:
            await until_state(link, LinkState.LOST)
            assert "certificate has expired" in link.reason


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
async def test_a_broker_that_knows_only_old_tls(certificate: Certificate) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.cert, certificate.key)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    async with (
        ScriptedBroker([accept_v5()], tls=context) as broker,
        link_to(broker.url, ca_file=str(certificate.ca)) as link,
    ):
        await until_state(link, LinkState.LOST)
        assert "TLS failed" in link.reason


async def test_over_a_websocket(embedded_broker: EmbeddedBroker) -> None:
    heard = Heard()
    payloads = [bytes([n]) * (n * 1000 + 1) for n in range(20)]
    async with websocket_to(embedded_broker) as url, link_to(url) as link:
        await link.connected(WITHIN_S)
        await link.subscribe("ws/#", heard)
        for payload in payloads:
            link.publish(Publish("ws/a", payload))
        await heard.until(len(payloads))
    assert heard.payloads == payloads
