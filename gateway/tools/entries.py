"""Devices as the target resolver sees them, and the tables in which it looks them up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from devices.contract.capability import Description, Kind, Risk, default_risk
from devices.contract.verbs import VERBS
from gateway.directory import Device
from gateway.tools.kinds import kinds_of, main_kind
from gateway.tools.names import fold, without_articles


@dataclass(frozen=True, slots=True)
class Entry:
    """A device as it was described when the house was built; `device` is what it is now."""

    device: Device
    description: Description
    verbs: frozenset[str]
    """standard verbs and own commands"""
    kinds: frozenset[str]
    kind: str
    """the main one"""

    @property
    def id(self) -> str:
        """The device's id."""
        return self.description.id

    @property
    def name(self) -> str:
        """The name to speak."""
        return self.description.name

    @property
    def area(self) -> str:
        """The area, "" when none is known."""
        return self.description.area

    @property
    def risky(self) -> bool:
        """Whether something that it does is guarded or forbidden."""
        capabilities = self.description.capabilities
        risks = {c.risk for c in capabilities} | {default_risk(c.kind) for c in capabilities}
        return not risks | {c.risk for c in self.description.commands} <= {Risk.NORMAL}

    @property
    def place(self) -> str:
        """Its name, with its area where that tells more."""
        name, area = self.name, self.area
        return f"{name} in {area}" if area and fold(area) not in fold(name) else name


Named = dict[str, tuple[Entry, ...]]
"""Folded name or alias -> the devices that have it."""


@dataclass(frozen=True, slots=True)
class Area:
    """An area as it is written, with its devices."""

    name: str
    entries: tuple[Entry, ...]
    by_name: Named


def entry_of(device: Device) -> Entry:
    """`device` as it is described now."""
    description = device.description
    verbs = _verbs(frozenset(c.kind for c in description.capabilities))
    if description.commands:
        verbs |= {c.name for c in description.commands if c.name not in VERBS}
    return Entry(device, description, verbs, _shared(kinds_of(description)), main_kind(description))


@lru_cache(maxsize=1024)
def _verbs(kinds: frozenset[Kind]) -> frozenset[str]:
    return frozenset(name for name, verb in VERBS.items() if verb.kinds & kinds)


@lru_cache(maxsize=1024)
def _shared(words: frozenset[str]) -> frozenset[str]:
    """An equal set that many devices share: ten thousand of them fit a small machine."""
    return words


def by_name(entries: Iterable[Entry]) -> Named:
    """The devices by name and alias, with and (where that is free) without a leading article."""
    table: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        description = entry.description
        for key in {fold(name) for name in (description.name, *description.aliases)}:
            table[key].append(entry)
    bare: defaultdict[str, list[Entry]] = defaultdict(list)
    for key, found in table.items():
        short = " ".join(without_articles(key.split()))
        if short not in table:
            bare[short] += found
    return {key: tuple(found) for key, found in (table | bare).items() if key}


def by_area(entries: Iterable[Entry]) -> dict[str, Area]:
    """The areas by `area_key`; spellings of one area are one."""
    table: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        if key := area_key(entry.area):
            table[key].append(entry)
    return {
        key: Area(found[0].area, tuple(found), _within(key, found)) for key, found in table.items()
    }


def area_key(name: str) -> str:
    """How areas are compared: "the kitchen" is the kitchen."""
    return " ".join(without_articles(fold(name).split()))


def _within(area: str, entries: list[Entry]) -> Named:
    """The names of an area's devices, also without the area's own name at their beginning."""
    table = by_name(entries)
    prefix = f"{area} "
    for name in [name for name in table if name.startswith(prefix)]:
        table.setdefault(name.removeprefix(prefix), table[name])
    return table
