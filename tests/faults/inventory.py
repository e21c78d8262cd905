"""The devices of the driver's house, by kind: what house and schedule must agree on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

ROOT = "faults"
ROOMS = ("Kitchen", "Bedroom", "Study", "Hall", "Cellar")


class Kind(StrEnum):
    """What a device is."""

    LAMP = "lamp"
    BREWER = "brewer"
    LOCK = "lock"
    BLIND = "blind"
    THERMOSTAT = "thermostat"
    LIAR = "liar"
    """a lamp that sometimes claims success, does nothing, and reports so"""

    @property
    def at_once(self) -> int:
        """How many calls such a device gets at a time: a second one waits, or replaces it."""
        return 2 if self is Kind.LAMP else 1

    @property
    def repeated(self) -> bool:
        """Whether its calls are made again when their session ended without a result."""
        return self is Kind.BREWER


COUNTS: Mapping[Kind, int] = {
    Kind.LAMP: 9,
    Kind.BREWER: 4,
    Kind.LOCK: 2,
    Kind.BLIND: 3,
    Kind.THERMOSTAT: 1,
    Kind.LIAR: 1,
}


@dataclass(frozen=True, slots=True)
class Place:
    """One device: what it is and what it is called."""

    kind: Kind
    number: int

    @property
    def device_id(self) -> str:
        """As in topics."""
        return f"{self.kind.value}-{self.number}"

    @property
    def name(self) -> str:
        """As the model calls it."""
        return f"{self.kind.value.capitalize()} {self.number}"

    @property
    def room(self) -> str:
        """Where it stands."""
        return ROOMS[self.number % len(ROOMS)]


PLACES = tuple(Place(kind, n) for kind, count in COUNTS.items() for n in range(1, count + 1))
