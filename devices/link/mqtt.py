"""MQTT over paho, driven by the asyncio loop: no thread but for the moment of connecting.

The only module that knows paho. Linux and macOS: the loop must offer `add_reader`.
One paho client serves one connection, so nothing it still holds can be sent late.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, cast

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from devices.contract.errors import LinkDownError, LinkFullError
from devices.link.arrivals import plain
from devices.link.backoff import Backoff
from devices.link.base import Message, Publish
from devices.link.delivery import Delivery
from devices.link.filters import Wanted, check_topic, in_groups
from devices.link.options import MqttOptions
from devices.link.properties import publish_properties
from devices.link.reasons import TAKEN_OVER, farewell, judge, why
from devices.link.reconnect import Connection, End, ReconnectingLink, Sleep, Verdict
from devices.link.versions import VersionChoice
from devices.link.watch import SocketWatch

__all__ = ["MqttLink", "MqttOptions"]

log = logging.getLogger(__name__)

_MISC_EVERY_S = 1.0
# One readiness event serves at most this many packets, so that a flood leaves room for others.
_PACKETS_PER_EVENT = 32
# What a broker may send at all. Well above the largest payload that is handed on: a message
# that the broker holds back could not be told to anybody.
_MAX_PACKET_BYTES = 4 * 1024 * 1024
_HEADROOM_BYTES = 70_000  # topic and properties beside the largest payload


class MqttLink(ReconnectingLink):
    """Implements devices.link.base.Link over one MQTT broker; see MqttOptions.

    `backoff` and `sleep` say how it pauses between attempts.
    """

    def __init__(
        self,
        options: MqttOptions,
        *,
        backoff: Backoff | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._mqtt = MqttDialer(options)
        super().__init__(self._mqtt, name=options.client_id, backoff=backoff, sleep=sleep)

    @property
    def protocol(self) -> str:
        """The MQTT version in use, or tried next: "5" or "3.1.1"."""
        return self._mqtt.version

    @property
    def dropped(self) -> int:
        """Messages that arrived but were too large, or whose topic was no text."""
        return self._delivery.dropped


class MqttDialer:
    """Makes MQTT connections, of the version that works."""

    def __init__(self, options: MqttOptions) -> None:
        self._options = options
        self._versions = VersionChoice(options.protocol)

    def __str__(self) -> str:
        return f"{self._options.address} (MQTT {self.version})"

    @property
    def version(self) -> str:
        """The version of the next connection, or of the one that stands."""
        return self._versions.version

    def dial(self, delivery: Delivery) -> Connection:
        """A fresh connection. Raises OSError when a TLS file cannot be used."""
        return MqttConnection(self._options, self.version, delivery)

    def learn(self, end: End) -> bool:
        """See VersionChoice."""
        return self._versions.learn(end.verdict)


class MqttConnection:
    """One paho client on the running loop, from CONNECT to its end.

    paho's callbacks only take notes; handlers run after paho returned, so that they may
    publish and subscribe. Everything but `_connect` runs on the loop.
    """

    def __init__(self, options: MqttOptions, version: str, delivery: Delivery) -> None:
        self._options = options
        self._v5 = version == "5"
        self._tls = options.address.tls
        self._delivery = delivery
        self._loop = asyncio.get_running_loop()
        self._client = _client(options, self._on_plain, v5=self._v5)
        self._watch: SocketWatch | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._shut = False
        self._numbered = False
        self._heard = 0  # messages
        self._inbox: list[tuple[Message, Sequence[int]]] = []
        self._waiting: deque[MQTTMessageInfo] = deque()
        self._drained: asyncio.Future[None] | None = None
        self._accepted: asyncio.Future[None] = self._loop.create_future()
        self._end: asyncio.Future[End] = self._loop.create_future()
        self._answers: dict[int, asyncio.Future[list[str]]] = {}

    async def open(self) -> End | None:
        """Connect and wait for the broker's answer; see Connection."""
        try:
            await self._loop.run_in_executor(None, self._connect)
        except (OSError, ValueError) as error:
            self._finish(Verdict.UNREACHABLE, f"cannot reach {self._where}: {why(error)}")
        else:
            self._attach()
            if not await self._one_of(self._accepted, self._options.connect_timeout_s):
                self._finish(Verdict.SILENT, f"{self._where} does not answer")
        return self._end.result() if self._end.done() else None

    async def ended(self) -> End:
        """Wait for the end."""
        return await asyncio.shield(self._end)

    def publish(self, message: Publish) -> None:
        """Write now; what the socket does not take waits, at most `max_queued` messages."""
        if self._shut:
            raise LinkDownError(f"no connection to {self._where}")
        check_topic(message.topic)
        if len(message.payload) > self._options.max_payload_bytes:
            raise ValueError(f"a payload of {len(message.payload)} bytes is too large")
        if self._waiting and self._still_waiting() >= self._options.max_queued:
            raise LinkFullError(f"{len(self._waiting)} messages wait for {self._where}")
        info = self._client.publish(
            message.topic,
            message.payload,
            message.qos,
            message.retain,
            self._properties(message),
        )
        if info.rc:
            self._raise_for(info.rc)
        blocked = self._client.want_write()
        if blocked or message.qos:
            self._waiting.append(info)
        if blocked and self._watch is not None:
            self._watch.writes(wanted=True)

    async def subscribe(self, wanted: Sequence[Wanted]) -> dict[str, str] | None:
        """Ask, and wait for the answers; a broker that is silent has lost us."""
        denied: dict[str, str] = {}
        for group in in_groups(wanted):
            answers = await self._subscribe(group)
            if answers is None:
                return None
            denied |= {one.topic_filter: no for one, no in zip(group, answers, strict=False) if no}
        return denied

    def unsubscribe(self, topic_filter: str) -> None:
        """Ask for no more of it."""
        if not self._shut:
            self._client.unsubscribe(topic_filter)
            self._after_io()

    async def close(self, flush_s: float) -> None:
        """Flush and say goodbye, so that the will is not published."""
        try:
            if self._accepted.done() and not self._shut:
                await self._flush(flush_s)
        finally:
            if self._accepted.done() and not self._shut:
                self._client.disconnect()
            self._finish(Verdict.LOST, "closed by us")

    @property
    def _where(self) -> str:
        return f"the broker at {self._options.address}"

    @property
    def _perhaps(self) -> str:
        """Why a broker may hang up on us without a word: TLS 1.3 has none for it."""
        if not self._tls:
            return ""
        ours = "does not take our certificate" if self._options.cert_file else "wants one of ours"
        return f" (perhaps it {ours}: check cert_file)"

    def _connect(self) -> None:
        """In a thread of the executor: resolve, connect, shake hands, send CONNECT."""
        address = self._options.address
        if self._v5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.MaximumPacketSize = max(
                _MAX_PACKET_BYTES, self._options.max_payload_bytes + _HEADROOM_BYTES
            )
            self._client.connect(
                address.host,
                address.port,
                self._options.keepalive_s,
                clean_start=True,
                properties=properties,
            )
        else:
            self._client.connect(address.host, address.port, self._options.keepalive_s)
        if self._shut:  # left while we were on the way
            self._close_socket()

    def _attach(self) -> None:
        """Hand the socket to the loop. No callback was set before: none ran in the thread."""
        client, sock = self._client, self._client.socket()
        if sock is None:
            self._finish(Verdict.SILENT, f"{self._where} closed at once{self._perhaps}")
            return
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        self._watch = SocketWatch(sock.fileno(), readable=self._readable, writable=self._writable)
        self._timer = self._loop.call_later(_MISC_EVERY_S, self._tick)
        self._after_io()

    def _readable(self) -> None:
        for _ in range(_PACKETS_PER_EVENT):
            self._guarded(self._client.loop_read)
            if self._inbox:
                self._deliver()
            if self._watch is not None:
                self._watch.acknowledge()
            if self._watch is None or not (self._watch.waiting() or self._decrypted()):
                break
        else:
            if self._decrypted():
                self._loop.call_soon(self._readable)
        self._after_io()

    def _decrypted(self) -> int:
        """Bytes that TLS holds already, and that no readiness event will announce."""
        if not self._tls:
            return 0
        sock = cast("Any", self._client.socket())
        return int(sock.pending()) if sock is not None else 0

    def _deliver(self) -> None:
        inbox, self._inbox = self._inbox, []
        for message, numbers in inbox:
            self._delivery.deliver(message, numbers)

    def _writable(self) -> None:
        self._guarded(self._client.loop_write)
        self._after_io()

    def _tick(self) -> None:
        """Once a second: paho pings, and ends a connection whose pings stay unanswered."""
        self._timer = self._loop.call_later(_MISC_EVERY_S, self._tick)
        self._guarded(self._client.loop_misc)
        self._after_io()

    def _guarded(self, step: Callable[[], object]) -> None:
        try:
            step()
        except Exception as error:  # bytes from outside broke paho's parser
            log.debug("paho failed", exc_info=error)
            self._finish(Verdict.LOST, f"{self._where} sent what is no MQTT")
        if self._client.socket() is None:
            self._finish(Verdict.LOST, f"{self._where} is gone")

    def _after_io(self) -> None:
        """Keep the loop's interest in writing in step with paho, and a flush informed."""
        if self._shut:
            return
        if self._watch is not None:
            self._watch.writes(self._client.want_write())
        if self._drained is not None and not self._drained.done() and not self._still_waiting():
            self._drained.set_result(None)

    def _still_waiting(self) -> int:
        waiting = self._waiting
        while waiting and waiting[0].is_published():
            waiting.popleft()
        return len(waiting)

    async def _flush(self, flush_s: float) -> None:
        if self._still_waiting():
            self._drained = self._loop.create_future()
            await self._one_of(self._drained, flush_s)

    async def _subscribe(self, group: Sequence[Wanted]) -> list[str] | None:
        """Ask for a group in one go. Each denial, or ""; None when the connection ended."""
        # A packet has room for one number only.
        packets = [[one] for one in group] if self._numbered else [group]
        heard = self._heard
        mids = [self._ask(packet) for packet in packets]
        denials: list[str] = []
        for mid, packet in zip(mids, packets, strict=True):
            answer = None if mid is None else await self._answered(mid)
            if answer is None and not self._shut:
                answer = self._unanswered(packet, silent=heard == self._heard)
            if answer is None:
                return None
            denials += answer
        return denials

    def _ask(self, packet: Sequence[Wanted]) -> int | None:
        """Send one SUBSCRIBE. Its packet id; None when the connection ended."""
        if self._shut:
            return None
        properties = None
        if self._numbered:
            properties = Properties(PacketTypes.SUBSCRIBE)  # type: ignore[no-untyped-call]
            properties.SubscriptionIdentifier = packet[0].number
        filters = [(one.topic_filter, one.qos) for one in packet]
        _, mid = self._client.subscribe(filters, properties=properties)
        self._after_io()
        return mid

    async def _answered(self, mid: int) -> list[str] | None:
        """The answer to one SUBSCRIBE; None when the connection or the time ended."""
        answer = self._answer(mid)
        try:
            await self._one_of(answer, self._options.subscribe_timeout_s)
            return answer.result() if answer.done() else None
        finally:
            self._answers.pop(mid, None)

    def _unanswered(self, packet: Sequence[Wanted], *, silent: bool) -> list[str] | None:
        """The answer did not come in time: as if granted, unless the broker was `silent`.

        A broker whose queue for us is full of retained messages drops even this answer.
        Leaving it would bring the same flood again, without end.
        """
        if silent:
            self._finish(Verdict.LOST, f"{self._where} does not answer a subscription")
            return None
        names = ", ".join(one.topic_filter[:60] for one in packet[:3])
        log.warning(
            "%s does not confirm %s; it may drop messages (mosquitto: raise max_queued_messages)",
            self._where,
            names,
        )
        return [""] * len(packet)

    def _answer(self, mid: int) -> asyncio.Future[list[str]]:
        """The answer to one SUBSCRIBE: whoever comes first, we or the broker, makes it."""
        return self._answers.setdefault(mid, self._loop.create_future())

    async def _one_of(self, wanted: asyncio.Future[Any], timeout_s: float) -> bool:
        """Wait for `wanted` or the end. False when neither came in time."""
        done, _ = await asyncio.wait(
            {wanted, self._end}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED
        )
        return bool(done)

    def _properties(self, message: Publish) -> Properties | None:
        # paho only packs them.
        return cast("Properties | None", publish_properties(message)) if self._v5 else None

    def _raise_for(self, rc: int) -> None:
        if rc == MQTTErrorCode.MQTT_ERR_QUEUE_SIZE:
            raise LinkFullError(f"too many messages wait for {self._where}")
        raise LinkDownError(f"the connection to {self._where} broke while sending")

    def _on_connect(
        self, _c: Client, _u: object, _f: ConnectFlags, code: ReasonCode, told: Properties | None
    ) -> None:
        if self._accepted.done() or self._shut:
            return
        if code.value == 0:
            self._numbered = self._v5 and getattr(told, "SubscriptionIdentifierAvailable", 1) == 1
            self._accepted.set_result(None)
        else:
            self._finish(judge(code.value), f"{self._where} refuses us: {_lower(code)}")

    def _on_disconnect(
        self,
        _c: Client,
        _u: object,
        flags: DisconnectFlags,
        code: ReasonCode,
        _p: Properties | None,
    ) -> None:
        if not self._accepted.done():
            how = f"closed before it had answered{self._perhaps}"
            self._finish(Verdict.SILENT, f"{self._where} {how}")
        elif code.value == TAKEN_OVER:
            name = self._options.client_id
            self._finish(Verdict.LOST, f"another client with the id {name!r} took our place")
        else:
            from_broker = flags.is_disconnect_packet_from_server
            how = farewell(code.value, _lower(code), from_broker=from_broker)
            self._finish(Verdict.LOST, f"{self._where} {how}")

    def _on_subscribe(
        self, _c: Client, _u: object, mid: int, codes: list[ReasonCode], _p: Properties | None
    ) -> None:
        answer = self._answer(mid)
        if not answer.done():
            answer.set_result([_lower(code) if code.is_failure else "" for code in codes])

    def _on_message(self, _c: Client, _u: object, message: MQTTMessage) -> None:
        self._heard += 1
        payload = message.payload
        try:
            topic = message.topic
        except UnicodeDecodeError:
            self._delivery.dropped += 1
            return
        limit_bytes = self._options.max_payload_bytes
        if len(payload) > limit_bytes:
            self._delivery.too_large(topic, len(payload), limit_bytes)
            return
        numbers = getattr(message.properties, "SubscriptionIdentifier", ()) if self._v5 else ()
        told = tuple(getattr(message.properties, "UserProperty", ())) if self._v5 else ()
        arrived = Message(topic, bytes(payload), message.retain, message.qos, told)
        self._inbox.append((arrived, numbers))

    def _on_plain(self, message: Message, numbers: Sequence[int]) -> None:
        self._heard += 1
        limit_bytes = self._options.max_payload_bytes
        if len(message.payload) > limit_bytes:
            self._delivery.too_large(message.topic, len(message.payload), limit_bytes)
        else:
            self._inbox.append((message, numbers))

    def _finish(self, verdict: Verdict, reason: str) -> None:
        """Come to the end, once: off the loop and closed, without a goodbye."""
        if self._shut:
            return
        self._shut = True
        if self._timer is not None:
            self._timer.cancel()
        if self._watch is not None:
            self._watch.close()
            self._watch = None
        self._close_socket()
        self._end.set_result(End(verdict, reason))

    def _close_socket(self) -> None:
        sock = self._client.socket()
        if sock is not None:
            sock.close()


class _Client(Client):
    """paho, but messages of the plainest form go to `on_plain`, past paho's own parser.

    A paho without this step of its own never asks; messages then take its way.
    """

    on_plain: Callable[[Message, Sequence[int]], None]

    def _handle_publish(self) -> MQTTErrorCode:
        packet = self._in_packet
        read = plain(
            packet["command"], packet["packet"], v5=self.protocol == MQTTProtocolVersion.MQTTv5
        )
        if read is None:
            return super()._handle_publish()
        self.on_plain(*read)
        return MQTTErrorCode.MQTT_ERR_SUCCESS


def _client(
    options: MqttOptions, on_plain: Callable[[Message, Sequence[int]], None], *, v5: bool
) -> Client:
    """A fresh paho client that never reconnects by itself. Raises OSError for TLS files."""
    client = _Client(
        CallbackAPIVersion.VERSION2,
        options.client_id,
        protocol=MQTTProtocolVersion.MQTTv5 if v5 else MQTTProtocolVersion.MQTTv311,
        transport="tcp" if options.address.path is None else "websockets",
        reconnect_on_failure=False,
    )
    client.on_plain = on_plain
    client.connect_timeout = options.connect_timeout_s
    if options.address.path is not None:
        client.ws_set_options(options.address.path)
    context = options.tls_context()
    if context is not None:
        client.tls_set_context(context)
    if options.username:
        client.username_pw_set(options.username, options.password or None)
    if options.will is not None:
        will = options.will
        client.will_set(will.topic, will.payload, will.qos, will.retain)
    return client


def _lower(code: ReasonCode) -> str:
    return code.getName().lower()
