"""Questions to the house: how something stands, and what there is. They change nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from devices.contract.capability import Parameter, ParameterType
from gateway.directory import Directory
from gateway.outcome import Outcome, Status
from gateway.policy.rules import Act
from gateway.tools import speech
from gateway.tools.base import Context, Plan
from gateway.tools.device import target
from gateway.tools.entries import Entry
from gateway.tools.kinds import KIND_WORDS
from gateway.tools.names import did_you_mean, fold, nearest
from gateway.tools.target import House, Match

# What fits into an outcome; a longer answer would be cut there.
MAX_LISTED = 20
_MINUTE_S, _HOUR_S = 60, 3600


@dataclass(frozen=True, slots=True)
class GetState:
    """Tells what devices report, and how old that is."""

    house: House
    directory: Directory
    parameters: tuple[Parameter, ...]
    name: str = "get_state"
    description: str = "Read the state of devices, with its age."

    def plan(self, arguments: Mapping[str, Any]) -> Plan | Outcome:
        """The reading; no device is touched."""
        match = self.house.resolve(arguments["target"], "")
        if isinstance(match, Outcome):
            return match
        found = match

        async def run(_: Context) -> Outcome:
            return self._read(found)

        acts = (
            Act(self.name, name=e.name, device_id=e.id, area=e.area, reads=True)
            for e in match.entries
        )
        return Plan(f"read {match.label}", run, tuple(acts), idempotent=True)

    def _read(self, match: Match) -> Outcome:
        if not match.group:
            entry = match.entries[0]
            data, state = self._data(entry), dict(entry.device.state)
            return Outcome(Status.ANSWER, self._told(entry), match.label, state, data)
        rows = [{"name": e.name, **self._data(e)} for e in match.entries[:MAX_LISTED]]
        told = speech.listing(self._sentence(e) for e in match.entries)
        return Outcome(Status.ANSWER, told, match.label, data=rows)

    def _data(self, entry: Entry) -> dict[str, Any]:
        device = entry.device
        age_s = self.directory.age_s(device)
        return {
            "state": dict(device.state),
            "age_s": None if age_s is None else round(age_s, 1),
            "online": device.online,
        }

    def _told(self, entry: Entry) -> str:
        age_s = self.directory.age_s(entry.device)
        if not entry.device.state:
            return self._sentence(entry)
        age = "I do not know how old that is." if age_s is None else f"Heard {_ago(age_s)}."
        return f"{self._sentence(entry)} {age}"

    def _sentence(self, entry: Entry) -> str:
        units = {c.name: c.unit for c in entry.description.capabilities if c.name and c.unit}
        words = speech.state_sentence(entry.name, entry.device.state, units)
        words = words or f"{entry.name} has not reported anything yet."
        offline = entry.device.online is False
        return f"{entry.name} is offline now. Before: {words}" if offline else words


@dataclass(frozen=True, slots=True)
class FindDevices:
    """Finds names, for houses whose names are too many to list."""

    house: House
    name: str = "find_devices"
    description: str = "Find device names by part of a name, area or kind."
    parameters: tuple[Parameter, ...] = (
        Parameter("query", ParameterType.STRING, required=False),
        Parameter("area", ParameterType.STRING, required=False),
        Parameter("kind", ParameterType.STRING, "light, lock, blind, ...", required=False),
    )

    def plan(self, arguments: Mapping[str, Any]) -> Plan | Outcome:
        """The search; no device is touched."""

        async def run(_: Context) -> Outcome:
            return self._found(arguments)

        return Plan("look for devices", run, (Act(self.name, reads=True),), idempotent=True)

    def _found(self, arguments: Mapping[str, Any]) -> Outcome:
        area, kind = arguments.get("area", ""), arguments.get("kind", "")
        if area and not self.house.in_area(area):
            hint = did_you_mean(area, self.house.areas)
            return Outcome(Status.ANSWER, f"There is no such area.{hint}", data=[])
        entries = self.house.in_area(area) if area else self.house.entries
        if kind:
            word, _ = KIND_WORDS.get(fold(kind), (fold(kind), True))
            entries = tuple(e for e in entries if word in e.kinds)
        return self._answer(_matching(entries, arguments.get("query", "")))

    def _answer(self, entries: tuple[Entry, ...]) -> Outcome:
        if not entries:
            return Outcome(Status.ANSWER, "I found no such device.", data=[])
        rows = [self._row(e) for e in entries[:MAX_LISTED]]
        count = len(entries)
        told = "I found one device." if count == 1 else f"I found {count} devices."
        if count > MAX_LISTED:
            told += f" These are the first {MAX_LISTED}."
        return Outcome(Status.ANSWER, told, data=rows)

    def _row(self, entry: Entry) -> dict[str, str]:
        row = {"name": entry.name, "area": entry.area, "kind": entry.kind}
        if len(self.house.named(entry.name)) > 1:
            # Its name alone would be ambiguous; the id is understood as a target too.
            row["target"] = entry.id
        return row


def _matching(entries: tuple[Entry, ...], query: str) -> tuple[Entry, ...]:
    """Those with every word of `query` in a name, else with area and kind, else the nearest."""
    words = fold(query).split()
    if not words:
        return entries
    for text in (_names, _everything):
        found = tuple(e for e in entries if all(word in text(e) for word in words))
        if found:
            return found
    by_name = {e.name: e for e in entries}
    return tuple(by_name[name] for name in nearest(query, tuple(by_name), MAX_LISTED // 2))


def _names(entry: Entry) -> str:
    return fold(" ".join((entry.name, *entry.description.aliases)))


def _everything(entry: Entry) -> str:
    return f"{_names(entry)} {fold(entry.area)} {entry.kind}"


def _ago(age_s: float) -> str:
    for unit_s, word in ((_HOUR_S, "hour"), (_MINUTE_S, "minute")):
        if age_s >= unit_s:
            count = int(age_s // unit_s)
            return f"{count} {word}{'' if count == 1 else 's'} ago"
    return f"{age_s:.0f} second{'' if round(age_s) == 1 else 's'} ago"


def reading_tools(house: House, directory: Directory) -> list[GetState | FindDevices]:
    """get_state and find_devices, when there is anything to ask about."""
    if not house.entries:
        return []
    return [GetState(house, directory, (target(house, ""),)), FindDevices(house)]
