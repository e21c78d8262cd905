"""What chance does to one message on its way. Pure: no socket, no clock, a seeded die."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

# A reordered message is overtaken by all that follows it within this time.
REORDER_S = 0.03


@dataclass(frozen=True, slots=True)
class Odds:
    """How likely each fault is, from 0 to 1; at most one strikes a message.

    `drop`: it never arrives. `duplicate`: it arrives twice. `garble`: garbage arrives in its
    place. `reorder`: what follows overtakes it. `delay`: it arrives `delay_s` later.
    """

    drop: float = 0.0
    duplicate: float = 0.0
    garble: float = 0.0
    reorder: float = 0.0
    delay: float = 0.0
    delay_s: float = 0.6


class Dealt(NamedTuple):
    """A packet to write, `after_s` from now."""

    after_s: float
    packet: bytes


class Dealer:
    """Throws the die for each message; `counts` says how often each fault struck."""

    def __init__(self, odds: Odds, random: Random) -> None:
        self._odds = odds
        self._random = random
        self.counts: Counter[str] = Counter()

    def deal(self, packet: bytes, garbled: Callable[[bytes], bytes]) -> Sequence[Dealt]:
        """What becomes of `packet`; `garbled` makes garbage of it."""
        fault = self._fault()
        self.counts[fault or "passed"] += 1
        match fault:
            case "drop":
                return []
            case "duplicate":
                return [Dealt(0, packet), Dealt(0, packet)]
            case "garble":
                return [Dealt(0, garbled(packet))]
            case "reorder":
                return [Dealt(REORDER_S, packet)]
            case "delay":
                return [Dealt(self._odds.delay_s, packet)]
        return [Dealt(0, packet)]

    def _fault(self) -> str:
        """The fault that strikes now, "" for none."""
        thrown = self._random.random()
        for name in ("drop", "duplicate", "garble", "reorder", "delay"):
            thrown -= getattr(self._odds, name)
            if thrown < 0:
                return name
        return ""
