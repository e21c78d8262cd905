"""A request against what one device can do: the command's arguments, or why not.

Pure: it reads a description and raises ToolError with a sentence about that device.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from devices.contract.capability import Capability, Description, Kind, Risk
from devices.contract.command import Scalar
from devices.contract.verbs import VERBS
from gateway.errors import ToolError
from gateway.tools.arguments import choice, either, in_range
from gateway.tools.colors import kelvin_of, to_hex
from gateway.tools.kinds import main_kind
from gateway.tools.names import fold

Args = dict[str, Scalar]

_VALUES = (Kind.NUMBER, Kind.SELECT, Kind.TEXT)
_PRESSED = (Kind.BUTTON, Kind.SCENE)
# For devices that do not say what they can do.
_VACUUM_ACTIONS = ("start", "pause", "stop", "return_to_base", "locate")
_ALARM_ACTIONS = ("arm_home", "arm_away", "arm_night", "disarm")

_LIGHT_ARGUMENTS: Mapping[str, Kind] = {
    "brightness": Kind.BRIGHTNESS,
    "color": Kind.COLOR,
    "color_temperature": Kind.COLOR_TEMPERATURE,
}


class LacksError(ToolError):
    """The device has not got what was asked for; as one of a group it is left out."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of one device. In a `group` each device takes what it has."""

    device: Description
    asked: Mapping[str, Any]
    group: bool = False


def fit(verb: str, request: Request) -> Args:
    """The arguments of `verb` as the device takes them.

    Raises LacksError when it has nothing of the kind, ToolError when the value does not fit.
    """
    fitter = _FITTERS.get(verb)
    return {} if fitter is None else fitter(request)


def risk_of(verb: str, request: Request) -> Risk:
    """The highest risk among the capabilities that `verb` touches.

    What makes the house safe (stop, lock) is never held back; what is forbidden stays so.
    """
    known = VERBS[verb]
    touched = request.device.of_kind(*known.kinds)
    if verb in _NAMED and "name" in request.asked:
        touched = (_named(request, touched),)
    risks = {c.risk for c in touched}
    if Risk.FORBIDDEN in risks:
        return Risk.FORBIDDEN
    guarded = Risk.GUARDED in risks and not known.makes_safe
    return Risk.GUARDED if guarded else Risk.NORMAL


def _turn_on(request: Request) -> Args:
    device, wanted = request.device, _as_warmth(request)
    if wanted.get("brightness") == 0:
        raise ToolError("A brightness of 0 is off: use turn_off for that.")
    args: Args = {}
    for name, value in wanted.items():
        found = device.of_kind(_LIGHT_ARGUMENTS[name])
        if found:
            args[name] = _light_value(device, name, value, found[0])
        elif not request.group:
            raise LacksError(f"{device.name} has no {_spoken(name)} to set.")
    # "The kitchen at 40 %" dims its lights; it must not start the coffee machine.
    if wanted and not args and main_kind(device) != "light":
        raise LacksError(f"{device.name} is no light.")
    return args


def _as_warmth(request: Request) -> dict[str, Any]:
    """The light arguments; "warm white" is a colour temperature where the device has one."""
    wanted = {name: request.asked[name] for name in _LIGHT_ARGUMENTS if name in request.asked}
    kelvin = kelvin_of(str(wanted.get("color", "")))
    warmth = request.device.of_kind(Kind.COLOR_TEMPERATURE)
    if kelvin is not None and warmth:
        del wanted["color"]
        low, high = warmth[0].minimum or kelvin, warmth[0].maximum or kelvin
        wanted.setdefault("color_temperature", int(min(max(kelvin, low), high)))
    return wanted


def _light_value(device: Description, name: str, value: Any, capability: Capability) -> Scalar:  # noqa: ANN401
    if name == "color":
        return to_hex(value)
    what = f"{_spoken(name)} of {device.name}"
    if name == "brightness":
        return _percent(what, value, capability)
    in_range(what, value, capability.minimum, capability.maximum, "kelvin")
    return _tidy(value)


def _set_cover(request: Request) -> Args:
    cover = request.device.of_kind(Kind.COVER)[0]
    what = f"position of {request.device.name}"
    return {"position": _percent(what, request.asked["position"], cover)}


def _set_climate(request: Request) -> Args:
    device, asked = request.device, request.asked
    climate = device.of_kind(Kind.CLIMATE)[0]
    args: Args = {}
    if "temperature" in asked:
        what = f"temperature of {device.name}"
        in_range(what, asked["temperature"], climate.minimum, climate.maximum, "degrees")
        args["temperature"] = _tidy(asked["temperature"])
    _add_mode(request, climate, args)
    return _not_empty(args, f"Say which temperature or mode {device.name} shall have.")


def _set_fan(request: Request) -> Args:
    device, asked = request.device, request.asked
    fan = device.of_kind(Kind.FAN)[0]
    args: Args = {}
    if "percent" in asked:
        in_range(f"speed of {device.name}", asked["percent"], 0, 100, "%")
        args["percent"] = _tidy(asked["percent"])
    _add_mode(request, fan, args)
    return _not_empty(args, f"Say which speed or mode {device.name} shall have.")


def _add_mode(request: Request, capability: Capability, args: Args) -> None:
    if "mode" not in request.asked:
        return
    name = request.device.name
    if capability.options:
        args["mode"] = choice(f"mode of {name}", request.asked["mode"], capability.options)
    elif not (request.group and args):
        raise LacksError(f"{name} has no modes.")


def _set_value(request: Request) -> Args:
    device, value = request.device, request.asked["value"]
    capability = _named(request, device.of_kind(*_VALUES))
    name = _label(capability)
    what = f"{name} of {device.name}"
    low, high = capability.minimum, capability.maximum
    if capability.kind is Kind.NUMBER:
        value = _number(what, value)
        in_range(what, value, low, high, capability.unit or "")
    elif capability.kind is Kind.SELECT:
        value = choice(what, str(value), capability.options)
    else:
        value = str(value)
        in_range(f"length of {what}", len(value), low, high)
    return {"name": name, "value": value}


def _press(request: Request) -> Args:
    device = request.device
    pressed = device.of_kind(*_PRESSED)
    if "name" in request.asked:
        capability = _named(request, pressed)
    elif len(pressed) == 1:
        capability = pressed[0]
    else:
        raise ToolError(f"Say which of {device.name}: {_labels(pressed)}.")
    return {"name": capability.name} if capability.name else {}


def _vacuum(request: Request) -> Args:
    options = request.device.of_kind(Kind.VACUUM)[0].options or _VACUUM_ACTIONS
    return {"action": _action(request, options)}


def _alarm(request: Request) -> Args:
    options = request.device.of_kind(Kind.ALARM)[0].options or _ALARM_ACTIONS
    args: Args = {"action": _action(request, options)}
    if request.asked.get("code"):
        args["code"] = request.asked["code"]
    return args


def _action(request: Request, options: tuple[str, ...]) -> str:
    """The one of `options` that is meant: "arm away" is arm_away."""
    wanted = request.asked["action"]
    for option in options:
        if fold(option) == fold(wanted):
            return option
    return choice(f"action of {request.device.name}", wanted, options)


def _named(request: Request, found: tuple[Capability, ...]) -> Capability:
    wanted = fold(request.asked["name"])
    for capability in found:
        if fold(_label(capability)) == wanted:
            return capability
    raise LacksError(f"{request.device.name} has no “{wanted[:40]}”, only {_labels(found)}.")


def _label(capability: Capability) -> str:
    return capability.name or capability.kind.value


def _labels(capabilities: tuple[Capability, ...]) -> str:
    return either(tuple(_label(c) for c in capabilities))


def _percent(what: str, value: float, capability: Capability) -> Scalar:
    low = max(0.0, capability.minimum or 0.0)
    high = 100.0 if capability.maximum is None else min(100.0, capability.maximum)
    in_range(what, value, low, high, "%")
    return _tidy(value)


def _number(what: str, value: object) -> float:
    try:
        number = float(str(value))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ToolError(f"{what} must be a number.")
    return _tidy(number)


def _tidy(number: float) -> float:
    return int(number) if float(number).is_integer() else number


def _not_empty(args: Args, question: str) -> Args:
    if not args:
        raise ToolError(question)
    return args


def _spoken(name: str) -> str:
    return name.replace("_", " ")


_NAMED = frozenset({"set_value", "press"})
_FITTERS: Mapping[str, Callable[[Request], Args]] = {
    "turn_on": _turn_on,
    "set_cover": _set_cover,
    "set_climate": _set_climate,
    "set_fan": _set_fan,
    "set_value": _set_value,
    "press": _press,
    "vacuum": _vacuum,
    "alarm": _alarm,
}
