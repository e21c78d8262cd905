"""A function call on its way through the house: checked, allowed, carried out, answered.

Above session and tools: neither knows the other. Each call id is carried out at most once;
every call gets exactly one outcome, whatever happens.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import assert_never

from devices.contract.text import clean
from gateway.bus import Bus
from gateway.clock import Clock
from gateway.events import CallAnswered, CallReceived, FunctionCall, LateOutcome
from gateway.outcome import Outcome, Status
from gateway.policy.confirm import Holds
from gateway.policy.limits import CallLimit
from gateway.policy.rules import Decision, PolicySettings, decide
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
        limit: CallLimit,
        holds: Holds[Plan],
        bus: Bus,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._limit = limit
        self._holds = holds
        self._bus = bus
        self._clock = clock
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
        self._bus.publish(CallReceived(call))
        started = self._clock.monotonic()
        answer = self._remember(key, call)
        try:
            outcome = await self._carry_out(call, tools)
        except asyncio.CancelledError:
            answer.set_result(_INTERRUPTED)
            raise
        except Exception:
            # The root of every call: whatever a tool does, the model is answered.
            log.exception("tool %s failed", clean(call.name, 64))
            outcome = Outcome(Status.ERROR, "Something went wrong in the gateway.")
        answer.set_result(outcome)
        self._bus.publish(CallAnswered(call, outcome, self._clock.monotonic() - started))
        return outcome

    async def _carry_out(self, call: FunctionCall, tools: ToolSet) -> Outcome:
        if call.problem:
            return Outcome(Status.INVALID, call.problem)
        if not self._limit.allows():
            return Outcome(Status.DENIED, "That is too many calls in one minute. Wait a little.")
        tool = tools.get(call.name)
        if tool is None:
            return _unknown_tool(call.name, tools)
        try:
            arguments = check(tool.parameters, call.arguments)
        except ArgumentError as error:
            return Outcome(Status.INVALID, str(error))
        plan = tool.plan(arguments)
        if isinstance(plan, Outcome):
            return plan
        return await self._decide(call, plan)

    async def _decide(self, call: FunctionCall, plan: Plan) -> Outcome:
        verdict = decide(plan.risk, len(plan.devices), self._settings, confirmed=plan.confirmed)
        match verdict.decision:
            case Decision.ALLOW:
                context = Context(call.call_id, partial(self._late, call), call.epoch)
                return await plan.run(context)
            case Decision.ASK:
                token = self._holds.hold(plan)
                question = f"{verdict.reason} Shall I {plan.summary}?"
                return Outcome(Status.NEEDS_CONFIRMATION, question, confirmation=token)
            case Decision.DENY:
                return Outcome(Status.DENIED, verdict.reason)
        assert_never(verdict.decision)

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


def _unknown_tool(name: str, tools: ToolSet) -> Outcome:
    hint = did_you_mean(name, tools.names)
    return Outcome(Status.UNKNOWN_TOOL, f"There is no tool {clean(name, 64)!r}.{hint}")


def _nobody(call: FunctionCall, outcome: Outcome) -> None:
    """No session: the bus has told it."""
