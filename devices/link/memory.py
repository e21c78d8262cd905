"""A broker in the same process, and links to it: for tests, and for a gateway without a network.

It behaves as MQTT does where a client can see it, but never loses, repeats or reorders.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from devices.contract.errors import LinkDownError
from devices.link.base import Message, Publish
from devices.link.delivery import Delivery
from devices.link.filters import Wanted, check_topic, matches
from devices.link.reconnect import Connection, End, ReconnectingLink, Verdict

_TURN_S = 0.001


class MemoryBroker:
    """Keeps retained messages and hands each message to the sessions that want it.

    QoS and expiry are ignored: a message arrives at once and once. Every subscriber gets its own
    message, through the event loop, so that publishing never calls a handler. A session with
    several matching filters gets one copy.
    """

    def __init__(self) -> None:
        self.retained: dict[str, bytes] = {}
        self._up = asyncio.Event()
        self._up.set()
        self._sessions: dict[str, _Session] = {}
        self._refused: dict[str, str] = {}

    @property
    def clients(self) -> list[str]:
        """The ids of who is connected."""
        return list(self._sessions)

    def publish(self, message: Publish) -> None:
        """Publish as no client in particular. Raises ValueError for a topic with a wildcard."""
        topic, payload = check_topic(message.topic), bytes(message.payload)
        if message.retain:
            self.retained.pop(topic, None)
            if payload:
                self.retained[topic] = payload
        for session in tuple(self._sessions.values()):
            if session.wants(topic):
                told = message.user_properties
                session.take(Message(topic, payload, user_properties=told))

    def cut(self, client_id: str) -> None:
        """Break a client's connection: its will is published, and its link connects again."""
        self._sessions[client_id].end("the connection was cut", will=True)

    def stop(self) -> None:
        """Break every connection and accept none until `start`. Retained messages stay."""
        self._up.clear()
        for session in tuple(self._sessions.values()):
            session.end("the broker stopped", will=False)

    def start(self) -> None:
        """Accept connections again."""
        self._up.set()

    async def ready(self) -> None:
        """Return once it accepts connections."""
        await self._up.wait()

    def refuse(self, client_id: str, reason: str) -> None:
        """Refuse a client from now on, as for a wrong password."""
        self._refused[client_id] = reason
        if client_id in self._sessions:
            self.cut(client_id)

    def admit(self, session: _Session) -> End | None:
        """Let a session in. None, or why not. One with the same client id has to go."""
        if not self._up.is_set():
            return End(Verdict.UNREACHABLE, "the broker is stopped")
        if session.client_id in self._refused:
            return End(Verdict.REFUSED, self._refused[session.client_id])
        if session.client_id in self._sessions:
            self._sessions[session.client_id].end("another client took our place", will=True)
        self._sessions[session.client_id] = session
        return None

    def forget(self, session: _Session) -> None:
        """A session has ended."""
        if self._sessions.get(session.client_id) is session:
            del self._sessions[session.client_id]


class MemoryLink(ReconnectingLink):
    """Implements devices.link.base.Link over a MemoryBroker.

    It comes back as soon as the broker lets it.
    """

    def __init__(
        self, broker: MemoryBroker, client_id: str, *, will: Publish | None = None
    ) -> None:
        self.client_id = client_id
        self._broker = broker
        super().__init__(
            _MemoryDialer(broker, client_id, will), name=client_id, sleep=self._until_ready
        )

    async def _until_ready(self, _pause_s: float) -> None:
        await self._broker.ready()
        # Two links with one client id take turns; the loop must have room for others.
        await asyncio.sleep(_TURN_S)


class _MemoryDialer:
    def __init__(self, broker: MemoryBroker, client_id: str, will: Publish | None) -> None:
        self._broker = broker
        self._client_id = client_id
        self._will = will

    def __str__(self) -> str:
        return "the broker in memory"

    def dial(self, delivery: Delivery) -> Connection:
        return _Session(self._broker, self._client_id, self._will, delivery)

    def learn(self, _end: End) -> bool:
        return False


class _Session:
    """One connection of one client, used once."""

    def __init__(
        self, broker: MemoryBroker, client_id: str, will: Publish | None, delivery: Delivery
    ) -> None:
        self.client_id = client_id
        self._broker = broker
        self._will = will
        self._delivery = delivery
        self._filters: set[str] = set()
        self._loop = asyncio.get_running_loop()
        self._end: asyncio.Future[End] = self._loop.create_future()

    async def open(self) -> End | None:
        return self._broker.admit(self)

    async def ended(self) -> End:
        return await asyncio.shield(self._end)

    def publish(self, message: Publish) -> None:
        if self._end.done():
            raise LinkDownError("no connection to the broker in memory")
        self._broker.publish(message)

    async def subscribe(self, wanted: Sequence[Wanted]) -> dict[str, str] | None:
        for topic_filter, _qos, _number in wanted:
            self._filters.add(topic_filter)
            for topic, payload in self._broker.retained.items():
                if matches(topic_filter, topic):
                    self.take(Message(topic, payload, retained=True))
        return {}

    def unsubscribe(self, topic_filter: str) -> None:
        self._filters.discard(topic_filter)

    async def close(self, flush_s: float) -> None:  # noqa: ARG002 -- nothing ever waits here
        self.end("closed by us", will=False)

    def wants(self, topic: str) -> bool:
        return any(matches(topic_filter, topic) for topic_filter in self._filters)

    def take(self, message: Message) -> None:
        self._loop.call_soon(self._hand_over, message)

    def end(self, reason: str, *, will: bool) -> None:
        if self._end.done():
            return
        self._end.set_result(End(Verdict.LOST, reason))
        self._broker.forget(self)
        if will and self._will is not None:
            self._broker.publish(self._will)

    def _hand_over(self, message: Message) -> None:
        if not self._end.done():
            self._delivery.deliver(message)
