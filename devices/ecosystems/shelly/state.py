"""What a component of a second-generation device reports, as the state of its part. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from devices.contract.command import Scalar
from devices.ecosystems import payload, units
from devices.ecosystems.shelly.parts import COLORED, WARMED, Part, PartKind, value_at

State = dict[str, Scalar]
_ENDS: Mapping[str, int] = {"open": 100, "closed": 0}
_MOVING = frozenset({"opening", "closing", "calibrating"})
_RGB = 3

_TROUBLES: Mapping[str, str] = {
    "obstruction": "Something is in its way.",
    "safety_switch": "Its safety switch has tripped.",
    "overtemp": "It is too hot.",
    "overpower": "It drew too much power and switched off.",
    "overvoltage": "The voltage is too high.",
    "undervoltage": "The voltage is too low.",
    "overcurrent": "It drew too much current and switched off.",
    "bad_feedback": "Its motor does not do what it is told.",
    "cal_abort": "Its calibration was broken off.",
}


def read(part: Part, status: Mapping[str, Any], *, whole: bool) -> State:
    """What a component's status says; `whole` when it is all of it, not only what changed."""
    if part.kind is PartKind.COVER:
        return _cover(part, status, whole=whole)
    reader = _READERS.get(part.kind, _light)
    return reader(part, status)


def readings(part: Part, status: Mapping[str, Any]) -> State:
    """What the sensors of a part measured, from the status of several components."""
    found: State = {}
    for sensor in part.sensors:
        told = status.get(sensor.component)
        value = value_at(told, sensor.path) if isinstance(told, dict) else None
        if value is not None:
            found[sensor.name] = value
    return found


def lacks_position(part: Part, status: Mapping[str, Any]) -> bool:
    """Whether a cover says that it stopped and leaves out where: it must be asked."""
    stopped = status.get("state") == "stopped"
    return part.kind is PartKind.COVER and stopped and not _cover(part, status, whole=False)


def trouble(status: Mapping[str, Any]) -> tuple[str, str] | None:
    """What keeps a component from obeying, as a word and a sentence; None when nothing does."""
    errors = status.get("errors")
    for error in errors if isinstance(errors, list) else ():
        word = error.partition(":")[0] if isinstance(error, str) else ""
        if word in _TROUBLES:
            return word, _TROUBLES[word]
    return None


def _cover(part: Part, status: Mapping[str, Any], *, whole: bool) -> State:
    state: State = {}
    word = status.get("state")
    position = payload.number(status.get("current_pos"))
    if position is None and isinstance(word, str):
        position = _ENDS.get(word)
    if position is not None and 0 <= position <= 100:  # noqa: PLR2004 -- percent
        state["position"] = position
    if isinstance(word, str) and (word in _MOVING or state or whole or not part.positions):
        state["moving"] = word in _MOVING
    return state


def _light(part: Part, status: Mapping[str, Any]) -> State:
    """A lamp that fades tells where to: the firmware alone drives it, nothing can be in the way."""
    fading = status.get("transition")
    target = fading.get("target") if isinstance(fading, dict) else None
    told = {**status, **target} if isinstance(target, dict) else status
    state: State = {}
    if isinstance(told.get("output"), bool):
        state["on"] = told["output"]
    level = payload.number(told.get("brightness"))
    if level is not None and part.kind is not PartKind.SWITCH:
        state["brightness"] = level
    if part.kind in COLORED and (color := _color(told.get("rgb"))):
        state["color"] = color
    warmth = payload.number(told.get("ct"))
    if part.kind in WARMED and warmth is not None:
        state["color_temperature"] = warmth
    return state


def _color(value: object) -> str:
    if not isinstance(value, list) or len(value) != _RGB:
        return ""
    numbers = [payload.number(part) for part in value]
    known = [number for number in numbers if number is not None]
    return units.from_rgb(*known) if len(known) == _RGB else ""


def _thermostat(part: Part, status: Mapping[str, Any]) -> State:
    state: State = {}
    for key, name in (("target_C", "target_temperature"), ("current_C", "temperature")):
        degrees = payload.number(status.get(key))
        if degrees is not None:
            state[name] = degrees
    if isinstance(status.get("enable"), bool):
        state["mode"] = part.active if status["enable"] else "off"
    return state


_READERS: Mapping[PartKind, Callable[[Part, Mapping[str, Any]], State]] = {
    PartKind.THERMOSTAT: _thermostat,
    PartKind.READINGS: lambda _, __: {},
}
