"""What a second-generation device is made of, from its configuration and status. Pure.

Components are named `kind:number`, the same in both. What only concerns the device itself
(its network, scripts, updates) is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from devices.contract.capability import Capability, Kind
from devices.ecosystems import payload
from devices.ecosystems.risk import risk_of

MAX_COMPONENTS = 64
MAX_SENSORS = 40
_KEY = re.compile(r"[a-z0-9]{1,16}:\d{1,4}")
_WARMTH = (2700, 6500)
_DEGREES = (5, 35)
_STATE_KEYS = frozenset(
    {"on", "brightness", "color", "color_temperature", "position", "moving", "locked"}
    | {"target_temperature", "mode", "fan_percent"}
)


class PartKind(StrEnum):
    """What can be commanded, by the name of its component."""

    SWITCH = "switch"
    LIGHT = "light"
    RGB = "rgb"
    RGBW = "rgbw"
    CCT = "cct"
    RGBCCT = "rgbcct"
    COVER = "cover"
    THERMOSTAT = "thermostat"
    READINGS = "readings"
    """no component: what only measures"""


COLORED = frozenset({PartKind.RGB, PartKind.RGBW, PartKind.RGBCCT})
WARMED = frozenset({PartKind.CCT, PartKind.RGBCCT})
_DIMMED = COLORED | WARMED | {PartKind.LIGHT}
_COMMANDED = frozenset(PartKind) - {PartKind.READINGS}

# Component -> what it measures: where in its status, under which name, in which unit.
_Reading = tuple[tuple[str, ...], str, str]
_POWER: _Reading = (("apower",), "power", "W")
_ENERGY: _Reading = (("aenergy", "total"), "energy", "Wh")
_MEASURED: Mapping[str, tuple[_Reading, ...]] = {
    **{kind.value: (_POWER, _ENERGY) for kind in _COMMANDED},
    "pm1": (_POWER, _ENERGY),
    "em": ((("total_act_power",), "power", "W"),),
    "em1": ((("act_power",), "power", "W"),),
    "temperature": ((("tC",), "temperature", "°C"),),
    "humidity": ((("rh",), "humidity", "%"),),
    "illuminance": ((("lux",), "illuminance", "lx"),),
    "voltmeter": ((("voltage",), "voltage", "V"),),
    "devicepower": ((("battery", "percent"), "battery", "%"),),
    "smoke": ((("alarm",), "smoke", ""),),
    "flood": ((("alarm",), "flood", ""),),
    "input": ((("state",), "input", ""), (("percent",), "input", "%")),
}


@dataclass(frozen=True, slots=True)
class Sensor:
    """One value that a component measures; `name` is its state key."""

    component: str
    path: tuple[str, ...]
    name: str
    unit: str


@dataclass(frozen=True, slots=True)
class Part:
    """One thing of a device that can be commanded by itself, with what is measured beside it.

    `kelvin` is the range of a lamp's warmth; `positions` whether a cover knows where it is;
    `active` what a thermostat's mode is called when it is not off.
    """

    kind: PartKind
    number: int
    name: str
    sensors: tuple[Sensor, ...] = ()
    kelvin: tuple[int, int] = _WARMTH
    positions: bool = True
    active: str = "heat"

    @property
    def key(self) -> str:
        """The name of its component."""
        return f"{self.kind}:{self.number}"


@dataclass(frozen=True, slots=True)
class Component:
    """What the configuration says of one component. `name` is "" when it has none."""

    name: str = ""
    kelvin: tuple[int, int] = _WARMTH
    cooling: bool = False


@dataclass(frozen=True, slots=True)
class Config:
    """What is kept of a device's configuration. `name` is "" when nobody named it."""

    name: str = ""
    components: Mapping[str, Component] = field(default_factory=dict)


def read_config(raw: Mapping[str, Any]) -> Config:
    """The answer to `Shelly.GetConfig`."""
    system = raw.get("sys")
    device = system.get("device") if isinstance(system, dict) else None
    name = device.get("name") if isinstance(device, dict) else None
    found = {key: _component(value) for key, value in _components(raw)}
    return Config(payload.name(name, ""), found)


def read_parts(name: str, config: Config, status: Mapping[str, Any]) -> tuple[Part, ...]:
    """The parts of a device called `name`, from the answer to `Shelly.GetStatus`."""
    present = dict(_components(status))
    mains = [key for key in present if _kind(key) in _COMMANDED]
    parts = [_part(key, name, config, present[key], len(mains)) for key in mains]
    others = [key for key in present if key not in mains]
    measured = tuple(_sensors(others, config, present))[:MAX_SENSORS]
    if len(parts) == 1:
        (only,) = parts
        taken = {sensor.name for sensor in only.sensors}
        more = tuple(sensor for sensor in measured if sensor.name not in taken)
        return (replace(only, sensors=(*only.sensors, *more)[:MAX_SENSORS]),)
    if measured:
        parts.append(Part(PartKind.READINGS, 0, name, measured))
    return tuple(parts)


def capabilities(part: Part, words: str) -> tuple[Capability, ...]:
    """What can be done with a part; `words` tell, with its name, how dangerous it is."""
    sensors = (
        Capability(Kind.SENSOR, name=sensor.name, unit=sensor.unit or None)
        for sensor in part.sensors
    )
    return (*_able(part, words), *sensors)


def _able(part: Part, words: str) -> Iterator[Capability]:
    if part.kind is PartKind.COVER:
        yield Capability(Kind.COVER, risk=risk_of(Kind.COVER, part.name, words))
    elif part.kind is PartKind.THERMOSTAT:
        low, high = _DEGREES
        modes = ("off", part.active)
        yield Capability(Kind.CLIMATE, minimum=low, maximum=high, options=modes)
    elif part.kind is not PartKind.READINGS:
        yield Capability(Kind.POWER, risk=risk_of(Kind.POWER, part.name, words))
    if part.kind in _DIMMED:
        yield Capability(Kind.BRIGHTNESS)
    if part.kind in COLORED:
        yield Capability(Kind.COLOR)
    if part.kind in WARMED:
        low, high = part.kelvin
        yield Capability(Kind.COLOR_TEMPERATURE, minimum=low, maximum=high)


def _part(key: str, name: str, config: Config, status: Mapping[str, Any], count: int) -> Part:
    settings = config.components.get(key, Component())
    number = int(key.partition(":")[2])
    own = name if count == 1 else f"{name} {number + 1}"
    return Part(
        PartKind(key.partition(":")[0]),
        number,
        settings.name or payload.name(own, key),
        tuple(_sensors([key], Config(), {key: status})),
        settings.kelvin,
        status.get("pos_control") is not False,
        "cool" if settings.cooling else "heat",
    )


def _sensors(
    keys: list[str], config: Config, status: Mapping[str, Mapping[str, Any]]
) -> Iterator[Sensor]:
    taken: set[str] = set()
    for key in keys:
        kind, _, number = key.partition(":")
        own = config.components.get(key, Component()).name.casefold()
        if kind == "input" and not own:
            continue  # the switch on the wall, unless somebody says what it is
        for path, what, unit in _MEASURED.get(kind, ()):
            if value_at(status[key], path) is None:
                continue
            name = _sensor_name(what, own, number, taken)
            taken.add(name)
            yield Sensor(key, path, name, unit)


def _sensor_name(what: str, own: str, number: str, taken: set[str]) -> str:
    name = what
    if own:
        name = own if what in own or what == "input" else f"{own} {what}"
    name = payload.name(name, what)
    if name in taken:
        name = payload.name(f"{what} {number}", what)
    return reading_name(name)


def reading_name(name: str) -> str:
    """`name` as that of a reading, which never passes for the state of an actuator."""
    return f"{name} sensor" if name in _STATE_KEYS else name


def value_at(status: Mapping[str, Any], path: tuple[str, ...]) -> bool | float | None:
    """The truth value or number at `path`, None when there is none."""
    value: object = status
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value if isinstance(value, bool) else payload.number(value)


def _component(raw: Mapping[str, Any]) -> Component:
    low, high = _WARMTH
    ends = raw.get("ct_range")
    if isinstance(ends, list) and len(ends) == 2:  # noqa: PLR2004 -- from, to
        given = [payload.number(end) for end in ends]
        if given[0] is not None and given[1] is not None and 0 < given[0] < given[1]:
            low, high = round(given[0]), round(given[1])
    return Component(payload.name(raw.get("name"), ""), (low, high), raw.get("type") == "cooling")


def _components(raw: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    found = [(key, value) for key, value in raw.items() if isinstance(value, dict) and _known(key)]
    return sorted(found, key=lambda item: _order(item[0]))[:MAX_COMPONENTS]


def _known(key: str) -> bool:
    return bool(_KEY.fullmatch(key)) and key.partition(":")[0] in _MEASURED


def _kind(key: str) -> str:
    return key.partition(":")[0]


def _order(key: str) -> tuple[str, int]:
    kind, _, number = key.partition(":")
    return kind, int(number)
