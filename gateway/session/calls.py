"""Calls in flight: each one a task, from the frame to the frame that answers it.

The desk outlives connections: a call that began on one may end on another, and the outbox
knows what that means.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from gateway.clock import Clock
from gateway.events import FunctionCall
from gateway.outcome import Outcome, Status
from gateway.providers.base import Dialect, Offer, ResponseActivity
from gateway.session.connection import Connection, EndedError
from gateway.session.outbox import Outbox
from gateway.tasks import TaskSet

log = logging.getLogger(__name__)

Handler = Callable[[FunctionCall, Offer], Awaitable[Outcome]]
"""Carries out a call with the tools that were offered when it came; never raises."""

# A model that asks for more at once is out of control; the rest waits in order.
MAX_AT_ONCE = 64
# Calls that run or wait; a service that sends more is answered without running them.
MAX_IN_FLIGHT = 1024

# What went out together is asked about together. What the connection takes along within this
# time is told twice rather than never.
ARRIVAL_CHECK_S = 0.02

_OUR_FAULT = Outcome(Status.ERROR, "Something went wrong in the gateway.")
_STOPPING = Outcome(Status.ERROR, "The gateway is stopping.")
_TOO_MANY = Outcome(Status.ERROR, "Too many things were asked for at once.")
_STOPPED_EARLY = Outcome(
    Status.TIMED_OUT, "The gateway is stopping; whether this was done is not known."
)


class CallDesk:
    """Takes calls, has them carried out, and sends what the outbox owes.

    `tasks` belongs to the session; `close` ends them.
    """

    def __init__(self, *, outbox: Outbox, handler: Handler, clock: Clock, tasks: TaskSet) -> None:
        self._outbox = outbox
        self._handler = handler
        self._clock = clock
        self._tasks = tasks
        self._calls = TaskSet("session.calls")
        self._turns = asyncio.Semaphore(MAX_AT_ONCE)
        self._connection: Connection | None = None
        self._checked: Connection | None = None
        self._epoch = 0
        self._timer: asyncio.TimerHandle | None = None
        self._deadline: float | None = None
        self._draining = False

    # --- the connection ------------------------------------------------------------------

    def opened(self, connection: Connection, dialect: Dialect, epoch: int) -> None:
        """From now on, frames go over `connection`."""
        self._connection, self._epoch = connection, epoch
        self._outbox.opened(dialect, epoch)

    def ready(self, history: Sequence[str] = ()) -> None:
        """The model is there: it is told what it missed, after the frames of `history`."""
        self._send_soon([*history, *self._outbox.ready(self._now())])

    def quiet_since(self) -> float | None:
        """Since when nobody speaks and nothing is owed, None while something is."""
        return self._outbox.quiet_since()

    def lost(self) -> None:
        """The connection is gone; calls go on."""
        self._connection = None
        self._outbox.lost(self._now())
        self._set_timer()

    async def drain(self, timeout_s: float) -> None:
        """Refuse new calls and wait for those in flight; answer the rest as unknown."""
        self._draining = True
        if await self._calls.wait(timeout_s):
            return
        for call in self._outbox.open_calls:
            await self._answer(call, _STOPPED_EARLY)

    async def close(self) -> None:
        """End every task, answered or not."""
        await self._calls.close()
        await self._tasks.close()
        # Last: a call that ends meanwhile sets the timer anew.
        if self._timer is not None:
            self._timer.cancel()

    # --- what comes ----------------------------------------------------------------------

    def call(self, call: FunctionCall, offer: Offer) -> bool:
        """Have `call` carried out and answered. False when its id was used before."""
        call = replace(call, epoch=self._epoch)
        if not self._outbox.called(call):
            return False
        # Decided now: the last to come are refused, not the first to run.
        refusal = _TOO_MANY if len(self._calls) >= MAX_IN_FLIGHT else self._refusal()
        work = self._answer(call, refusal) if refusal else self._carry_out(call, offer)
        self._calls.start(work, call.call_id)
        return True

    def activity(self, event: ResponseActivity) -> None:
        """The model is answering."""
        self._send_soon(self._outbox.activity(event, self._now()))

    def speech(self, *, started: bool) -> None:
        """The user began or stopped to speak. No command hears of it."""
        if started:
            self._outbox.speech_started(self._now())
        else:
            self._outbox.speech_stopped(self._now())
        self._set_timer()

    def note(self, text: str) -> None:
        """Tell the model a fact."""
        self._send_soon(self._outbox.note(text, self._now()))

    # --- one call ------------------------------------------------------------------------

    async def _carry_out(self, call: FunctionCall, offer: Offer) -> None:
        await self._answer(call, await self._outcome(call, offer))

    async def _outcome(self, call: FunctionCall, offer: Offer) -> Outcome:
        async with self._turns:
            # It may have waited for its turn until the gateway began to stop.
            refusal = self._refusal()
            if refusal is not None:
                return refusal
            try:
                return await self._handler(call, offer)
            except Exception:  # the task's root: even our bug is answered
                log.exception("the handler of calls failed")
                return _OUR_FAULT

    def _refusal(self) -> Outcome | None:
        return _STOPPING if self._draining else None

    async def _answer(self, call: FunctionCall, outcome: Outcome) -> None:
        await self._send(self._outbox.answered(call, outcome, self._now()))

    # --- sending -------------------------------------------------------------------------

    async def _send(self, frames: Sequence[str]) -> None:
        """Send now; when the connection is gone, the reader sees it and the outbox knows."""
        self._set_timer()
        if not frames or self._connection is None:
            return
        try:
            await self._connection.send(frames)
        except EndedError:
            log.debug("the connection ended while something was sent")
            return
        self._check_arrival()

    def _check_arrival(self) -> None:
        """Have one task ask what has arrived, unless one does or all has."""
        connection = self._connection
        if (
            connection is not None
            and connection is not self._checked
            and not self._outbox.all_arrived
        ):
            self._checked = connection
            self._tasks.start(self._learn_what_arrived(connection), "arrivals")

    async def _learn_what_arrived(self, connection: Connection) -> None:
        try:
            while self._connection is connection and not self._outbox.all_arrived:
                # Taken first: what went out meanwhile may still be behind the question.
                sent = self._outbox.sent
                await asyncio.sleep(ARRIVAL_CHECK_S)
                await connection.round_trip()
                if self._connection is connection:
                    self._outbox.arrived(sent)
        except EndedError:
            log.debug("the connection ended before all had arrived")
        finally:
            if self._checked is connection:
                self._checked = None

    def _send_soon(self, frames: Sequence[str]) -> None:
        """Send from where one cannot wait."""
        self._set_timer()
        if frames:
            self._tasks.start(self._send(frames), "send")

    def _set_timer(self) -> None:
        deadline = self._outbox.next_deadline()
        if deadline == self._deadline:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._deadline = deadline
        if deadline is not None:
            delay_s = max(0.0, deadline - self._now())
            self._timer = asyncio.get_running_loop().call_later(delay_s, self._time_is_up)

    def _time_is_up(self) -> None:
        self._timer = self._deadline = None
        self._send_soon(self._outbox.due(self._now()))

    def _now(self) -> float:
        return self._clock.monotonic()
