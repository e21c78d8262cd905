"""The session: connect, hold on, connect again, until it is told to stop.

It carries calls to a handler and outcomes back; it knows no tool, and asks a dialect's
capabilities instead of its name. The order in which things end is written in `drain`.
"""

from __future__ import annotations

import asyncio
import logging
import random as system_random
from collections.abc import Callable

from gateway.bus import Bus
from gateway.clock import Clock
from gateway.errors import FatalError, OperatorError, SessionError, TransientError
from gateway.events import SessionChanged
from gateway.once import Once
from gateway.providers.base import Dialect, Endpoint, Offer
from gateway.session.backoff import Backoff
from gateway.session.calls import CallDesk, Handler
from gateway.session.connection import Connection, EndedError
from gateway.session.conversation import MAX_TEXTS, Conversation
from gateway.session.ending import classify
from gateway.session.outbox import Outbox
from gateway.session.state import Event, State, step
from gateway.tasks import TaskSet

log = logging.getLogger(__name__)

# A licence or a balance is mended by people; asking more often helps nobody.
OPERATOR_PAUSE_S = 300.0
# Devices come in bursts at start; the model needs the list once, when it is whole.
TOOLS_DEBOUNCE_S = 1.0
# One device that comes and goes must not keep the others from being told.
TOOLS_PATIENCE_S = 5.0


class Session:
    """One provider's session over all its connections.

    `dialects` makes the dialect of each connection; `offer` is asked at each connect, and
    after `tools_changed`. `handler` carries out calls and must not raise. `run` is one task's
    work; everything else may be called at any time on the same loop.
    """

    def __init__(
        self,
        *,
        dialects: Callable[[], Dialect],
        offer: Callable[[], Offer],
        handler: Handler,
        bus: Bus,
        clock: Clock,
        random: Callable[[], float] = system_random.random,
        operator_pause_s: float = OPERATOR_PAUSE_S,
        connect: Callable[[Endpoint], Connection] = Connection,
    ) -> None:
        self._dialects = dialects
        self._offer = offer
        self._bus = bus
        self._connect = connect
        self._clock = clock
        self._operator_pause_s = operator_pause_s
        self._backoff = Backoff(random)
        self._tasks = TaskSet("session")
        self._desk = CallDesk(
            outbox=Outbox(dialects().capabilities),
            handler=handler,
            clock=clock,
            tasks=self._tasks,
        )
        self._logged = Once(MAX_TEXTS)
        self._conversation: Conversation | None = None
        self._tools_timer: asyncio.TimerHandle | None = None
        self._tools_by = 0.0
        self._stopping = asyncio.Event()
        self._failing: type[SessionError] | None = None
        self._live = asyncio.Event()
        self._state = State.IDLE
        self._epoch = 0

    @property
    def state(self) -> State:
        """Where the session stands."""
        return self._state

    @property
    def epoch(self) -> int:
        """The session generation: how many connections were tried."""
        return self._epoch

    async def run(self) -> None:
        """Hold the session until `drain`.

        Raises FatalError when trying again cannot help. Cancelling it drops the connection
        and the calls' tasks, without answers.
        """
        try:
            while self._wanted():
                error, lived_s = await self._connection()
                if self._wanted():
                    await self._pause_after(error, lived_s)
            await self._stopping.wait()
        finally:
            if self._tools_timer is not None:
                self._tools_timer.cancel()
            await self._desk.close()
            if self._state is not State.STOPPED:
                self._step(Event.STOP)

    async def live(self, timeout_s: float | None = None) -> None:
        """Return once calls may come. Raises TimeoutError."""
        await asyncio.wait_for(self._live.wait(), timeout_s)

    async def drain(self, timeout_s: float) -> None:
        """Stop gracefully: refuse new calls, answer those in flight, then close.

        Calls that are not done after `timeout_s` are answered as unknown. Returns when the
        connection is closed; `run` then ends.
        """
        if self._stopping.is_set() or self._state is State.STOPPED:
            return
        if self._state is not State.IDLE:
            self._step(Event.DRAIN)
        await self._desk.drain(timeout_s)
        self._stopping.set()
        if self._conversation is not None:
            await self._conversation.close()

    def note(self, text: str) -> None:
        """Tell the model a fact: at once, or when the session is live again."""
        self._desk.note(text)

    async def say(self, text: str) -> None:
        """Say `text` as the user. Raises TransientError when the session is not live."""
        if self._conversation is None or self._state is not State.LIVE:
            raise TransientError("the session is not connected: nobody would hear this")
        try:
            await self._conversation.say(text)
        except EndedError as end:
            raise classify(end.ending) from None

    def tools_changed(self) -> None:
        """The offer may have changed: it is sent again, once things have been quiet."""
        now = self._clock.monotonic()
        if self._tools_timer is None:
            self._tools_by = now + TOOLS_PATIENCE_S
        else:
            self._tools_timer.cancel()
        delay_s = max(0.0, min(TOOLS_DEBOUNCE_S, self._tools_by - now))
        self._tools_timer = asyncio.get_running_loop().call_later(delay_s, self._send_tools)

    # --- one connection ------------------------------------------------------------------

    async def _connection(self) -> tuple[SessionError, float | None]:
        """One connection's whole life: why it ended, and how long it lived (None: not at all)."""
        self._epoch += 1
        self._step(Event.CONNECT)
        dialect = self._dialects()
        endpoint = dialect.endpoint(self._offer())
        log.debug("connecting to %s", endpoint.shown)
        connection = self._connect(endpoint)
        opened_at: float | None = None
        try:
            await connection.open()
            opened_at = self._clock.monotonic()
            if not self._stopping.is_set():
                await self._converse(connection, dialect)
        except EndedError as end:
            return classify(end.ending), self._since(opened_at)
        except (TransientError, OperatorError, FatalError) as error:
            return error, self._since(opened_at)
        finally:
            self._live.clear()
            self._conversation = None
            self._desk.lost()
            await connection.close()
        return TransientError("the session was stopped"), self._since(opened_at)

    async def _converse(self, connection: Connection, dialect: Dialect) -> None:
        """Talk until the connection ends. Raises the reason."""
        if self._state is State.CONNECTING:
            self._step(Event.OPEN)
        self._conversation = Conversation(
            connection=connection,
            dialect=dialect,
            # Asked anew: devices may have come while the connection opened.
            offer=self._offer(),
            epoch=self._epoch,
            desk=self._desk,
            bus=self._bus,
            logged=self._logged,
            on_ready=self._ready,
        )
        await self._conversation.run()

    def _ready(self) -> None:
        if self._state is not State.OPENING:
            return
        self._step(Event.READY)
        self._live.set()
        if self._failing is not None:
            log.info("the session is live again")
        self._failing = None

    def _wanted(self) -> bool:
        return self._state is not State.DRAINING and not self._stopping.is_set()

    def _since(self, opened_at: float | None) -> float | None:
        return None if opened_at is None else self._clock.monotonic() - opened_at

    # --- between connections -------------------------------------------------------------

    async def _pause_after(self, error: SessionError, lived_s: float | None) -> None:
        """Wait as long as `error` asks for, or until draining. Raises FatalError."""
        if isinstance(error, FatalError):
            self._step(Event.STOP, str(error))
            raise error
        if isinstance(error, OperatorError):
            self._step(Event.ASK, str(error))
            self._report(error, f"looking again in {self._operator_pause_s:.0f} s")
            await self._wait(self._operator_pause_s)
            return
        self._step(Event.LOSE, str(error))
        pause = self._backoff.after(lived_s, getattr(error, "retry_after_s", None))
        if pause.quick_failures:
            log.warning("the session keeps opening and ending at once")
        self._report(error, f"trying again in {pause.seconds:.1f} s")
        await self._wait(pause.seconds)

    def _report(self, error: SessionError, then: str) -> None:
        """The first failure of a kind is for people, repetitions for who looks closely."""
        level = logging.DEBUG if self._failing is type(error) else logging.WARNING
        log.log(level, "%s; %s", error, then)
        self._failing = type(error)

    async def _wait(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return

    def _send_tools(self) -> None:
        self._tools_timer = None
        if self._conversation is not None:
            offer = self._offer()
            self._tasks.start(self._conversation.offer_again(offer), "tools")

    def _step(self, event: Event, reason: str = "") -> None:
        self._state = step(self._state, event)
        log.debug("session %s (generation %d)", self._state, self._epoch)
        self._bus.publish(SessionChanged(self._state.value, self._epoch, reason))
