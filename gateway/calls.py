"""A function call on its way through the house: checked, allowed, carried out, answered.

Above session and tools: neither knows the other. Each call id is carried out at most once,
and what cannot be done twice without harm is not done again for a new id at once. Every call
gets exactly one outcome, whatever happens.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, assert_never

from devices.contract.text import clean
from gateway.bus import Bus
from gateway.clock import Clock
from gateway.events import CallAnswered, CallReceived, FunctionCall, LateOutcome
from gateway.journal.masking import masked
from gateway.journal.records import Action
from gateway.outcome import Outcome, Status
from gateway.policy.confirm import Holds
from gateway.policy.limits import Limits, in_words
from gateway.policy.repeats import Repeats, key_of, may_have_acted
from gateway.policy.rules import Act, Decision, PolicySettings, Verdict, decide
from gateway.tools.arguments import ArgumentError, check
from gateway.tools.base import Context, Plan
from gateway.tools.names import did_you_mean
from gateway.tools.registry import ToolSet

log = logging.getLogger(__name__)

# Call ids whose outcome is remembered: hours of talking.
MAX_REMEMBERED = 4096

# What a repeat of a call gets whose first one was cancelled on its way.
_INTERRUPTED = Outcome(Status.TIMED_OUT, "That was interrupted; whether it was done is not known.")

_Key = tuple[int, str]


class Calls:
    """Answers calls. `on_late` takes what becomes of a call after it was answered."""

    def __init__(
        self,
        settings: PolicySettings,
        limits: Limits,
        holds: Holds[Plan],
        bus: Bus,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._limits = limits
        self._holds = holds
        self._bus = bus
        self._clock = clock
        self._repeats = Repeats(clock)
        self._answers: OrderedDict[_Key, asyncio.Future[Outcome]] = OrderedDict()
        self._asked: dict[_Key, FunctionCall] = {}
        self.on_late: Callable[[FunctionCall, Outcome], None] = _nobody

    async def answer(self, call: FunctionCall, tools: ToolSet) -> Outcome:
        """The one outcome of `call`, with the `tools` that were in force when it came.

        A repeated call id gets the first one's outcome, or is refused when it asks for
        something else; it is never carried out again. Raises nothing but CancelledError.
        """
        key = (call.epoch, call.call_id)
        first = self._answers.get(key)
        if first is not None:
            return await self._repeated(key, call, first)
        shown = _without_secrets(call)
        self._bus.publish(CallReceived(shown))
        started = self._clock.monotonic()
        answer = self._remember(key, call)
        try:
            outcome = await self._carry_out(call, tools, answer)
        except asyncio.CancelledError:
            answer.set_result(_INTERRUPTED)
            raise
        except Exception:
            # The root of every call: whatever a tool does, the model is answered.
            log.exception("tool %s failed", clean(call.name, 64))
            outcome = Outcome(Status.ERROR, "Something went wrong in the gateway.")
        answer.set_result(outcome)
        self._bus.publish(CallAnswered(shown, outcome, self._clock.monotonic() - started))
        return outcome

    def recall(self, actions: Iterable[Action]) -> None:
        """What a run before this one did, the oldest first: asked again at once, it is not done."""
        now = self._clock.wall().timestamp()
        for action in actions:
            key = key_of(action.tool, action.arguments)
            if self._repeats.first(key) is None:
                answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
                answer.set_result(_as_known(action))
                self._repeats.came(key, answer, now - action.at)

    async def _carry_out(
        self, call: FunctionCall, tools: ToolSet, answer: asyncio.Future[Outcome]
    ) -> Outcome:
        if call.problem:
            return Outcome(Status.INVALID, call.problem)
        wait_s = self._limits.call()
        planned = _plan(call, tools)
        if wait_s and not (isinstance(planned, _Planned) and planned.plan.makes_safe):
            again = in_words(wait_s)
            return Outcome(
                Status.DENIED, f"That is too many calls in one minute. Try again {again}."
            )
        if isinstance(planned, Outcome):
            return planned
        return await self._once(call, planned, answer)

    async def _once(
        self, call: FunctionCall, planned: _Planned, answer: asyncio.Future[Outcome]
    ) -> Outcome:
        """Carry it out, unless that was done a moment ago for another call."""
        if planned.plan.idempotent:
            return await self._decide(call, planned.plan)
        key = key_of(call.name, planned.arguments)
        while (first := self._repeats.first(key)) is not None:
            log.info("%s came again under another id; it is done once", clean(call.name, 64))
            outcome = await asyncio.shield(first)
            if may_have_acted(outcome):
                return outcome
        self._repeats.came(key, answer)
        return await self._decide(call, planned.plan)

    async def _decide(self, call: FunctionCall, plan: Plan) -> Outcome:
        acts = plan.acts or (Act(call.name),)
        now = self._clock.wall().astimezone()
        verdict = decide(acts, self._settings, now, agreed=plan.agreed)
        match verdict.decision:
            case Decision.ALLOW:
                return self._too_often(plan) or await self._run(call, plan)
            case Decision.ASK:
                return self._held(plan, verdict)
            case Decision.DENY:
                return Outcome(Status.DENIED, verdict.reason)
        assert_never(verdict.decision)

    def _too_often(self, plan: Plan) -> Outcome | None:
        """The refusal, when a device of `plan` had too many commands; else they count."""
        names = {act.device_id: act.name for act in plan.acts if act.held_back}
        limited = self._limits.commands(names)
        if limited is None:
            return None
        device_id, wait_s = limited
        words = f"{names[device_id]} had too many commands in one minute."
        return Outcome(Status.DENIED, f"{words} Try again {in_words(wait_s)}.")

    def _held(self, plan: Plan, verdict: Verdict) -> Outcome:
        if verdict.pin and (locked_s := self._holds.locked_s()):
            again = in_words(locked_s)
            return Outcome(Status.DENIED, f"The PIN was wrong too often. Try again {again}.")
        question = f"{verdict.reason} Shall I {plan.summary}?"
        if verdict.pin:
            question += " Please say the PIN."
        token = self._holds.hold(plan, with_pin=verdict.pin)
        return Outcome(Status.NEEDS_CONFIRMATION, question, confirmation=token)

    async def _run(self, call: FunctionCall, plan: Plan) -> Outcome:
        return await plan.run(Context(call.call_id, partial(self._late, call), call.epoch))

    async def _repeated(
        self, key: _Key, call: FunctionCall, first: asyncio.Future[Outcome]
    ) -> Outcome:
        asked = self._asked[key]
        if (asked.name, asked.arguments) != (call.name, call.arguments):
            log.warning("call id %s came again with another request", clean(call.call_id, 64))
            return Outcome(Status.INVALID, "This call id was used for another request before.")
        log.info("call id %s came again; it is carried out once", clean(call.call_id, 64))
        return await asyncio.shield(first)

    def _remember(self, key: _Key, call: FunctionCall) -> asyncio.Future[Outcome]:
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._answers[key] = answer
        self._asked[key] = call
        if len(self._answers) > MAX_REMEMBERED:
            oldest, _ = self._answers.popitem(last=False)
            del self._asked[oldest]
        return answer

    def _late(self, call: FunctionCall, outcome: Outcome) -> None:
        self._bus.publish(LateOutcome(call.call_id, outcome, call.epoch))
        self.on_late(call, outcome)


@dataclass(frozen=True, slots=True)
class _Planned:
    """A plan, and the checked arguments that it is for."""

    plan: Plan
    arguments: Mapping[str, Any]


def _plan(call: FunctionCall, tools: ToolSet) -> _Planned | Outcome:
    """What `call` would do, or the outcome that refuses it. Touches nothing."""
    tool = tools.get(call.name)
    if tool is None:
        return _unknown_tool(call.name, tools)
    try:
        arguments = check(tool.parameters, call.arguments)
    except ArgumentError as error:
        return Outcome(Status.INVALID, str(error))
    plan = tool.plan(arguments)
    return plan if isinstance(plan, Outcome) else _Planned(plan, arguments)


def _as_known(action: Action) -> Outcome:
    """The last word on a call of the past."""
    if action.known not in {status.value for status in Status}:
        return _INTERRUPTED
    message = action.later.message if action.later else action.message
    return Outcome(Status(action.known), message, action.target)


def _without_secrets(call: FunctionCall) -> FunctionCall:
    arguments, has_secret = masked(call.arguments)
    return replace(call, arguments=arguments) if has_secret else call


def _unknown_tool(name: str, tools: ToolSet) -> Outcome:
    hint = did_you_mean(name, tools.names)
    return Outcome(Status.UNKNOWN_TOOL, f"There is no tool {clean(name, 64)!r}.{hint}")


def _nobody(call: FunctionCall, outcome: Outcome) -> None:
    """No session: the bus has told it."""
