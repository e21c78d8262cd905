"""Commands as second-generation devices take them, and the state that they come to. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from devices.contract.command import Command, Scalar
from devices.contract.errors import CommandRefusedError
from devices.contract.verbs import expected_state
from devices.ecosystems import units
from devices.ecosystems.shelly.parts import COLORED, WARMED, Part, PartKind

_OPEN, _CLOSED = 100, 0


@dataclass(frozen=True, slots=True)
class Call:
    """A method of the part's namespace, its parameters, and the state that it comes to."""

    method: str
    params: Mapping[str, Any]
    state: Mapping[str, Scalar]


NAMESPACES: Mapping[PartKind, str] = {
    PartKind.SWITCH: "Switch",
    PartKind.LIGHT: "Light",
    PartKind.RGB: "RGB",
    PartKind.RGBW: "RGBW",
    PartKind.CCT: "CCT",
    PartKind.RGBCCT: "RGBCCT",
    PartKind.COVER: "Cover",
    PartKind.THERMOSTAT: "Thermostat",
}


def call(part: Part, command: Command) -> Call:
    """What `command` is for `part`. Raises CommandRefusedError."""
    writer = _WRITERS.get(command.command)
    if writer is None:
        raise refusal(part, command.command)
    method, params = writer(part, command.args)
    state = expected_state(command.command, command.args)
    return Call(method, {"id": part.number, **params}, state)


def refusal(part: Part, verb: str) -> CommandRefusedError:
    """What is raised for a verb that the part does not know."""
    message = f"{part.name} cannot do {verb.replace('_', ' ')}."
    return CommandRefusedError("unknown_command", message)


_Written = tuple[str, dict[str, Any]]


def _turn_on(part: Part, args: Mapping[str, Scalar]) -> _Written:
    _only_for(part, "turn_on", _SWITCHED)
    params: dict[str, Any] = {"on": True}
    if "brightness" in args:
        _only_for(part, "brightness", _SWITCHED - {PartKind.SWITCH})
        params["brightness"] = round(_number(args["brightness"]))
    if "color" in args:
        _only_for(part, "color", COLORED)
        params["rgb"] = list(units.to_rgb(str(args["color"])))
    if "color_temperature" in args:
        _only_for(part, "color_temperature", WARMED)
        params["ct"] = round(_number(args["color_temperature"]))
    if part.kind is PartKind.RGBCCT and params.keys() & {"rgb", "ct"}:
        params["mode"] = "rgb" if "rgb" in params else "cct"
    return "Set", params


def _turn_off(part: Part, _: Mapping[str, Scalar]) -> _Written:
    _only_for(part, "turn_off", _SWITCHED)
    return "Set", {"on": False}


def _set_cover(part: Part, args: Mapping[str, Scalar]) -> _Written:
    _only_for(part, "set_cover", {PartKind.COVER})
    position = round(_number(args.get("position")))
    if part.positions:
        return "GoToPosition", {"pos": position}
    if position not in (_OPEN, _CLOSED):
        message = f"{part.name} is not calibrated: it can only open and close all the way."
        raise CommandRefusedError("not_calibrated", message)
    return ("Open" if position == _OPEN else "Close"), {}


def _stop(part: Part, _: Mapping[str, Scalar]) -> _Written:
    _only_for(part, "stop", {PartKind.COVER})
    return "Stop", {}


def _set_climate(part: Part, args: Mapping[str, Scalar]) -> _Written:
    _only_for(part, "set_climate", {PartKind.THERMOSTAT})
    config: dict[str, Any] = {}
    if "temperature" in args:
        config["target_C"] = _number(args["temperature"])
    if "mode" in args:
        config["enable"] = args["mode"] != "off"
    return "SetConfig", {"config": config}


_SWITCHED = frozenset(NAMESPACES) - {PartKind.COVER, PartKind.THERMOSTAT}
_WRITERS: Mapping[str, Callable[[Part, Mapping[str, Scalar]], _Written]] = {
    "turn_on": _turn_on,
    "turn_off": _turn_off,
    "set_cover": _set_cover,
    "stop": _stop,
    "set_climate": _set_climate,
}


def _only_for(part: Part, verb: str, kinds: frozenset[PartKind] | set[PartKind]) -> None:
    if part.kind not in kinds:
        raise refusal(part, verb)


def _number(value: Scalar) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise CommandRefusedError("invalid_arguments", "That is no number.")
    return value
