"""What the value of a property says of its part, in state keys. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from devices.contract.command import Scalar
from devices.ecosystems import units
from devices.ecosystems.homie.model import DataType, Property
from devices.ecosystems.homie.parts import MEASURED, Part, Role, temperature_unit
from devices.ecosystems.homie.values import read, to_percent

State = dict[str, Scalar]

OPEN, CLOSED, STOPPED = frozenset({"open", "up"}), frozenset({"close", "down"}), frozenset({"stop"})
_LOCKED = frozenset({"lock", "locked"})
_UNLOCKED = frozenset({"unlock", "unlocked"})
_MOVING = frozenset({"opening", "closing", "moving", "true"})


def of_role(part: Part, role: Role, data: bytes) -> State:
    """What a message on the property of `role` says; {} when it says nothing."""
    prop = part.roles[role]
    value = read(prop, data)
    return {} if value is None else _READERS[role](part, prop, value)


def of_plain(label: str, prop: Property, data: bytes) -> State:
    """The value of a property without a role, under its name."""
    value = read(prop, data)
    if value is None:
        return {}
    if label == MEASURED:
        return {label: to_celsius(prop, value)}
    # A switch without a role is offered as a choice between two words.
    if prop.datatype is DataType.BOOLEAN and prop.settable:
        return {label: prop.options[value is True]}
    return {label: value}


def to_celsius(prop: Property, value: Scalar) -> Scalar:
    """A temperature of `prop` in degrees Celsius."""
    if temperature_unit(prop) != "F" or isinstance(value, str | bool) or value is None:
        return value
    return round((value - 32) / 1.8, 1)


def from_celsius(prop: Property, degrees: float) -> float:
    """Degrees Celsius as `prop` counts them."""
    return round(degrees * 1.8 + 32, 1) if temperature_unit(prop) == "F" else degrees


def to_kelvin(prop: Property, value: float) -> int | None:
    """A colour temperature of `prop` in kelvin; None for what is none."""
    if value <= 0:
        return None
    return round(value) if prop.unit.casefold() == "k" else units.kelvin(value)


def _power(_: Part, __: Property, value: Scalar) -> State:
    return {"on": value}


def _brightness(part: Part, prop: Property, value: Scalar) -> State:
    percent = to_percent(prop, _float(value))
    lit: State = {} if Role.POWER in part.roles else {"on": percent > 0}
    return {**lit, "brightness": percent}


def _warmth(_: Part, prop: Property, value: Scalar) -> State:
    kelvin = to_kelvin(prop, _float(value))
    return {} if kelvin is None else {"color_temperature": kelvin}


def _position(_: Part, prop: Property, value: Scalar) -> State:
    return {"position": to_percent(prop, _float(value))}


def _drive(part: Part, _: Property, value: Scalar) -> State:
    """Where nothing tells the position, the last word is all that is known of it."""
    word = str(value).casefold()
    if Role.POSITION in part.roles or word not in OPEN | CLOSED:
        return {}
    return {"position": 100 if word in OPEN else 0}


def _motion(_: Part, __: Property, value: Scalar) -> State:
    return {"moving": str(value).casefold() in _MOVING}


def _lock(_: Part, prop: Property, value: Scalar) -> State:
    if prop.datatype is DataType.BOOLEAN:
        return {"locked": value}
    word = str(value).casefold()
    if word in _LOCKED | _UNLOCKED:
        return {"locked": word in _LOCKED}
    return {"moving": True} if word in {"locking", "unlocking"} else {}


def _setpoint(_: Part, prop: Property, value: Scalar) -> State:
    return {"target_temperature": to_celsius(prop, value)}


def _speed(part: Part, prop: Property, value: Scalar) -> State:
    percent = to_percent(prop, _float(value))
    runs: State = {} if Role.POWER in part.roles else {"on": percent > 0}
    return {**runs, "fan_percent": percent}


def _float(value: Scalar) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


_READERS: Mapping[Role, Callable[[Part, Property, Scalar], State]] = {
    Role.POWER: _power,
    Role.BRIGHTNESS: _brightness,
    Role.COLOR: lambda _, __, value: {"color": value},
    Role.WARMTH: _warmth,
    Role.POSITION: _position,
    Role.DRIVE: _drive,
    Role.MOTION: _motion,
    Role.LOCK: _lock,
    Role.SETPOINT: _setpoint,
    Role.MODE: lambda _, __, value: {"mode": value},
    Role.SPEED: _speed,
    Role.FAN_MODE: lambda _, __, value: {"mode": value},
}
