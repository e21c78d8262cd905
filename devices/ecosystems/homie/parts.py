"""Which properties of a Homie device do what: the parts that can be commanded, and their roles.

Homie has no device classes, so names, types and units decide. What nothing is known of stays a
plain value under its own name. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from devices.contract.text import clean
from devices.ecosystems.homie.model import NUMBERS, DataType, Node, Property, Thing
from devices.ecosystems.payload import NAME_LENGTH
from devices.ecosystems.risk import is_forbidden

MAX_PLAIN = 56


class Role(StrEnum):
    """What a property is for the part that it belongs to."""

    POWER = "power"
    BRIGHTNESS = "brightness"
    COLOR = "color"
    WARMTH = "warmth"
    POSITION = "position"
    DRIVE = "drive"
    """words that move a cover: open, close, stop"""
    MOTION = "motion"
    """words that tell whether it moves"""
    LOCK = "lock"
    SETPOINT = "setpoint"
    MODE = "mode"
    SPEED = "speed"
    FAN_MODE = "fan_mode"


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that can be commanded by itself.

    `key` tells it from the other parts of its device, "" when it is the only one. `plain`
    are the properties without a role, by the name under which each is shown.
    """

    key: str
    name: str
    roles: Mapping[Role, Property]
    plain: Mapping[str, Property]
    words: tuple[str, ...] = ()
    """what may tell how dangerous it is"""


# State keys with a meaning of their own: no plain value may pass for one of them.
RESERVED = frozenset(
    {
        *("on", "brightness", "color", "color_temperature", "position", "moving", "locked"),
        *("target_temperature", "mode", "fan_percent"),
    }
)
DEGREES = {"°c": "C", "c": "C", "℃": "C", "°f": "F", "f": "F", "℉": "F"}
MEASURED = "temperature"

# A blind has a speed too, and one word for the speed of a fan is enough.
_NO_FAN = frozenset({Role.POSITION, Role.DRIVE, Role.SPEED})
_OPEN, _CLOSE = frozenset({"open", "up"}), frozenset({"close", "down"})
_LOCKING = frozenset({"lock", "locked"})
_UNLOCKING = frozenset({"unlock", "unlocked"})
_MOVING = frozenset({"opening", "closing", "moving"})


def _named(pattern: str) -> Callable[[Property], bool]:
    compiled = re.compile(pattern)

    def fits(prop: Property) -> bool:
        return any(compiled.fullmatch(_compact(word)) for word in (prop.id, prop.name))

    return fits


_is_power = _named(
    r"(on|onoff|state|power|powerstate|switch(ed)?|relay|output|outlet|plug|socket|light|lamp)\d*"
)
_is_brightness = _named(r"(brightness|dim|dimmer|dimming|dim(mer)?level|intensity|lightlevel)\d*")
_is_warmth = _named(r"(colou?rtemp(erature)?|ct|warmth|whitetemp(erature)?)\d*")
_is_position = _named(
    r"(pos|position|targetposition|opening|lift|(shutter|blind|shade|cover|curtain|valve)(position)?)\d*"
)
_is_drive = _named(r"(action|control|command|move|drive|shutter|blind|shade|cover|curtain|door)\d*")
_is_motion = _named(r"(motion|movement|moving|state|status|activity|action)\d*")
_is_lock = _named(r"(lock(ed)?|doorlock|bolt|state|lockstate)\d*")
_is_setpoint = _named(
    r"((heat(ing)?|target|desired)?(setpoint|set(point)?temp(erature)?)"
    r"|(target|desired)(temp(erature)?)?|temp(erature)?(setpoint)?)\d*"
)
_is_mode = _named(r"(system|hvac|thermostat|operat(ion|ing))?mode")
_is_speed = _named(r"(fan)?speed|fan(level|percent(age)?)?")
_is_measured = _named(r"(current|actual|measured|room)?temp(erature)?")


def parts_of(thing: Thing) -> list[Part]:
    """The parts of `thing`; one without roles when nothing of it is known.

    Plain values ride along on the only main part, else on a part of their own.
    """
    mains = [main for node in thing.nodes for main in _mains(node)]
    used = {prop.path for _, roles in mains for prop in roles.values()}
    plain = _plain(thing, used)
    if len(mains) == 1:
        node, roles = mains[0]
        return [Part("", thing.name, roles, plain, _words(thing, node, roles))]
    found = [_part(thing, node, roles) for node, roles in mains]
    if plain or not found:
        found.append(Part("", thing.name, {}, plain, (thing.name,)))
    return found


def temperature_unit(prop: Property) -> str:
    """C or F for a property in degrees, "" for any other."""
    return DEGREES.get(prop.unit.casefold(), "") if prop.datatype in NUMBERS else ""


Roles = dict[Role, Property]


def _mains(node: Node) -> Iterator[tuple[Node, Roles]]:
    """What of a node can be commanded as one thing: all of it, but for switches side by side."""
    usable = [p for p in node.properties if not is_forbidden(p.id, p.name, node.id)]
    switches = [p for p in usable if _fits(Role.POWER, p, {})]
    roles: Roles = {}
    for role in Role:
        if role is Role.POWER and len(switches) != 1:
            continue
        found = next((p for p in usable if _free(p, roles) and _fits(role, p, roles)), None)
        if found is not None:
            roles[role] = found
    if not roles.keys() <= _NEVER_ALONE:
        yield node, roles
        switches = [p for p in switches if _free(p, roles)]
    if len(switches) > 1:
        for prop in switches:
            yield node, {Role.POWER: prop}


def _free(prop: Property, roles: Roles) -> bool:
    return all(prop is not used for used in roles.values())


def _fits(role: Role, prop: Property, roles: Roles) -> bool:
    # Only what tells of a movement is no command.
    if prop.settable is (role is Role.MOTION):
        return False
    return _RULES[role](prop, roles)


def _drive(prop: Property, _: Roles) -> bool:
    options = {word.casefold() for word in prop.options}
    opens = bool(options & _OPEN) and bool(options & _CLOSE)
    return prop.datatype is DataType.ENUM and opens and _is_drive(prop)


def _lock(prop: Property, _: Roles) -> bool:
    options = {word.casefold() for word in prop.options}
    if prop.datatype is DataType.ENUM:
        return bool(options & _LOCKING) and bool(options & _UNLOCKING)
    return prop.datatype is DataType.BOOLEAN and _is_lock(prop) and "lock" in _compact(prop.id)


def _motion(prop: Property, roles: Roles) -> bool:
    if not roles.keys() & {Role.POSITION, Role.DRIVE} or not _is_motion(prop):
        return False
    words = {word.casefold() for word in prop.options}
    return bool(words & _MOVING) or (
        prop.datatype is DataType.BOOLEAN and _compact(prop.id) == "moving"
    )


def _setpoint(prop: Property, _: Roles) -> bool:
    plain = prop.datatype in NUMBERS and _is_setpoint(prop)
    return plain and (bool(temperature_unit(prop)) or "setpoint" in _compact(prop.id))


def _warmth(prop: Property, _: Roles) -> bool:
    known = prop.unit.casefold() in {"k", "mired", "mirek"}
    return prop.datatype in NUMBERS and known and _is_warmth(prop)


def _fan_mode(prop: Property, roles: Roles) -> bool:
    named = _compact(prop.id) in {"fan", "speed", "fanspeed"}
    return prop.datatype is DataType.ENUM and named and not roles.keys() & _NO_FAN


_RULES: Mapping[Role, Callable[[Property, Roles], bool]] = {
    Role.POWER: lambda p, _: p.datatype is DataType.BOOLEAN and p.retained and _is_power(p),
    Role.BRIGHTNESS: lambda p, _: p.percent and _is_brightness(p),
    Role.COLOR: lambda p, _: p.datatype is DataType.COLOR,
    Role.WARMTH: _warmth,
    Role.POSITION: lambda p, _: p.percent and _is_position(p),
    Role.DRIVE: _drive,
    Role.MOTION: _motion,
    Role.LOCK: _lock,
    Role.SETPOINT: _setpoint,
    Role.MODE: lambda p, roles: (
        p.datatype is DataType.ENUM and Role.SETPOINT in roles and _is_mode(p)
    ),
    Role.SPEED: lambda p, roles: p.percent and _is_speed(p) and not roles.keys() & _NO_FAN,
    Role.FAN_MODE: _fan_mode,
}
_NEVER_ALONE = frozenset({Role.WARMTH, Role.MOTION, Role.MODE})


def _part(thing: Thing, node: Node, roles: Roles) -> Part:
    """One of several. Switches side by side are told apart by their own names."""
    only = next(iter(roles.values()))
    siblings = [p for p in node.properties if p is not only and _fits(Role.POWER, p, {})]
    beside = roles.keys() == {Role.POWER} and bool(siblings)
    key = only.path if beside else node.id
    called = only.name if beside else node.name
    name = clean(called if called.startswith(thing.name) else f"{thing.name} {called}", NAME_LENGTH)
    return Part(key, name, roles, {}, _words(thing, node, roles))


def _words(thing: Thing, node: Node, roles: Roles) -> tuple[str, ...]:
    named = [text for prop in roles.values() for text in (prop.id, prop.name)]
    return (thing.name, node.name, node.id, node.type, *named)


def _plain(thing: Thing, used: Iterable[str]) -> dict[str, Property]:
    """What has no role, by a name of its own."""
    taken = set(used)
    found: dict[str, Property] = {}
    for node in thing.nodes:
        for prop in node.properties:
            forbidden = prop.settable and is_forbidden(prop.id, prop.name, node.id)
            if prop.path in taken or forbidden or prop.datatype is DataType.JSON:
                continue
            label = _label(node, prop, found)
            if label and len(found) < MAX_PLAIN:
                found[label] = prop
    return found


def _label(node: Node, prop: Property, found: Mapping[str, Property]) -> str:
    """The first of its names that is free; "" when none is."""
    names: Sequence[str] = (prop.name, f"{node.name} {prop.name}", f"{node.id} {prop.id}")
    if not prop.settable and temperature_unit(prop) and _is_measured(prop):
        names = (MEASURED, *names)
    known = {label.casefold() for label in found} | RESERVED
    for name in names:
        label = clean(name, NAME_LENGTH)
        reserved = label.casefold() == MEASURED and name is not MEASURED
        if label and label.casefold() not in known and not reserved:
            return label
    return ""


def _compact(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", text.casefold())
