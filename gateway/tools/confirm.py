"""The tool that completes a call which policy has held back for a yes, or for the PIN."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from devices.contract.capability import Parameter, ParameterType
from gateway.outcome import Outcome, Status
from gateway.policy.confirm import Holds, Refusal
from gateway.policy.limits import in_words
from gateway.tools.base import Context, Plan

_REFUSED: Mapping[Refusal, tuple[Status, str]] = {
    Refusal.UNKNOWN: (Status.INVALID, "There is no such confirmation. Ask for the action again."),
    Refusal.USED: (Status.INVALID, "That was confirmed before; it is carried out only once."),
    Refusal.EXPIRED: (Status.EXPIRED, "That question is too old. Ask for the action again."),
    Refusal.PIN_MISSING: (Status.NEEDS_CONFIRMATION, "That needs the PIN. What is it?"),
    Refusal.PIN_WRONG: (Status.NEEDS_CONFIRMATION, "That PIN is wrong. What is it?"),
    Refusal.PIN_SPENT: (
        Status.DENIED,
        "The PIN was wrong too often for this. Ask for the action again.",
    ),
}
_TOKEN = Parameter("confirmation", ParameterType.STRING)
_PIN = Parameter("pin", ParameterType.STRING, "Only as the user said it", required=False)


class ConfirmTool:
    """Does what was held, exactly as it was asked about. Each token works once.

    It takes a PIN only in a house that has one. Policy decides anew before the plan runs.
    """

    name = "confirm"
    description = "Do what was held back, only after the user clearly said yes."

    def __init__(self, holds: Holds[Plan]) -> None:
        self._holds = holds
        self.parameters = (_TOKEN, _PIN) if holds.has_pin else (_TOKEN,)

    def plan(self, arguments: Mapping[str, Any]) -> Plan | Outcome:
        """The held plan, which uses up the token when it runs; or why there is none."""
        token, pin = arguments["confirmation"], arguments.get("pin", "")
        held = self._holds.look(token)
        if isinstance(held, Refusal):
            return self._refused(held, token)

        async def run(context: Context) -> Outcome:
            taken = self._holds.take(token, pin)
            if isinstance(taken, Refusal):
                return self._refused(taken, token)
            return await taken.run(context)

        # The token sees to it that it is done once.
        return replace(held, run=run, agreed=True, idempotent=True)

    def _refused(self, why: Refusal, token: str) -> Outcome:
        if why is Refusal.PIN_LOCKED:
            again = in_words(self._holds.locked_s())
            return Outcome(Status.DENIED, f"The PIN was wrong too often. Try again {again}.")
        status, message = _REFUSED[why]
        kept = token if status is Status.NEEDS_CONFIRMATION else ""
        return Outcome(status, message, confirmation=kept)
