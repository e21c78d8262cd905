"""The standard verbs on the device's side: what a capability demands and allows.

The gateway checks the same; a device checks again, because anybody may publish a command.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from devices.contract.capability import Capability, Description, Kind
from devices.contract.command import Scalar
from devices.contract.errors import CommandRefusedError
from devices.contract.verbs import VERBS, supports
from devices.sdk.arguments import invalid
from devices.sdk.commands import CommandSpec

# The arguments that a verb's method must take for a capability to mean anything.
_NEEDED: Mapping[Kind, tuple[str, frozenset[str]]] = {
    Kind.BRIGHTNESS: ("turn_on", frozenset({"brightness"})),
    Kind.COLOR: ("turn_on", frozenset({"color"})),
    Kind.COLOR_TEMPERATURE: ("turn_on", frozenset({"color_temperature"})),
    Kind.COVER: ("set_cover", frozenset({"position"})),
    Kind.NUMBER: ("set_value", frozenset({"name", "value"})),
    Kind.SELECT: ("set_value", frozenset({"name", "value"})),
    Kind.TEXT: ("set_value", frozenset({"name", "value"})),
    Kind.VACUUM: ("vacuum", frozenset({"action"})),
    Kind.ALARM: ("alarm", frozenset({"action"})),
}
# Which capability bounds which argument of which verb.
_NUMBERS = {
    ("turn_on", "brightness"): Kind.BRIGHTNESS,
    ("turn_on", "color_temperature"): Kind.COLOR_TEMPERATURE,
    ("set_cover", "position"): Kind.COVER,
    ("set_climate", "temperature"): Kind.CLIMATE,
    ("set_fan", "percent"): Kind.FAN,
}
_WORDS = {
    ("set_climate", "mode"): Kind.CLIMATE,
    ("set_fan", "mode"): Kind.FAN,
    ("vacuum", "action"): Kind.VACUUM,
    ("alarm", "action"): Kind.ALARM,
}
_PERCENT = frozenset({Kind.BRIGHTNESS, Kind.COVER, Kind.FAN})
_VALUES = (Kind.NUMBER, Kind.SELECT, Kind.TEXT)
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")


def check_class(description: Description, commands: Mapping[str, CommandSpec]) -> None:
    """Raises ValueError when capabilities and methods do not fit together."""
    kinds = {capability.kind for capability in description.capabilities}
    for verb in VERBS.values():
        if supports(description, verb.name) and verb.name not in commands:
            kind = min(kinds & verb.kinds)
            raise ValueError(f"a device with the capability {kind} needs a method {verb.name}")
        if verb.name in commands and not kinds & verb.kinds:
            wanted = " or ".join(sorted(verb.kinds))
            raise ValueError(f"the method {verb.name} needs a capability {wanted}")
    for kind in kinds & _NEEDED.keys():
        verb_name, names = _NEEDED[kind]
        if missing := sorted(names - commands[verb_name].arguments.keys()):
            raise ValueError(
                f"for the capability {kind}, {verb_name} needs an argument {missing[0]}"
            )
    for capability in description.of_kind(*_VALUES, Kind.SENSOR):
        if capability.name is None:
            raise ValueError(f"a capability {capability.kind} needs a name")


def check_arguments(description: Description, verb: str, args: Mapping[str, Scalar]) -> None:
    """Raises CommandRefusedError (invalid_arguments) for what a capability does not allow."""
    for name, value in args.items():
        if (kind := _NUMBERS.get((verb, name))) is not None:
            _check_number(name, value, description.of_kind(kind))
        elif (kind := _WORDS.get((verb, name))) is not None:
            _check_word(name, value, description.of_kind(kind))
        elif (verb, name) == ("turn_on", "color"):
            _check_color(value)
    if verb == "set_value":
        _check_value(args, description.of_kind(*_VALUES))
    if verb == "press":
        _check_button(args.get("name"), description.of_kind(Kind.BUTTON, Kind.SCENE))


def _check_number(name: str, value: Scalar, capabilities: Iterable[Capability]) -> None:
    for capability in capabilities:
        percent = capability.kind in _PERCENT
        low = 0.0 if percent and capability.minimum is None else capability.minimum
        high = 100.0 if percent and capability.maximum is None else capability.maximum
        _check_between(name, value, low, high)


def _check_between(name: str, value: Scalar, low: float | None, high: float | None) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise invalid(f"{name} must be a number.")
    if low is not None and value < low:
        raise invalid(f"{name} must be at least {low:g}.")
    if high is not None and value > high:
        raise invalid(f"{name} must be at most {high:g}.")


def _check_word(name: str, value: Scalar, capabilities: Iterable[Capability]) -> None:
    for capability in capabilities:
        if capability.options and value not in capability.options:
            raise invalid(f"{name} must be one of: {', '.join(capability.options)}.")


def _check_color(value: Scalar) -> None:
    if not isinstance(value, str) or not _COLOR.fullmatch(value):
        raise invalid("color must be written as #rrggbb.")


def _check_value(args: Mapping[str, Scalar], capabilities: tuple[Capability, ...]) -> None:
    capability = _named(args.get("name"), capabilities)
    name, value = str(capability.name), args.get("value")
    if capability.kind is Kind.NUMBER:
        _check_between(name, value, capability.minimum, capability.maximum)
    elif capability.kind is Kind.SELECT:
        _check_word(name, value, (capability,))
    elif not isinstance(value, str):
        raise invalid(f"{name} must be a text.")


def _check_button(name: Scalar, capabilities: tuple[Capability, ...]) -> None:
    if name is not None:
        _named(name, capabilities)
    elif len(capabilities) > 1:
        raise invalid("name says which one to press, as there are several.")


def _named(name: Scalar, capabilities: tuple[Capability, ...]) -> Capability:
    for capability in capabilities:
        if capability.name == name:
            return capability
    names = ", ".join(str(c.name) for c in capabilities if c.name)
    raise invalid(f"name must be one of: {names}.") if names else _nameless()


def _nameless() -> CommandRefusedError:
    return invalid("there is nothing of that name.")
