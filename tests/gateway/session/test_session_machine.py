"""The session as a state machine: a service that comes, calls, breaks and refuses as it likes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gateway.bus import Bus
from gateway.events import FunctionCall, SessionChanged
from gateway.outcome import Outcome, Status
from gateway.providers.base import Dialect, Endpoint
from gateway.providers.registry import dialect_maker
from gateway.session.ending import Closed, Ending, HttpRefused, NotConnected
from gateway.session.session import OPERATOR_PAUSE_S, Session
from gateway.session.state import State
from gateway.testing import ManualClock, VirtualTimeLoop
from tests.gateway.session.conftest import Wire

pytestmark = pytest.mark.unit

ROTATE_AFTER_S = 120.0
MOMENTS_S = st.sampled_from([0.1, 1.1, 6.0, 20.0, 70.0, 310.0])
ENDINGS = st.sampled_from([Closed(None), Closed(1000), Closed(1006), Closed(1011)])
REFUSALS = st.sampled_from([NotConnected(OSError()), HttpRefused(503), HttpRefused(403)])


class Line(Wire):
    """A wire that remembers whether it opened, and what was asked and answered on it."""

    def __init__(self, endpoint: Endpoint, refusal: Ending | None, opens_after_s: float) -> None:
        super().__init__(endpoint, refusal, opens_after_s)
        self.opened = False

    async def open(self) -> None:
        await super().open()
        self.opened = not self.closed

    @property
    def stands(self) -> bool:
        return self.opened and not self.closed

    def results(self, call_id: str) -> list[str]:
        """The forms in which `call_id` was answered here."""
        bodies = (body.get("data") or body.get("item") or {} for body in self.sent)
        kinds = ["data" if "data" in body else "item" for body in self.sent]
        return [
            kind
            for kind, body in zip(kinds, bodies, strict=True)
            if "output" in body and body["call_id"] == call_id
        ]

    def notes(self, part: str) -> int:
        """How many notes here have `part` in them."""
        items = [body["item"] for body in self.sent if "item" in body]
        return sum(item["type"] == "message" and part in json.dumps(item) for item in items)


class Beside:
    """A dialect whose service allows two connections at a time."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self.capabilities = replace(dialect.capabilities, two_connections=True)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._dialect, name)


@dataclass
class Asked:
    """A call, the line that it came on, and whether it was done."""

    call_id: str
    line: Line
    epoch: int
    done: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def message(self) -> str:
        return f"<{self.call_id}> is done."


@dataclass(frozen=True)
class Offer:
    instructions: str = "You run the house."
    definitions: tuple[dict[str, Any], ...] = ()


class SessionMachine(RuleBasedStateMachine):
    """Plays the service, the handler of calls and the time; the session is the real one."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner(loop_factory=VirtualTimeLoop)
        self.lines: list[Line] = []
        self.refusals: list[Ending] = []
        self.opens_after_s = 0.0
        self.asked: list[Asked] = []
        self.offer = Offer()
        self.bus = Bus()
        self.epochs: list[int] = []
        self.draining: asyncio.Task[None] | None = None
        self.broken: list[Line] = []
        self.owed: list[Asked] = []

    @initialize(beside=st.booleans())
    def begin(self, beside: bool) -> None:
        self.beside = beside
        self._run(self._begin())

    # --- what can happen ------------------------------------------------------------------

    @precondition(lambda self: self._line)
    @rule()
    def the_model_is_there(self) -> None:
        self._line.says("realtime.session.created")
        self._run(asyncio.sleep(0))

    @precondition(lambda self: self._line)
    @rule(many=st.integers(1, 3), again=st.booleans())
    def the_model_calls(self, many: int, again: bool) -> None:
        line = self._line
        for _ in range(many if self.draining is None else 0):
            self.asked.append(Asked(f"c{len(self.asked)}", line, self.session.epoch))
            line.calls(self.asked[-1].call_id)
        here = [asked for asked in self.asked if asked.line is line]
        if here and again:
            line.calls(here[-1].call_id)
        self._run(asyncio.sleep(0.001))

    @precondition(lambda self: any(not asked.done.is_set() for asked in self.asked))
    @rule(which=st.integers(0, 3))
    def a_call_is_done(self, which: int) -> None:
        waiting = [asked for asked in self.asked if not asked.done.is_set()]
        waiting[which % len(waiting)].done.set()
        self._run(asyncio.sleep(0.001))

    @precondition(lambda self: self._line)
    @rule(said=st.sampled_from(["realtime.response.audio.delta", "realtime.response.audio.done"]))
    def the_model_answers(self, said: str) -> None:
        self._line.says(said)
        self._run(asyncio.sleep(0.001))

    @precondition(lambda self: self._line)
    @rule(ending=ENDINGS)
    def the_connection_ends(self, ending: Ending) -> None:
        self.broken.append(self._line)
        self._line.end(ending)
        self._run(asyncio.sleep(0.001))

    @rule(refusals=st.lists(REFUSALS, max_size=2), opens_after_s=st.sampled_from([0.0, 0.5, 8.0]))
    def the_next_is_hard(self, refusals: list[Ending], opens_after_s: float) -> None:
        self.refusals, self.opens_after_s = refusals, opens_after_s

    @rule()
    def the_tools_change(self) -> None:
        self.offer = Offer(definitions=({"type": "function", "name": f"t{len(self.lines)}"},))
        self._run(self._tools_changed())

    @rule(seconds=MOMENTS_S)
    def time_passes(self, seconds: float) -> None:
        self._run(asyncio.sleep(seconds))

    @precondition(lambda self: len(self.asked) > 1 and self.draining is None)
    @rule(patience_s=st.sampled_from([0.0, 2.0]))
    def it_drains(self, patience_s: float) -> None:
        self.owed = [asked for asked in self.asked if asked.line.stands]
        self._run(self._drain(patience_s))

    # --- what must hold -------------------------------------------------------------------

    @invariant()
    def two_connections_only_while_renewing(self) -> None:
        allowed = 1
        if self.lines and self.beside and self.session.state is State.LIVE:
            allowed = 2
        assert sum(line.stands for line in self.lines) <= allowed

    @invariant()
    def generations_count_up(self) -> None:
        assert self.epochs == sorted(self.epochs)
        assert set(range(1, self.epochs[-1] + 1 if self.epochs else 1)) <= set(self.epochs)

    @invariant()
    def a_result_goes_where_its_call_came_from(self) -> None:
        for asked in self.asked:
            for line in self.lines:
                forms = line.results(asked.call_id)
                assert not forms or line is asked.line
                assert len(forms) == len(set(forms))
                assert not line.notes(asked.message) or line is not asked.line
                assert line.notes(asked.message) <= 1

    @invariant()
    def what_is_drained_has_answered(self) -> None:
        if self.draining is None or not self.draining.done():
            return
        assert not any(line.stands for line in self.lines)
        for asked in self.owed:
            assert asked.line.results(asked.call_id) or asked.line in self.broken

    def teardown(self) -> None:
        try:
            if hasattr(self, "session"):
                self._run(self._to_the_end())
                self._everybody_was_answered()
        finally:
            self.runner.close()

    async def _to_the_end(self) -> None:
        """Everything is done, and the service is well: what is owed can be told now."""
        self.refusals.clear()
        self.opens_after_s = 0.0
        if self.draining is None:
            await self._the_service_is_well()
        for asked in self.asked:
            asked.done.set()
        if self.draining is None:
            # The connection may have been renewed just now.
            await self._the_service_is_well()
            await self.session.drain(1)
        await self.task

    async def _the_service_is_well(self) -> None:
        for _ in range(2 * int(OPERATOR_PAUSE_S)):
            if self._line is not None:
                break
            await asyncio.sleep(1)
        self._line.says("realtime.session.created")
        await asyncio.sleep(1)

    def _everybody_was_answered(self) -> None:
        told = [
            asked
            for asked in self.asked
            if asked.line.results(asked.call_id)
            or any(line.notes(asked.message) for line in self.lines)
        ]
        # Who drains has no later connection to tell what was lost with the last one.
        if self.draining is None:
            outbox = self.session._desk._outbox
            assert len(self.asked) - len(told) <= outbox.dropped

    # --- the parts ------------------------------------------------------------------------

    @property
    def _line(self) -> Line | None:
        """The connection that stands, the newest of two."""
        return next((line for line in reversed(self.lines) if line.stands), None)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        self.runner.run(work)
        self.epochs += [e.epoch for e in self.heard.waiting() if isinstance(e, SessionChanged)]
        if self.task.done():
            self.task.result()

    async def _begin(self) -> None:
        navtalk = dialect_maker("navtalk", {"license": "k", "avatar_name": "a"})
        self.heard = self.bus.subscribe().__enter__()
        self.session = Session(
            dialects=(lambda: Beside(navtalk())) if self.beside else navtalk,
            offer=lambda: self.offer,
            handler=self._handle,
            bus=self.bus,
            clock=ManualClock(asyncio.get_running_loop()),
            random=lambda: 0.5,
            rotate_after_s=ROTATE_AFTER_S,
            connect=self._connect,
        )
        self.task = asyncio.create_task(self.session.run())
        await asyncio.sleep(0.01)

    def _connect(self, endpoint: Endpoint) -> Line:
        refusal = self.refusals.pop(0) if self.refusals else None
        self.lines.append(Line(endpoint, refusal, self.opens_after_s))
        return self.lines[-1]

    async def _handle(self, call: FunctionCall, offer: Any) -> Outcome:
        asked = next(one for one in self.asked if one.call_id == call.call_id)
        assert call.epoch == asked.epoch
        await asked.done.wait()
        return Outcome(Status.CONFIRMED, asked.message)

    async def _tools_changed(self) -> None:
        self.session.tools_changed()

    async def _drain(self, patience_s: float) -> None:
        self.draining = asyncio.create_task(self.session.drain(patience_s))
        await asyncio.sleep(0.001)


TestSession = SessionMachine.TestCase
TestSession.settings = settings(max_examples=150, stateful_step_count=40)
