"""Whether a call may be carried out: one pure function of what it would do and when.

It decides; it never asks, waits or acts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from devices.contract.capability import Risk
from gateway.policy.hours import Hours


class Decision(StrEnum):
    """What becomes of a call."""

    ALLOW = "allow"
    ASK = "ask"
    """hold it until the user has said yes"""
    DENY = "deny"


_SEVERITY = (Decision.ALLOW, Decision.ASK, Decision.DENY)


@dataclass(frozen=True, slots=True)
class Act:
    """What a call would do to one device, or without any ("" for id, name and area).

    `tool` is the tool's name, or that of the device's command. `makes_safe`: it stops or
    locks something. `reads`: it changes nothing.
    """

    tool: str
    risk: Risk = Risk.NORMAL
    device_id: str = ""
    name: str = ""
    area: str = ""
    makes_safe: bool = False
    reads: bool = False

    @property
    def held_back(self) -> bool:
        """Whether it is something that limits, questions and the PIN are for."""
        return bool(self.device_id) and not (self.makes_safe or self.reads)


@dataclass(frozen=True, slots=True)
class Rule:
    """What `then` becomes of acts for which all given conditions hold; empty ones always do.

    `areas` are written without capitals. `because` is a sentence to speak.
    """

    then: Decision
    tools: frozenset[str] = frozenset()
    devices: frozenset[str] = frozenset()
    areas: frozenset[str] = frozenset()
    hours: Hours | None = None
    because: str = ""

    def covers(self, act: Act, now: datetime) -> bool:
        """Whether it decides on `act`. On a reading only when it names the tool."""
        if act.tool not in self.tools and (self.tools or act.reads):
            return False
        return (
            (not self.devices or act.device_id in self.devices)
            and (not self.areas or act.area.casefold() in self.areas)
            and (self.hours is None or self.hours.hold(now))
        )

    def names(self, act: Act) -> bool:
        """Whether it means exactly this device, or this tool where there is no device."""
        return act.device_id in self.devices if act.device_id else act.tool in self.tools


@dataclass(frozen=True, slots=True)
class PolicySettings:
    """The rules of this house.

    The first of `rules` that covers an act decides on it, else its risk does, as `guarded`
    and `forbidden` say. A call that touches more than `ask_above_devices` devices is asked
    about. Acts on `pin_devices` (ids) wait for the PIN, whatever allows them.
    """

    guarded: Decision = Decision.ASK
    forbidden: Decision = Decision.DENY
    ask_above_devices: int = 8
    rules: Sequence[Rule] = ()
    pin_devices: frozenset[str] = frozenset()

    def by_risk(self, risk: Risk) -> Decision:
        """What becomes of an act that no rule covers."""
        match risk:
            case Risk.GUARDED:
                return self.guarded
            case Risk.FORBIDDEN:
                return self.forbidden
            case Risk.NORMAL:
                return Decision.ALLOW


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision, and why as a sentence; "" when it is allowed. `pin`: a yes is not enough."""

    decision: Decision
    reason: str = ""
    pin: bool = False


_ALLOWED = Verdict(Decision.ALLOW)


def decide(
    acts: Sequence[Act], settings: PolicySettings, now: datetime, *, agreed: bool
) -> Verdict:
    """What becomes of a call that would do `acts` at the local time `now`.

    Each act is decided by itself, and the strictest decision holds for all. `agreed`: the
    user has said yes (and the PIN) to it; that answers a question and lifts no ban.
    """
    verdicts = [_one(act, settings, now) for act in acts]
    worst = max(verdicts, key=lambda v: _SEVERITY.index(v.decision), default=_ALLOWED)
    if any(verdict != worst for verdict in verdicts):
        name = acts[verdicts.index(worst)].name
        worst = Verdict(worst.decision, f"{name}: {worst.reason}")
    if worst.decision is Decision.DENY:
        return worst
    return _ALLOWED if agreed else _question(acts, settings, worst)


def _question(acts: Sequence[Act], settings: PolicySettings, worst: Verdict) -> Verdict:
    """What must be asked before `acts`, of which none is denied."""
    touched = [act for act in acts if act.held_back]
    if any(act.device_id in settings.pin_devices for act in touched):
        return Verdict(Decision.ASK, worst.reason or "That needs the PIN.", pin=True)
    if worst.decision is Decision.ASK:
        return worst
    if len(touched) > settings.ask_above_devices:
        return Verdict(Decision.ASK, f"That would touch {len(touched)} devices.")
    return _ALLOWED


def _one(act: Act, settings: PolicySettings, now: datetime) -> Verdict:
    rule = _deciding(act, settings, now)
    because = "" if rule is None else rule.because
    match settings.by_risk(act.risk) if rule is None else rule.then:
        case Decision.DENY:
            return Verdict(Decision.DENY, because or _forbidden(act, rule))
        case Decision.ASK if not act.makes_safe:
            return Verdict(Decision.ASK, because or "That needs a clear yes first.")
    return _ALLOWED


def _deciding(act: Act, settings: PolicySettings, now: datetime) -> Rule | None:
    """The rule that decides, None when the risk does. A broad rule lifts no ban."""
    rule = next((rule for rule in settings.rules if rule.covers(act, now)), None)
    if rule is None or act.risk is not Risk.FORBIDDEN or rule.names(act):
        return rule
    by_risk = settings.by_risk(act.risk)
    return None if _SEVERITY.index(rule.then) < _SEVERITY.index(by_risk) else rule


def _forbidden(act: Act, rule: Rule | None) -> str:
    why = f": it is {act.risk}" if rule is None else ""
    return f"The rules of this house do not allow that{why}."
