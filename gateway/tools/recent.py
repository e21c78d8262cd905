"""The tool that tells what was done: "what did you do last night?", from the journal.

It tells what is on record and nothing else. What is not known to be done is never told as
done.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Any, Protocol

from devices.contract.capability import Parameter, ParameterType
from devices.contract.text import clean
from gateway.clock import Clock
from gateway.errors import JournalError
from gateway.journal.masking import MASK
from gateway.journal.queries import Wanted
from gateway.journal.records import Action
from gateway.outcome import Outcome, Status
from gateway.policy.repeats import WINDOW_S, key_of
from gateway.policy.rules import Act
from gateway.tools.base import Context, Plan
from gateway.tools.speech import MAX_TOLD
from gateway.tools.target import House, Match

log = logging.getLogger(__name__)

DEFAULT_MINUTES = 60
MAX_MINUTES = 7 * 24 * 60
# More calls than this are not counted any further.
MAX_COUNTED = 200
# What rows may take of an outcome's 2,000 bytes; the sentence needs the rest.
MAX_ROWS_BYTES = 800
MAX_NAME_LENGTH = 40
MAX_DETAILS_LENGTH = 40
# In a larger group nobody looks for devices one by one.
MAX_NAMED_DEVICES = 1_000
_HOUR, _DAY = 60, 24 * 60

# Questions, and calls that were turned back before anything could happen, are no actions.
_QUESTIONS = ("get_state", "find_devices", "recent_actions")
_TURNED_BACK = ("needs_confirmation", "invalid", "unknown_tool", "unknown_target")
# The word for a call that was answered with what an earlier one had done.
REPEATED = "repeated"


class Past(Protocol):
    """What this tool knows of the journal."""

    async def recent(self, wanted: Wanted, limit: int) -> Sequence[Action]:
        """At most `limit` calls, the newest first. Raises JournalError."""


@dataclass(frozen=True, slots=True)
class RecentActions:
    """Tells what was done lately, by local time; `zone` None is the machine's own."""

    house: House
    past: Past
    clock: Clock
    zone: tzinfo | None = None
    name: str = "recent_actions"
    description: str = "Tell what was done lately, with times and outcomes."
    parameters: tuple[Parameter, ...] = (
        Parameter(
            "target", ParameterType.STRING, "Device or area; all if left out", required=False
        ),
        Parameter(
            "minutes",
            ParameterType.INTEGER,
            f"How far back; {DEFAULT_MINUTES} if left out",
            required=False,
            minimum=1,
            maximum=MAX_MINUTES,
        ),
    )

    def plan(self, arguments: Mapping[str, Any]) -> Plan | Outcome:
        """The reading; no device is touched."""

        async def run(_: Context) -> Outcome:
            return await self._answer(arguments)

        act = Act(self.name, reads=True)
        return Plan("look into the journal", run, (act,), idempotent=True)

    async def _answer(self, arguments: Mapping[str, Any]) -> Outcome:
        minutes = arguments.get("minutes", DEFAULT_MINUTES)
        target = arguments.get("target", "")
        match = self.house.resolve(target, "") if target else None
        label = clean(target, MAX_NAME_LENGTH)
        about: tuple[str, ...] = (target,) if target else ()
        if isinstance(match, Match):
            label, about = match.label, self._about(match)
        try:
            actions = await self.past.recent(self._wanted(minutes, about), MAX_COUNTED)
        except JournalError as error:
            log.warning("%s", error)
            return Outcome(Status.ERROR, "I cannot read the journal now.")
        if isinstance(match, Outcome) and not actions:
            # Neither the house nor the journal knows it: the house has the better answer.
            return match
        return self._told(label, minutes, _with_repeats(actions))

    def _about(self, match: Match) -> tuple[str, ...]:
        """The ids and names of what is meant; () when that is the whole house."""
        if match.group and len(match.entries) == len(self.house.entries):
            return ()
        entries = match.entries[:MAX_NAMED_DEVICES]
        return (match.label, *(e.id for e in entries), *(e.name for e in entries))

    def _wanted(self, minutes: int, about: tuple[str, ...]) -> Wanted:
        since = self.clock.wall().timestamp() - minutes * 60
        return Wanted(since, about, but_tools=_QUESTIONS, but_statuses=_TURNED_BACK)

    def _told(self, label: str, minutes: int, actions: Sequence[Action]) -> Outcome:
        period = _period(minutes)
        if not actions:
            of = f" with {label}" if label else ""
            return Outcome(Status.ANSWER, f"I did nothing{of} in {period}.", label, data=[])
        told = "; ".join(f"{self._when(a.at)} {_sentence(a)}" for a in actions[:MAX_TOLD])
        message = f"In {period}: {told}.{_more(len(actions))}"
        return Outcome(Status.ANSWER, message, label, data=_fitting(map(self._row, actions)))

    def _row(self, action: Action) -> dict[str, Any]:
        at = f"{self._local(action.at):%Y-%m-%d %H:%M}"
        return {"at": at, "asked": _phrases(action)[0], "status": action.known or "unanswered"}

    def _when(self, at: float) -> str:
        """As people say it: the day only where it is not today."""
        then, today = self._local(at), self._local(self.clock.wall().timestamp())
        match (today.date() - then.date()).days:
            case 0:
                day = ""
            case 1:
                day = "yesterday "
            case 7:
                day = "a week ago "
            case _:
                day = f"on {then:%A} "
        return f"{day}at {then:%H:%M}"

    def _local(self, at: float) -> datetime:
        return datetime.fromtimestamp(at).astimezone(self.zone)


def _with_repeats(actions: Sequence[Action]) -> list[Action]:
    """`actions`, the newest first, with those that did nothing of their own as REPEATED."""
    done_at: dict[str, float] = {}
    told: list[Action] = []
    for action in reversed(actions):
        key = key_of(action.tool, action.arguments)
        is_again = action.at - done_at.get(key, -WINDOW_S) < WINDOW_S
        if is_again and not action.commands and action.known in _DONE:
            told.append(replace(action, status=REPEATED, later=None))
            continue
        done_at[key] = action.at
        told.append(action)
    return told[::-1]


# --- in words --------------------------------------------------------------------------------


def _sentence(action: Action) -> str:
    """What was asked and what came of it; done only with evidence."""
    ask, did = _phrases(action)
    if action.known == Status.ANSWER:
        return f"I {did}"
    if action.known == Status.CONFIRMED:
        return f"I {did} (confirmed)"
    return f"I was asked to {ask}: {_ENDS.get(action.known, _NOT_KNOWN)}"


def _phrases(action: Action) -> tuple[str, str]:
    """What was asked ("unlock Front door"), and the same as something done."""
    tool, args = _asked(action)
    target = clean(action.target or str(action.arguments.get("target", "")), MAX_NAME_LENGTH)
    words = _VERBS.get(tool)
    if tool == "set_cover" and (end := _ENDS_OF_COVER.get(str(args.get("position")))):
        words = end
        del args["position"]
    if words is None:
        what = f"“{_words(args.pop('action', tool))}”"
        words = (f"do {what} with", f"did {what} with")
        if not target:
            words = (f"use {what}", f"used {what}")
    if tool == "confirm" and target:
        target = f"for {target}"
    rest = [part for part in (target, _details(args)) if part]
    return " ".join([words[0], *rest]), " ".join([words[1], *rest])


def _asked(action: Action) -> tuple[str, dict[str, Any]]:
    """The verb and its arguments; of what was held back, those of the command itself."""
    if action.tool == "confirm" and action.commands:
        return action.commands[0].command, dict(action.commands[0].args)
    return action.tool, {k: v for k, v in action.arguments.items() if k != "target"}


def _details(args: Mapping[str, Any]) -> str:
    told = (f"{_words(k)} {_words(v)}" for k, v in args.items() if v not in (None, MASK))
    details = clean(", ".join(told), MAX_DETAILS_LENGTH)
    return f"with {details}" if details else ""


def _words(text: object) -> str:
    return clean(str(text).replace("_", " "), MAX_NAME_LENGTH)


_VERBS: Mapping[str, tuple[str, str]] = {
    "turn_on": ("turn on", "turned on"),
    "turn_off": ("turn off", "turned off"),
    "set_cover": ("move", "moved"),
    "stop": ("stop", "stopped"),
    "lock": ("lock", "locked"),
    "unlock": ("unlock", "unlocked"),
    "set_climate": ("set", "set"),
    "set_fan": ("set", "set"),
    "set_value": ("set", "set"),
    "press": ("press", "pressed"),
    "confirm": ("do what was held back", "did what was held back"),
}
_ENDS_OF_COVER = {"0": ("close", "closed"), "100": ("open", "opened")}

_DONE = (Status.CONFIRMED, Status.ANSWER)
_NOT_KNOWN = "whether it was done is not known"
_ENDS: Mapping[str, str] = {
    "": "no outcome is on record yet",
    Status.ALREADY: "it was so already",
    Status.PARTIAL: "only a part of it was done",
    Status.FAILED: "it failed",
    Status.REJECTED: "it was refused",
    Status.OFFLINE: "it was offline",
    Status.EXPIRED: "it could not be reached in time",
    Status.SUPERSEDED: "something newer took its place",
    Status.DENIED: "that was not allowed",
    Status.ERROR: "something went wrong",
    REPEATED: "it had been done a moment before, and was not done again",
}


def _period(minutes: int) -> str:
    """ "the last 2 hours"."""
    for length, word in ((_DAY, "day"), (_HOUR, "hour"), (1, "minute")):
        if minutes % length == 0:
            count = minutes // length
            return f"the last {word}" if count == 1 else f"the last {count} {word}s"
    raise AssertionError(minutes)


def _more(count: int) -> str:
    if count <= MAX_TOLD:
        return ""
    return " And many more." if count == MAX_COUNTED else f" And {count - MAX_TOLD} more."


def _fitting(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """As many rows as have room, from the first."""
    kept: list[dict[str, Any]] = []
    left = MAX_ROWS_BYTES
    for row in rows:
        left -= len(json.dumps(row, ensure_ascii=False).encode())
        if left < 0:
            break
        kept.append(row)
    return kept
