"""Whether a call may be carried out: one pure function of its risk and its reach.

It decides; it never asks, waits or acts.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from devices.contract.capability import Risk


class Decision(StrEnum):
    """What becomes of a call."""

    ALLOW = "allow"
    ASK = "ask"
    """hold it until the user has said yes"""
    DENY = "deny"


@dataclass(frozen=True, slots=True)
class PolicySettings:
    """The rules of this house.

    `guarded` and `forbidden` say what becomes of calls of that risk. A call that touches
    more than `ask_above_devices` devices is asked about, whatever its risk.
    """

    guarded: Decision = Decision.ASK
    forbidden: Decision = Decision.DENY
    ask_above_devices: int = 8


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision, and why as a sentence; "" when it is allowed."""

    decision: Decision
    reason: str = ""


_ALLOWED = Verdict(Decision.ALLOW)


def decide(risk: Risk, device_count: int, settings: PolicySettings, *, confirmed: bool) -> Verdict:
    """What becomes of a call that touches `device_count` devices at `risk`.

    `confirmed`: the user has said yes to it; that answers a question and lifts no ban.
    """
    rule = _rule(risk, settings)
    if rule == Decision.DENY:
        return Verdict(Decision.DENY, f"The rules of this house do not allow that: it is {risk}.")
    if confirmed:
        return _ALLOWED
    if rule == Decision.ASK:
        return Verdict(Decision.ASK, "That needs a clear yes first.")
    if device_count > settings.ask_above_devices:
        return Verdict(Decision.ASK, f"That would touch {device_count} devices.")
    return _ALLOWED


def _rule(risk: Risk, settings: PolicySettings) -> Decision:
    match risk:
        case Risk.GUARDED:
            return settings.guarded
        case Risk.FORBIDDEN:
            return settings.forbidden
        case Risk.NORMAL:
            return Decision.ALLOW
