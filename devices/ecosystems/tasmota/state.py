"""What a Tasmota device reports, as states of its parts. Pure.

A RESULT or plain POWER message answers a command with what was just set: an echo. STATE,
STATUS and SENSOR messages, and a shutter's word on its own movement, are reports.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from devices.contract.command import Evidence, Scalar
from devices.ecosystems import payload, units
from devices.ecosystems.tasmota.box import Box, Part, PartKind

FAN_TOP = 3
MAX_SENSORS = 24

State = dict[str, Scalar]
_REPORTS = frozenset({"STATE", "SENSOR", "STATUS", "STATUS8", "STATUS10", "STATUS11"})
_POWER = re.compile(r"POWER(\d{0,2})", re.IGNORECASE)
_UNITS: Mapping[str, str] = {"Humidity": "%", "Power": "W", "Voltage": "V", "Current": "A"}
_NO_READINGS = frozenset({"Time", "TempUnit", "Id"})


def states(box: Box, body: Mapping[str, Any]) -> Iterator[tuple[Part, State]]:
    """The parts that `body` says something of, and what."""
    inner = body.get("StatusSTS") or body.get("StatusSNS")
    told = inner if isinstance(inner, dict) else body
    for part in box.parts:
        state = _READERS[part.kind](box, part, told)
        if state:
            yield part, state


def evidence(leaf: str, part: Part) -> Evidence:
    """What a message on the topic `leaf` proves for `part`."""
    own_word = leaf in _REPORTS or part.kind is PartKind.SHUTTER
    return Evidence.REPORTED if own_word else Evidence.ECHOED


def plain_power(box: Box, leaf: str, text: str) -> Iterator[tuple[Part, State]]:
    """The parts of a plain `stat/<topic>/POWER<n>` message."""
    if _POWER.fullmatch(leaf):
        yield from states(box, {leaf.upper(): text})


def readings(body: Mapping[str, Any]) -> dict[str, tuple[Scalar, str]]:
    """The sensors of a SENSOR body: name to value and unit. Names that clash get their sensor's."""
    inner = body.get("StatusSNS")
    told = inner if isinstance(inner, dict) else body
    found: dict[str, tuple[Scalar, str]] = {}
    degrees = "°F" if told.get("TempUnit") == "F" else "°C"
    for sensor, values in told.items():
        if not isinstance(values, dict) or re.fullmatch(r"Shutter\d+", sensor):
            continue
        for key, value in values.items():
            number = payload.number(value)
            if number is None or key in _NO_READINGS or len(found) >= MAX_SENSORS:
                continue
            name = payload.name(key.lower(), "value")
            if name in found:
                name = payload.name(f"{sensor} {key}".lower(), "value")
            found[name] = (number, degrees if key == "Temperature" else _UNITS.get(key, ""))
    return found


def _switch(box: Box, part: Part, told: Mapping[str, Any]) -> State:
    on = _power(box, part, told)
    return {} if on is None else {"on": on}


def _light(box: Box, part: Part, told: Mapping[str, Any]) -> State:
    state = _switch(box, part, told)
    level = _level(part, told)
    if level is not None:
        state["brightness"] = level
    if part.color and (color := _color(told.get("HSBColor"))):
        state["color"] = color
    mired = payload.number(told.get("CT"))
    if part.warmth and mired is not None and mired > 0:
        state["color_temperature"] = units.kelvin(mired)
    return state


def _level(part: Part, told: Mapping[str, Any]) -> float | None:
    if not part.dimmer:
        return None
    value = told.get(part.dimmer)
    channels = told.get("Channel")
    if value is None and part.dimmer.startswith("Channel") and isinstance(channels, list):
        index = part.number - 1
        value = channels[index] if index < len(channels) else None
    if value is None and part.dimmer == "Dimmer3":
        value = told.get("Dimmer")
    return payload.number(value)


def _color(value: object) -> str:
    """`hue,saturation,brightness` as a colour at full brightness; "" when it is none."""
    parts = [payload.number(part) for part in str(value).split(",")[:3]]
    if len(parts) < 2 or parts[0] is None or parts[1] is None:  # noqa: PLR2004 -- hue, saturation
        return ""
    return units.from_hs(parts[0], parts[1])


def _shutter(_: Box, part: Part, told: Mapping[str, Any]) -> State:
    shutter = told.get(f"Shutter{part.number}")
    if not isinstance(shutter, dict):
        return {}
    state: State = {}
    position = payload.number(shutter.get("Position"))
    if position is not None:
        state["position"] = 100 - position if part.inverted else position
    direction = payload.number(shutter.get("Direction"))
    if direction is not None:
        state["moving"] = direction != 0
    return state


def _fan(_: Box, __: Part, told: Mapping[str, Any]) -> State:
    speed = payload.number(told.get("FanSpeed"))
    if speed is None:
        return {}
    return {"on": speed > 0, "fan_percent": units.from_scale(speed, FAN_TOP)}


def _power(box: Box, part: Part, told: Mapping[str, Any]) -> bool | None:
    """With one relay the key is POWER or POWER1, as SetOption26 says."""
    value = told.get(f"POWER{part.number}")
    if value is None and part.number == 1:
        value = told.get("POWER")
    # The words may be localised; ON and OFF are what every version also understands.
    if value in (box.on, "ON") and value != box.off:
        return True
    return False if value in (box.off, "OFF") else None


_READERS: Mapping[PartKind, Callable[[Box, Part, Mapping[str, Any]], State]] = {
    PartKind.SWITCH: _switch,
    PartKind.LIGHT: _light,
    PartKind.SHUTTER: _shutter,
    PartKind.FAN: _fan,
    PartKind.READINGS: lambda _, __, ___: {},
}
