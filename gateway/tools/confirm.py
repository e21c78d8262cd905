"""The tool that completes a call which policy has held back for a yes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from devices.contract.capability import Parameter, ParameterType
from gateway.outcome import Outcome, Status
from gateway.policy.confirm import Holds, Refusal
from gateway.tools.base import Plan

_REFUSED: Mapping[Refusal, tuple[Status, str]] = {
    Refusal.UNKNOWN: (Status.INVALID, "There is no such confirmation. Ask for the action again."),
    Refusal.USED: (Status.INVALID, "That was confirmed before; it is carried out only once."),
    Refusal.EXPIRED: (Status.EXPIRED, "That question is too old. Ask for the action again."),
}


class ConfirmTool:
    """Gives back the plan that was held, marked as confirmed. Each token works once."""

    name = "confirm"
    description = "Do what was held back, only after the user clearly said yes."
    parameters = (Parameter("confirmation", ParameterType.STRING),)

    def __init__(self, holds: Holds[Plan]) -> None:
        self._holds = holds

    def plan(self, arguments: Mapping[str, Any]) -> Plan | Outcome:
        """The held plan exactly as it was asked about, or why there is none."""
        held = self._holds.take(arguments["confirmation"])
        if isinstance(held, Refusal):
            status, message = _REFUSED[held]
            return Outcome(status, message)
        return replace(held, confirmed=True)
