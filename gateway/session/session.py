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
from gateway.errors import (
    FatalError,
    NetworkError,
    OperatorError,
    SessionError,
    TransientError,
)
from gateway.events import SessionChanged
from gateway.once import Once
from gateway.providers.base import Dialect, Endpoint, Offer
from gateway.session.backoff import Backoff, Life, Pause
from gateway.session.calls import CallDesk, Handler
from gateway.session.connection import Connection, EndedError
from gateway.session.conversation import MAX_TEXTS, Conversation
from gateway.session.debounce import Debounce
from gateway.session.dialing import Dialer, Line
from gateway.session.ending import classify
from gateway.session.history import History
from gateway.session.outbox import Outbox
from gateway.session.report import Report
from gateway.session.state import Event, State, step
from gateway.session.watch import TRY_AGAIN_S, Renewal, silence
from gateway.tasks import TaskSet

log = logging.getLogger(__name__)

# A licence or a balance is mended by people; asking more often helps nobody.
OPERATOR_PAUSE_S = 300.0


class Session:
    """One provider's session over all its connections.

    `dialects` makes the dialect of each connection; `offer` is asked at each connect, and
    after `tools_changed`. `handler` carries out calls and must not raise. A connection is
    renewed between two turns once it is `rotate_after_s` old (None: never). `run` is one
    task's work; everything else may be called at any time on the same loop.
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
        rotate_after_s: float | None = None,
        operator_pause_s: float = OPERATOR_PAUSE_S,
        connect: Callable[[Endpoint], Connection] = Connection,
    ) -> None:
        self._offer = offer
        self._bus = bus
        self._clock = clock
        self._rotate_after_s = rotate_after_s
        self._operator_pause_s = operator_pause_s
        self._backoff = Backoff(random)
        self._dialer = Dialer(dialects, offer, connect, clock)
        self._tasks = TaskSet("session")
        capabilities = dialects().capabilities
        self._beside = capabilities.two_connections
        self._desk = CallDesk(
            outbox=Outbox(capabilities),
            handler=handler,
            clock=clock,
            tasks=self._tasks,
        )
        self._history = History()
        self._logged = Once(MAX_TEXTS)
        self._conversation: Conversation | None = None
        self._tools = Debounce(self._send_tools, clock)
        self._stopping = asyncio.Event()
        self._report = Report()
        self._hurry = False
        self._next: Line | None = None
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
                error, life = await self._connection()
                if self._wanted() and self._state is not State.RENEWING:
                    await self._pause_after(error, life)
            await self._stopping.wait()
        finally:
            self._tools.close()
            await self._desk.close()
            if self._next is not None:
                await self._next.connection.close()
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
        self._tools.changed()

    # --- one connection ------------------------------------------------------------------

    async def _connection(self) -> tuple[SessionError, Life | None]:
        """One connection's whole time: why it ended, and how it lived (None: not at all)."""
        self._epoch += 1
        self._step(Event.CONNECT)
        line, self._next = self._next, None
        try:
            line = line or await self._dialer.open(hurry=self._hurry)
        except EndedError as end:
            return classify(end.ending), None
        began = self._clock.monotonic()
        conversation = self._conversation_on(line)
        try:
            if not self._stopping.is_set():
                await self._converse(conversation)
            error: SessionError = TransientError("the session was stopped")
        except EndedError as end:
            error = classify(end.ending)
        finally:
            self._live.clear()
            self._conversation = None
            self._desk.lost()
            await line.connection.close()
        seconds = self._clock.monotonic() - began
        return error, Life(seconds, conversation.ready, conversation.productive)

    def _conversation_on(self, line: Line) -> Conversation:
        return Conversation(
            connection=line.connection,
            dialect=line.dialect,
            # Asked anew: devices may have come while the connection opened.
            offer=self._offer(),
            epoch=self._epoch,
            desk=self._desk,
            history=self._history,
            clock=self._clock,
            bus=self._bus,
            logged=self._logged,
            on_ready=self._ready,
        )

    async def _converse(self, conversation: Conversation) -> None:
        """Talk until the connection ends. Raises EndedError."""
        if self._state is State.CONNECTING:
            self._step(Event.OPEN)
        self._conversation = conversation
        watching = [
            self._tasks.start(self._watch_silence(conversation), "silence"),
            self._tasks.start(self._renew(conversation), "renew"),
        ]
        try:
            await conversation.run()
        finally:
            for task in watching:
                task.cancel()

    def _ready(self) -> None:
        if self._state is not State.OPENING:
            return
        self._step(Event.READY)
        self._live.set()
        self._hurry = False
        self._report.live()

    def _wanted(self) -> bool:
        return self._state is not State.DRAINING and not self._stopping.is_set()

    # --- what is watched -----------------------------------------------------------------

    async def _watch_silence(self, conversation: Conversation) -> None:
        if await silence(lambda: conversation.heard, self._report.silent):
            await conversation.give_up()

    async def _renew(self, conversation: Conversation) -> None:
        """Once the connection is old, let it go between two turns."""
        if self._rotate_after_s is None:
            return
        opened_at = self._clock.monotonic()
        renewal = Renewal(self._rotate_after_s, self._clock, self._quiet_since)
        await renewal.due(opened_at)
        while self._beside and not await self._open_beside(renewal, opened_at):
            await asyncio.sleep(TRY_AGAIN_S)
            await renewal.due(opened_at)
        if self._state is not State.LIVE:
            return
        self._step(Event.RENEW, "renewed before the service ends it")
        await conversation.close()

    async def _open_beside(self, renewal: Renewal, opened_at: float) -> bool:
        """Whether the next connection is open, and it is still a good moment to change."""
        try:
            line = await self._dialer.open(hurry=False)
        except EndedError as end:
            log.debug("the next connection did not open: %s", classify(end.ending))
            return False
        if self._state is State.LIVE and renewal.allowed(opened_at):
            self._next = line
            return True
        await line.connection.close()
        return False

    def _quiet_since(self) -> float | None:
        return self._desk.quiet_since() if self._state is State.LIVE else None

    # --- between connections -------------------------------------------------------------

    async def _pause_after(self, error: SessionError, life: Life | None) -> None:
        """Wait as long as `error` asks for, or until draining. Raises FatalError."""
        self._hurry = isinstance(error, NetworkError)
        if life is not None and life.good:
            self._report.worked()
        match error:
            case FatalError():
                self._step(Event.STOP, str(error))
                raise error
            case TransientError():
                await self._pause(error, self._backoff.after(error, life))
            case _:
                await self._ask(error)

    async def _pause(self, error: TransientError, pause: Pause) -> None:
        if pause.quick_failures:
            await self._ask(OperatorError(f"the session keeps opening and ending at once: {error}"))
            return
        self._step(Event.LOSE, str(error))
        if pause.seconds:
            self._report.failed(error, f"trying again in {pause.seconds:.1f} s")
        else:
            log.info("%s; the next one is opened", error)
        await self._wait(pause.seconds)

    async def _ask(self, error: SessionError) -> None:
        self._step(Event.ASK, str(error))
        self._report.failed(error, f"looking again in {self._operator_pause_s:.0f} s")
        await self._wait(self._operator_pause_s)

    async def _wait(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return

    def _send_tools(self) -> None:
        if self._conversation is not None:
            offer = self._offer()
            self._tasks.start(self._conversation.offer_again(offer), "tools")

    def _step(self, event: Event, reason: str = "") -> None:
        self._state = step(self._state, event)
        log.debug("session %s (generation %d)", self._state, self._epoch)
        self._bus.publish(SessionChanged(self._state.value, self._epoch, reason))
