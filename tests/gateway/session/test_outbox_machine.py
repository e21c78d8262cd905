"""The outbox as a state machine: calls, answers, losses and signs of life, as they come."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gateway.events import FunctionCall
from gateway.outcome import Outcome, Status
from gateway.providers.base import ResponseActivity
from gateway.providers.navtalk import NavTalk, NavTalkSettings
from gateway.session.outbox import MAX_NOTES, NOTE_LIFE_S, Outbox
from gateway.session.rhythm import ANSWER_QUIET_S

pytestmark = pytest.mark.unit

STYLES: dict[str, list[str]] = {"auto": ["v2", "item"], "v2": ["v2"], "item": ["item"]}
MOMENTS_S = st.sampled_from([0.1, 1.0, 3.0, 6.0, 31.0, NOTE_LIFE_S + 1])
ACTIVITIES = st.builds(ResponseActivity, st.booleans(), st.sampled_from(["", "r1", "r2"]))


@dataclass
class Debt:
    """A call or a fact that the model must hear of, and where it was told."""

    call: FunctionCall | None
    answered: bool = False
    forms: list[str] = field(default_factory=list)
    noted_in: list[int] = field(default_factory=list)
    heard: bool = False
    arrived: bool = False
    lost: bool = False

    @property
    def told(self) -> bool:
        return bool(self.forms or self.noted_in)


class OutboxMachine(RuleBasedStateMachine):
    """Plays session and service; every frame that comes out is held against the promises."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 100.0
        self.epoch = 0
        self.connected = self.is_ready = False
        self.answering_until = 0.0
        self.debts: list[Debt] = []
        self.style = "auto"
        self.box: Outbox

    @initialize(style=st.sampled_from(sorted(STYLES)))
    def begin(self, style: str) -> None:
        self.style = style
        self.box = Outbox(self._dialect().capabilities)

    # --- the connection -------------------------------------------------------------------

    @precondition(lambda self: not self.connected)
    @rule(ready=st.booleans())
    def opens(self, ready: bool) -> None:
        self.epoch += 1
        self.connected, self.is_ready, self.answering_until = True, False, 0.0
        self.box.opened(self._dialect(), self.epoch)
        if ready:
            self.is_there()

    @precondition(lambda self: self.connected)
    @rule()
    def is_there(self) -> None:
        self.is_ready = True
        self._out(self.box.ready(self.now))

    @precondition(lambda self: self.connected)
    @rule()
    def breaks(self) -> None:
        self.connected = self.is_ready = False
        self.box.lost(self.now)
        for debt in self.debts:
            debt.lost = debt.told and not (debt.heard and debt.arrived)

    # --- calls and facts ------------------------------------------------------------------

    @precondition(lambda self: self.is_ready)
    @rule(new=st.booleans())
    def calls(self, new: bool) -> None:
        known = [debt.call.call_id for debt in self._calls(self.epoch)]
        call_id = known[-1] if known and not new else f"c{len(self.debts)}"
        call = FunctionCall(call_id, "turn_on", epoch=self.epoch)
        assert self.box.called(call) is (call_id not in known)
        if call_id not in known:
            self.debts.append(Debt(call))

    @precondition(lambda self: any(debt.call and not debt.answered for debt in self.debts))
    @rule(which=st.integers(0, 3), again=st.booleans())
    def ends(self, which: int, again: bool) -> None:
        open_debts = [debt for debt in self.debts if debt.call and not debt.answered]
        debt = open_debts[which % len(open_debts)]
        debt.answered = True
        self._out(self._answer(debt))
        assert debt.told is self._may_tell(debt)
        if again and self.connected and debt.call.epoch == self.epoch:
            assert self._answer(debt) == []

    @rule(many=st.sampled_from([1, 1, 1, MAX_NOTES + 1]))
    def something_happens(self, many: int) -> None:
        for _ in range(many):
            self.debts.append(Debt(None, answered=True))
            self._out(self.box.note(f"<{len(self.debts) - 1}>", self.now))
            assert self.debts[-1].told is self.is_ready

    # --- what is heard, and time ----------------------------------------------------------

    @precondition(lambda self: self.is_ready)
    @rule(event=ACTIVITIES)
    def answers(self, event: ResponseActivity) -> None:
        self.answering_until = 0.0 if event.ended else self.now + ANSWER_QUIET_S
        for debt in self.debts:
            debt.heard = debt.heard or debt.told
        self._out(self.box.activity(event, self.now))

    @precondition(lambda self: self.connected)
    @rule()
    def it_arrives(self) -> None:
        for debt in self.debts:
            debt.arrived = debt.arrived or debt.told
        self.box.arrived(self.box.sent)
        assert self.box.all_arrived

    @precondition(lambda self: self.is_ready)
    @rule(started=st.booleans())
    def the_user(self, started: bool) -> None:
        (self.box.speech_started if started else self.box.speech_stopped)(self.now)

    @rule(seconds=MOMENTS_S)
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self._out(self.box.due(self.now))

    @precondition(lambda self: self.box.next_deadline() is not None)
    @rule()
    def the_deadline_comes(self) -> None:
        self.now = max(self.now, self.box.next_deadline() or 0.0)
        self._out(self.box.due(self.now))

    # --- what must hold -------------------------------------------------------------------

    @invariant()
    def nothing_is_due_for_ever(self) -> None:
        """A deadline that was looked at is over, or the loop would ask again without end."""
        deadline = self.box.next_deadline() if self.connected else None
        if deadline is not None and deadline <= self.now:
            self._out(self.box.due(self.now))
            after = self.box.next_deadline()
            assert after is None or after > self.now

    @invariant()
    def nothing_is_owed_to_who_is_away(self) -> None:
        assert self.connected or self.box.next_deadline() is None

    def teardown(self) -> None:
        if not hasattr(self, "box"):
            return
        for debt in self.debts:
            if not debt.answered:
                debt.answered = True
                self._out(self._answer(debt))
        if self.connected:
            self.breaks()
        self.opens(ready=True)
        untold = sum(not debt.told or debt.lost for debt in self.debts)
        assert untold <= self.box.dropped

    # --- the parts ------------------------------------------------------------------------

    def _dialect(self) -> NavTalk:
        given: Any = {"license": "k", "avatar_name": "a", "result_style": self.style}
        return NavTalk(NavTalkSettings(**given))

    def _calls(self, epoch: int) -> list[Any]:
        return [debt for debt in self.debts if debt.call and debt.call.epoch == epoch]

    def _may_tell(self, debt: Debt) -> bool:
        """Whether there is somebody to hear it now."""
        assert debt.call is not None
        return self.is_ready if debt.call.epoch != self.epoch else self.connected

    def _answer(self, debt: Debt) -> list[str]:
        assert debt.call is not None
        outcome = Outcome(Status.CONFIRMED, f"<{self.debts.index(debt)}>")
        return self.box.answered(debt.call, outcome, self.now)

    def _out(self, frames: list[str]) -> None:
        """Each frame that goes to the service."""
        assert self.connected or not frames
        assert len(frames) <= MAX_NOTES + len(STYLES)
        for frame in frames:
            body = json.loads(frame)
            if body["type"] == "response.create":
                self._asked_to_speak()
                continue
            said = body.get("data") or body["item"]
            debt = self.debts[int(re.findall(r"<(\d+)>", frame)[0])]
            if "output" in said:
                self._returned(debt, said["call_id"], "v2" if "data" in body else "item")
            else:
                self._noted(debt)

    def _returned(self, debt: Debt, call_id: str, form: str) -> None:
        assert debt.call is not None
        assert (debt.call.call_id, debt.call.epoch) == (call_id, self.epoch)
        assert debt.answered
        assert form in STYLES[self.style]
        assert form not in debt.forms
        assert not debt.noted_in
        debt.forms.append(form)
        debt.heard = debt.arrived = debt.lost = False

    def _noted(self, debt: Debt) -> None:
        assert self.is_ready
        assert debt.answered
        assert debt.call is None or debt.call.epoch < self.epoch
        assert self.epoch not in debt.noted_in
        debt.noted_in.append(self.epoch)
        debt.heard = debt.arrived = debt.lost = False

    def _asked_to_speak(self) -> None:
        assert self.now >= self.answering_until
        self.answering_until = self.now + ANSWER_QUIET_S


TestOutbox = OutboxMachine.TestCase
TestOutbox.settings = settings(max_examples=150, stateful_step_count=40)
