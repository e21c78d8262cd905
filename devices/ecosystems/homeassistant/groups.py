"""From entities to devices: what belongs together, and what each device is called.

One device for each thing that can be commanded by a name of its own. Sensors, numbers,
buttons ride along on the only such thing of their group, or are a device together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from devices.contract.capability import Capability, Description
from devices.contract.command import Evidence, Scalar
from devices.contract.text import clean
from devices.ecosystems import payload
from devices.ecosystems.base import Announced
from devices.ecosystems.homeassistant.availability import Presence
from devices.ecosystems.homeassistant.discovery import DeviceInfo
from devices.ecosystems.homeassistant.part import Part

MAX_CAPABILITIES = 64
# Keys that mean something to everybody: nothing else may be called so.
_STANDARD_KEYS = frozenset(
    {"on", "brightness", "color", "color_temperature", "position", "moving", "locked"}
    | {"temperature", "target_temperature", "mode", "fan_percent"}
)
# Names that say nothing of the thing, only of what it is.
_PLAIN_NAMES = frozenset(
    {"light", "lamp", "switch", "relay", "plug", "socket", "outlet", "cover", "blind", "shutter"}
    | {"lock", "fan", "valve", "alarm", "climate", "thermostat", "vacuum", "siren", "output"}
    | {"state", "power", "led", "main", "device"}
)


@dataclass(frozen=True, slots=True)
class Member:
    """One entity as part of a group.

    `label` is its own name, "" when it goes by that of its device; `topics` are where it is
    commanded. `richness` is the best that is ever known of its commands.
    """

    key: str
    stable_id: str
    object_id: str
    label: str
    is_main: bool
    part: Part
    qos: int
    topics: frozenset[str]
    richness: Evidence
    presence: Presence


@dataclass(slots=True)
class Group:
    """The entities of one `device` block, in the order of their announcement."""

    key: str
    info: DeviceInfo
    members: dict[str, Member] = field(default_factory=dict)
    identifiers: set[str] = field(default_factory=set)
    device_ids: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Logical:
    """One device as the gateway knows it.

    `names` are, for each member, the keys that are called otherwise outside.
    """

    announced: Announced
    members: tuple[Member, ...]
    names: Mapping[str, Mapping[str, str]]

    @property
    def id(self) -> str:
        """Its device id."""
        return self.announced.description.id

    @property
    def online(self) -> bool | None:
        """Whether it is there: its main thing, or any of those that ride along alone."""
        told = [m.presence.online for m in self._leading()]
        if True in told:
            return True
        return False if told and all(each is False for each in told) else None

    @property
    def is_watched(self) -> bool:
        """Whether its availability is announced at all."""
        return any(m.presence.rule.signs for m in self._leading())

    def outside(self, key: str, state: Mapping[str, Scalar]) -> dict[str, Scalar]:
        """The state of member `key` under the names that it has outside."""
        names = self.names.get(key, {})
        return {names.get(name, name): value for name, value in state.items()}

    def inside(self, name: str) -> Iterator[tuple[Member, str]]:
        """Who may be meant by a name outside, and what it is called there."""
        for member in self.members:
            outside = self.names.get(member.key, {})
            for local in (*member.part.values, *member.part.presses):
                if outside.get(local, local) == name:
                    yield member, local

    def _leading(self) -> tuple[Member, ...]:
        return tuple(m for m in self.members if m.is_main) or self.members


def logicals(group: Group, friendly: str = "") -> list[Logical]:
    """The devices of a group; `friendly` is another name that is known for it."""
    members = list(group.members.values())
    mains = [m for m in members if m.is_main]
    riders = [m for m in members if not m.is_main]
    if len(mains) == 1:
        return [_logical(group, mains[0], (*mains, *riders), _single(group, mains[0], friendly))]
    suffixes = _suffixes(mains)
    found = [_logical(group, m, (m,), _one_of(group, m, suffixes[m.key])) for m in mains]
    if riders:
        names = _rest(group, riders[0], friendly, alone=not mains)
        lead = riders[0] if len(riders) == 1 and not group.info.identifiers else None
        found.append(_logical(group, lead, tuple(riders), names))
    return found


@dataclass(frozen=True, slots=True)
class _Names:
    """What a device is called, and by which texts it is known again."""

    name: str
    aliases: tuple[str, ...]
    identity: frozenset[str]


def _single(group: Group, main: Member, friendly: str) -> _Names:
    info, label = group.info, main.label
    name = info.name or friendly or label or _words(main.object_id)
    own = label if label.casefold() not in _PLAIN_NAMES else ""
    aliases = [own, f"{info.name} {label}" if info.name and label else "", friendly]
    return _Names(name, _distinct(aliases, name), info.identity)


def _one_of(group: Group, main: Member, suffix: str) -> _Names:
    label = main.label or ("" if group.info.name else _words(main.object_id))
    name = clean(f"{group.info.name} {label}", payload.NAME_LENGTH)
    own = frozenset(f"{each}/{suffix}" for each in group.info.identity)
    return _Names(name or _words(main.object_id), (), own)


def _rest(group: Group, first: Member, friendly: str, *, alone: bool) -> _Names:
    """Those that have no main thing to ride along on."""
    info = group.info
    name = info.name or friendly or first.label or _words(first.object_id)
    return _Names(name, _distinct([friendly], name), info.identity if alone else frozenset())


def _logical(
    group: Group, lead: Member | None, members: tuple[Member, ...], names: _Names
) -> Logical:
    key = lead.stable_id if lead is not None else f"device.{group.key}"
    capabilities, renamed = _capabilities(members)
    description = Description(
        payload.device_id("homeassistant", key),
        names.name,
        group.info.area,
        names.aliases,
        capabilities,
    )
    topics = frozenset(f"topic:{topic}" for m in members if m.is_main for topic in m.topics)
    richness = max(m.richness for m in members if m.is_main or lead is None or m is lead)
    return Logical(Announced(description, names.identity | topics, richness), members, renamed)


def _capabilities(
    members: Iterable[Member],
) -> tuple[tuple[Capability, ...], dict[str, dict[str, str]]]:
    """The capabilities of all, each name once; and the names that had to change for that."""
    found: list[Capability] = []
    renamed: dict[str, dict[str, str]] = {}
    used = set(_STANDARD_KEYS)
    for member in members:
        for capability in member.part.capabilities:
            if len(found) >= MAX_CAPABILITIES:
                break
            name = capability.name
            if name is not None:
                outside = _unused(name, used)
                used.add(outside)
                if outside != name:
                    renamed.setdefault(member.key, {})[name] = outside
                    capability = replace(capability, name=outside)  # noqa: PLW2901 -- the same one under its other name
            found.append(capability)
    return tuple(found), renamed


def _unused(name: str, used: set[str]) -> str:
    number, found = 1, name
    while found in used:
        number += 1
        found = f"{name[: payload.NAME_LENGTH - 4]} {number}"
    return found


def _suffixes(mains: Iterable[Member]) -> dict[str, str]:
    """What tells several of a device apart: the end of their ids where that is enough."""
    members = list(mains)
    short = {m.key: m.object_id.rsplit("_", 1)[-1] for m in members}
    if len(set(short.values())) == len(members):
        return short
    return {m.key: m.object_id for m in members}


def _words(text: str) -> str:
    return payload.name(text.replace("_", " ").strip().capitalize(), text)


def _distinct(names: Iterable[str], besides: str) -> tuple[str, ...]:
    cut = (clean(name, payload.NAME_LENGTH) for name in names)
    return tuple(dict.fromkeys(name for name in cut if name and name != besides))
