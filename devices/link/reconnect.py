"""A link that keeps itself up: one connection object per attempt, pauses between attempts.

It knows no protocol; a Dialer makes the connections. Nothing but the subscriptions crosses
from one connection to the next: a message is sent now or not at all.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from types import TracebackType
from typing import Protocol, Self

from devices.contract.errors import LinkDownError, LinkRefusedError
from devices.link.backoff import Backoff
from devices.link.base import Handler, LinkState, Publish, Unsubscribe
from devices.link.delivery import Delivery
from devices.link.filters import FilterTable, Subscription, Wanted
from devices.link.hidden import HiddenTopics, is_hidden
from devices.link.status import LinkStatus, Listener

log = logging.getLogger(__name__)

# A connection that stood this long was a good one: the pauses start from the least again.
# Shorter ones count as failures, so that two clients with one id do not fight at full speed.
_STEADY_S = 5.0
_FLUSH_S = 1.0

Sleep = Callable[[float], Awaitable[object]]


class Verdict(Enum):
    """Why a connection ended, by what follows from it."""

    UNREACHABLE = auto()
    """nothing was heard: no address, no route, no port, no TLS"""
    SILENT = auto()
    """the broker closed, or said nothing, before it had answered"""
    VERSION = auto()
    """the broker does not speak this version of the protocol"""
    REFUSED = auto()
    """the broker refuses this client; trying again cannot help"""
    LOST = auto()
    """the connection stood, or may stand soon"""


@dataclass(frozen=True, slots=True)
class End:
    """How a connection ended. `reason` is one sentence without secrets."""

    verdict: Verdict
    reason: str


class Connection(Protocol):
    """One connection, used once."""

    async def open(self) -> End | None:
        """Connect. None when the broker accepted us, else how it ended."""

    async def ended(self) -> End:
        """Wait for the end."""

    def publish(self, message: Publish) -> None:
        """Send now. Raises LinkDownError, LinkFullError, ValueError."""

    async def subscribe(self, wanted: Sequence[Wanted]) -> Mapping[str, str] | None:
        """The filters that the broker denies, and why; None when the connection ended."""

    def unsubscribe(self, topic_filter: str) -> None:
        """Ask for no more; nobody waits for the answer."""

    async def close(self, flush_s: float) -> None:
        """Send what waits, at most `flush_s` long, then leave cleanly."""


class Dialer(Protocol):
    """Makes connections, and learns from how they end."""

    def dial(self, delivery: Delivery) -> Connection:
        """A fresh connection that hands its messages to `delivery`. Raises OSError."""

    def learn(self, end: End) -> bool:
        """True when another way to connect is worth trying at once."""

    def __str__(self) -> str:
        """The broker, for a log line."""


class ReconnectingLink:
    """Implements devices.link.base.Link over the connections of a Dialer.

    | resource                 | acquired   | released                              |
    |--------------------------|------------|---------------------------------------|
    | the task `link CLIENT`   | __aenter__ | __aexit__, or when the broker refuses |
    | one connection           | that task  | when it ends, or __aexit__            |
    """

    def __init__(
        self,
        dialer: Dialer,
        *,
        name: str,
        backoff: Backoff | None = None,
        sleep: Sleep = asyncio.sleep,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._dialer = dialer
        self._name = name
        self._backoff = backoff or Backoff()
        self._sleep = sleep
        self._now_s = now_s
        self._status = LinkStatus()
        self._table = FilterTable()
        self._delivery = Delivery(self._table)
        self._hidden = HiddenTopics()
        self._connection: Connection | None = None  # from the attempt to its end
        self._accepted: Connection | None = None  # once the broker accepted us
        self._live: Connection | None = None  # once the subscriptions stand
        self._task: asyncio.Task[None] | None = None
        self._failures = 0

    @property
    def state(self) -> LinkState:
        """Where the link stands now."""
        return self._status.state

    @property
    def reason(self) -> str:
        """Why it stands there, in one sentence; "" when there is nothing to say."""
        return self._status.reason

    async def __aenter__(self) -> Self:
        self._status.turn(LinkState.CONNECTING)
        self._task = asyncio.create_task(self._run(), name=f"link {self._name}")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        connection, self._connection = self._connection, None
        self._accepted = self._live = None
        try:
            if connection is not None:
                await connection.close(_FLUSH_S)
        finally:
            self._status.turn(LinkState.CLOSED)

    async def connected(self, timeout_s: float | None = None) -> None:
        """Return once connected; see Link."""
        await self._status.connected(timeout_s)

    def on_change(self, listener: Listener) -> Unsubscribe:
        """Call `listener` at each change of state."""
        return self._status.on_change(listener)

    def publish(self, message: Publish) -> None:
        """Send now; see Link. Raises ValueError for a topic or payload that cannot be sent.

        A handler may answer what it is given already while the subscriptions are asked for;
        everybody else waits until all of them stand.
        """
        connection = self._live or (self._accepted if self._delivery.busy else None)
        if connection is None:
            raise LinkDownError(f"no connection to the broker at {self._dialer}")
        connection.publish(message)

    async def subscribe(self, topic_filter: str, handler: Handler, *, qos: int = 0) -> Unsubscribe:
        """Call `handler` for each matching message from now on; see Link.

        Each call asks the broker again, so that each handler gets what is retained; handlers that
        were there before get it once more.
        """
        entry = self._table.add(topic_filter, handler, qos)
        if self._accepted is not None:
            try:
                await self._ask(self._accepted, topic_filter)
            except BaseException:
                self._table.remove(entry)
                raise
        return lambda: self._unsubscribe(entry)

    async def _ask(self, connection: Connection, topic_filter: str) -> None:
        denied = await self._subscribe(connection, [self._table.want(topic_filter)])
        if denied:
            why = denied[topic_filter]
            raise LinkRefusedError(f"the broker denies {topic_filter[:120]!r}: {why}")

    async def _subscribe(
        self, connection: Connection, wanted: Sequence[Wanted]
    ) -> Mapping[str, str] | None:
        """Ask for all of `wanted`, hidden topics last; see Connection.subscribe."""
        denied = await connection.subscribe([w for w in wanted if not is_hidden(w.topic_filter)])
        hidden = [w for w in wanted if is_hidden(w.topic_filter)]
        if denied is None or not hidden or not self._hidden.allowed:
            return denied
        self._hidden.ask()
        more = await connection.subscribe(hidden)
        if more is None:
            return None
        self._hidden.answered()
        return {**denied, **more}

    def _unsubscribe(self, entry: Subscription) -> None:
        if self._table.remove(entry) and self._accepted is not None:
            self._accepted.unsubscribe(entry.topic_filter)

    async def _run(self) -> None:
        try:
            await self._keep_up()
        except Exception:
            log.exception("the link to %s failed", self._dialer)
            self._status.turn(LinkState.REFUSED, "the link failed; the log says why")

    async def _keep_up(self) -> None:
        attempt = 0
        while True:
            start_s = self._now_s()
            end = await self._once()
            if self._dialer.learn(end) or self._over_hidden_topics(end):
                continue
            if end.verdict in {Verdict.REFUSED, Verdict.VERSION}:
                self._give_up(end)
                return
            self._report_loss(end)
            if self._now_s() - start_s >= _STEADY_S:
                self._hidden.forgive()
                attempt = 0
            await self._sleep(self._backoff.pause_s(attempt))
            attempt += 1

    async def _once(self) -> End:
        """Make one connection and serve it until it ends."""
        try:
            connection = self._connection = self._dialer.dial(self._delivery)
        except OSError as error:
            return End(Verdict.REFUSED, f"TLS cannot be set up: {error.strerror or error}")
        try:
            end = await connection.open()
            return end or await self._serve(connection)
        finally:
            self._accepted = self._live = None

    async def _serve(self, connection: Connection) -> End:
        self._accepted = connection
        denied = await self._subscribe(connection, self._table.wanted())
        if denied is not None:
            for topic_filter, why in denied.items():
                log.warning("the broker denies %r: %s", topic_filter[:120], why)
            self._live = connection
            self._report_connected()
        return await connection.ended()

    def _over_hidden_topics(self, end: End) -> bool:
        """Whether the broker hung up on a question that it is not asked again."""
        if not self._hidden.hung_up():
            return False
        log.info("%s does not give topics that begin with $; going on without", self._dialer)
        if self._status.state is LinkState.CONNECTED:
            self._status.turn(LinkState.LOST, end.reason)
        return True

    def _report_connected(self) -> None:
        again = f" again after {self._failures} failures" if self._failures else ""
        log.info("connected to %s%s", self._dialer, again)
        self._failures = 0
        self._status.turn(LinkState.CONNECTED)

    def _report_loss(self, end: End) -> None:
        level = logging.DEBUG if self._failures else logging.WARNING
        self._failures += 1
        log.log(level, "%s; trying again", end.reason)
        self._status.turn(LinkState.LOST, end.reason)

    def _give_up(self, end: End) -> None:
        log.error("%s; not trying again", end.reason)
        self._status.turn(LinkState.REFUSED, end.reason)
