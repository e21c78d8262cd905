"""What is asked, and what breaks after which call. Pure: the seed decides everything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Any

from tests.faults.inventory import PLACES, Kind, Place


class Incident(StrEnum):
    """Something that breaks, and comes back."""

    BROKER_RESTARTS = "broker restarts"
    """cleanly: what is retained is there again"""
    BROKER_FORGETS = "broker forgets"
    """killed: it comes back with nothing"""
    SESSION_CLOSED = "session closed"
    """the service says goodbye"""
    SESSION_CUT = "session cut"
    """the connection breaks without a word"""
    SESSION_HALF_OPEN = "session half open"
    """nothing passes for a while, then it breaks"""
    SESSION_SLOW = "session slow"
    """a line of a few kilobytes a second for a while, then it breaks"""
    BROKER_CUT = "broker cut"
    """the gateway's own connection to the broker breaks"""
    BROKER_HALF_OPEN = "broker half open"
    """nothing passes between gateway and broker for a while, then it breaks"""
    GATEWAY_KILLED = "gateway killed"
    """kill -9, and a new process"""


_BROKER = (
    Incident.BROKER_RESTARTS,
    Incident.BROKER_FORGETS,
    Incident.BROKER_RESTARTS,
    Incident.BROKER_FORGETS,
    Incident.BROKER_CUT,
    Incident.BROKER_HALF_OPEN,
)
_SESSION = (
    Incident.SESSION_CLOSED,
    Incident.SESSION_CUT,
    Incident.SESSION_HALF_OPEN,
    Incident.SESSION_SLOW,
)


@dataclass(frozen=True, slots=True)
class Rates:
    """How many calls, and after how many of them each kind of thing breaks (0: never)."""

    calls: int = 20_000
    broker_each: int = 500
    session_each: int = 300
    kill_each: int = 2_000


@dataclass(frozen=True, slots=True)
class Ask:
    """One call, and the one thing that `place` must do for it."""

    number: int
    place: Place
    tool: str
    args: Mapping[str, Any]

    @property
    def arguments(self) -> dict[str, Any]:
        """As the model writes them."""
        return {"target": self.place.name, **self.args}


def incidents(rates: Rates, seed: int) -> Mapping[int, Sequence[Incident]]:
    """What breaks after call number N. Each kind keeps its pace, up to half a step early."""
    random = Random(f"incidents {seed}")
    found: dict[int, list[Incident]] = {}
    for each, kinds in (
        (rates.broker_each, _BROKER),
        (rates.session_each, _SESSION),
        (rates.kill_each, (Incident.GATEWAY_KILLED,)),
    ):
        steps = range(each, rates.calls + 1, each) if each else range(0)
        for turn, number in enumerate(steps):
            early = random.randrange(1, max(2, each // 2))
            found.setdefault(number - early, []).append(kinds[turn % len(kinds)])
    return found


def asks(calls: int, seed: int) -> Iterator[Ask]:
    """Call after call, numbered from 1: quick devices often, slow ones seldom."""
    random = Random(f"asks {seed}")
    weights = [_WEIGHTS[place.kind] for place in PLACES]
    turns = dict.fromkeys(PLACES, 0)
    for number in range(1, calls + 1):
        (place,) = random.choices(PLACES, weights)
        turns[place] += 1
        yield _ASKS[place.kind](number, place, turns[place])


_WEIGHTS: Mapping[Kind, float] = {
    Kind.LAMP: 10,
    Kind.BREWER: 10,
    Kind.LOCK: 3,
    Kind.BLIND: 2,
    Kind.THERMOSTAT: 6,
    Kind.LIAR: 3,
}


def _lamp(number: int, place: Place, turn: int) -> Ask:
    """Each call has a colour of its own, so that an actuation tells for which call it was."""
    if turn % 4 == 0:
        return Ask(number, place, "turn_off", {})
    color = f"#{0x100000 + number:06x}"
    args = {"brightness": 1 + turn % 100, "color": color}
    return Ask(number, place, "turn_on", args)


def _brewer(number: int, place: Place, turn: int) -> Ask:
    tool = ("brew_coffee", "brew_tea", "brew_coffee", "brew_soup")[turn % 4]
    return Ask(number, place, tool, {"order": number})


def _lock(number: int, place: Place, turn: int) -> Ask:
    return Ask(number, place, ("lock", "unlock")[turn % 2], {})


def _blind(number: int, place: Place, turn: int) -> Ask:
    position = turn * 35 % 101
    return Ask(number, place, "set_cover", {"position": position})


def _thermostat(number: int, place: Place, turn: int) -> Ask:
    return Ask(number, place, "set_climate", {"temperature": 5 + turn % 250 / 10})


_ASKS = {
    Kind.LAMP: _lamp,
    Kind.LIAR: _lamp,
    Kind.BREWER: _brewer,
    Kind.LOCK: _lock,
    Kind.BLIND: _blind,
    Kind.THERMOSTAT: _thermostat,
}
