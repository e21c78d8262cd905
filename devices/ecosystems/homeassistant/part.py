"""What one announced entity can do, tell and be told: the form that every component takes.

A part is data and small functions; it knows no topic index, no device and no other part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from devices.contract.capability import Capability
from devices.contract.command import Evidence, Scalar
from devices.contract.errors import CommandRefusedError

State = Mapping[str, Scalar]
Args = Mapping[str, Scalar]


@dataclass(frozen=True, slots=True)
class Trip:
    """What a report means that is a failure: `code` and a sentence; `keys` as in `Trouble`."""

    code: str
    message: str
    keys: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Source:
    """One topic that tells something of the entity.

    `read` takes what the template made of a message and gives the keys that it tells, {} for
    what it does not understand. `trip` says whether that is a failure. `evidence` is what a
    live message proves at best.
    """

    topic: str
    template: str
    read: Callable[[str], State]
    evidence: Evidence = Evidence.ECHOED
    trip: Callable[[str], Trip | None] = lambda _: None


@dataclass(frozen=True, slots=True)
class Order:
    """What to publish (topic and payload, in order), and what will then be seen."""

    messages: tuple[tuple[str, str], ...]
    state: State = field(default_factory=dict)
    needs: Evidence = Evidence.PUBLISHED


Obey = Callable[[Args], Order]
"""One standard verb with its arguments. Raises CommandRefusedError."""

Set = Callable[[Scalar], Order]
"""A new value. Raises CommandRefusedError."""

Press = Callable[[], Order]
"""A press. Raises CommandRefusedError."""


@dataclass(frozen=True, slots=True)
class Part:
    """One entity, or a piece of one: standard verbs, named values, named buttons."""

    capabilities: tuple[Capability, ...] = ()
    sources: tuple[Source, ...] = ()
    verbs: Mapping[str, Obey] = field(default_factory=dict)
    values: Mapping[str, Set] = field(default_factory=dict)
    presses: Mapping[str, Press] = field(default_factory=dict)


def merged(*parts: Part) -> Part:
    """All of `parts` as one; of two that obey the same verb the first does."""
    return Part(
        tuple(c for part in parts for c in part.capabilities),
        tuple(s for part in parts for s in part.sources),
        {verb: obey for part in reversed(parts) for verb, obey in part.verbs.items()},
        {name: change for part in reversed(parts) for name, change in part.values.items()},
        {name: press for part in reversed(parts) for name, press in part.presses.items()},
    )


def together(*orders: Order) -> Order:
    """One order that is done when all are: it proves as little as the weakest."""
    return Order(
        tuple(message for order in orders for message in order.messages),
        {key: value for order in orders for key, value in order.state.items()},
        min(order.needs for order in orders),
    )


def refused(message: str, code: str = "unsupported") -> CommandRefusedError:
    """The error for what the device surely has not done."""
    return CommandRefusedError(code, message)
