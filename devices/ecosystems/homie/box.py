"""What is known of one Homie device: its state, its description, its parts and their topics."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from devices.ecosystems import payload
from devices.ecosystems.homie import state as states
from devices.ecosystems.homie.flat import Flat
from devices.ecosystems.homie.model import Property, Thing
from devices.ecosystems.homie.parts import Part, Role, parts_of
from devices.ecosystems.homie.state import State

MAX_EARLY = 256
MAX_EARLY_BYTES = 256
MAX_ALERTS = 32

_ONLINE = frozenset({"ready", "alert", "sleeping"})
_GONE = frozenset({"lost", "disconnected"})
STATES = _ONLINE | _GONE | {"init"}

_Meaning = tuple[str, Part, Role | str, Property]
"""Whose a property is, as what, and the property: a role, or the name of a plain value."""


@dataclass(slots=True)
class Box:
    """One device at the topic `base`. `flat` is None for version 5.

    `parts` are by device id, as announced. `early` are values that came before the
    description was whole. `targets` are paths whose property is known to use `$target`.
    """

    key: str
    base: str
    flat: Flat | None = None
    state: str = ""
    document: bytes = b""
    thing: Thing | None = None
    shown: Thing | None = None
    parts: dict[str, Part] = field(default_factory=dict)
    early: dict[str, bytes] = field(default_factory=dict)
    targets: set[str] = field(default_factory=set)
    alerts: set[str] = field(default_factory=set)
    listening: bool = False
    last: str = ""
    """the part that was told something last"""
    _meanings: dict[str, _Meaning] = field(default_factory=dict)

    @property
    def describable(self) -> bool:
        """Whether its description is whole, and one that it stands by."""
        return self.thing is not None and self.state in STATES - {"init"}

    @property
    def online(self) -> bool:
        """Whether it takes commands, as far as it knows itself."""
        return self.state in _ONLINE

    @property
    def gone(self) -> bool:
        """Whether its connection is closed or lost, and that of its children with it."""
        return self.state in _GONE

    @property
    def sleepy(self) -> bool:
        """Whether it reads what it is told when it wakes."""
        return self.state == "sleeping"

    def show(self, free: Callable[[str], bool]) -> dict[str, Part]:
        """Take the parts of the present description, by device id, where the id is `free`."""
        self.shown = self.thing
        self.parts, self._meanings = {}, {}
        for part in parts_of(self.thing) if self.thing else ():
            device_id = self._device_id(part)
            if device_id not in self.parts and free(device_id):
                self.parts[device_id] = part
                self._meanings |= dict(_meanings(device_id, part))
        return self.parts

    def told(self, path: str, data: bytes) -> tuple[str, State] | None:
        """Whose state a value is, and what it says. None, and kept, when nobody's yet."""
        meaning = self._meanings.get(path)
        if meaning is None:
            room = path in self.early or len(self.early) < MAX_EARLY
            if not self.parts and room and len(data) <= MAX_EARLY_BYTES:
                self.early[path] = data
            return None
        device_id, part, role, prop = meaning
        if isinstance(role, Role):
            return device_id, states.of_role(part, role, data)
        return device_id, states.of_plain(role, prop, data)

    def alert(self, key: str, text: str) -> bool:
        """An alert is raised, or with "" lowered. Whether it is a new one."""
        if not text:
            self.alerts.discard(key)
        new = bool(text) and key not in self.alerts and len(self.alerts) < MAX_ALERTS
        if new:
            self.alerts.add(key)
        return new

    def part_of(self, text: str) -> str:
        """The device id of the part that a complaint names by a topic, else of the last told."""
        named = (m[0] for path, m in self._meanings.items() if path in text)
        return next(named, self.last)

    def _device_id(self, part: Part) -> str:
        return payload.device_id("homie", f"{self.key}/{part.key}" if part.key else self.key)


def _meanings(device_id: str, part: Part) -> Iterator[tuple[str, _Meaning]]:
    for role, prop in part.roles.items():
        yield prop.path, (device_id, part, role, prop)
    for label, prop in part.plain.items():
        yield prop.path, (device_id, part, label, prop)
