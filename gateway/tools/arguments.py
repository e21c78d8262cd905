"""The arguments of a call against what the tool declares: taken as they are meant, or refused.

Strict: a text is no number, a boolean is no integer. Nothing is guessed or repaired.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from devices.contract.capability import Parameter, ParameterType
from devices.contract.text import clean
from gateway.errors import ToolError
from gateway.tools.names import nearest

MAX_TEXT_LENGTH = 1000
# How many choices a listener can follow.
_FOLLOWED = 12


class ArgumentError(ToolError):
    """The arguments do not fit. The text says how, in one sentence."""


@dataclass(frozen=True, slots=True)
class OpenParameter(Parameter):
    """A parameter whose choices are what to say best, not all that is understood.

    Who takes the argument knows more spellings (aliases, areas), and has the better answer to
    a wrong one.
    """


@dataclass(frozen=True, slots=True)
class ValueParameter(Parameter):
    """A parameter that takes a text or a number; what fits depends on the device."""


def check(parameters: tuple[Parameter, ...], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments by name, choices in their declared spelling, whole floats as integers.

    An argument that is null counts as not given. Raises ArgumentError.
    """
    known = sum(parameter.name in arguments for parameter in parameters)
    if known != len(arguments):
        raise ArgumentError(_surplus(parameters, arguments))
    checked: dict[str, Any] = {}
    for parameter in parameters:
        value = arguments.get(parameter.name)
        if value is not None:
            checked[parameter.name] = _value(parameter, value)
        elif parameter.required:
            raise ArgumentError(f"The argument {parameter.name} is missing.")
    return checked


def _value(parameter: Parameter, value: object) -> object:
    match parameter.type:
        case ParameterType.STRING:
            return _text(parameter, value)
        case ParameterType.BOOLEAN:
            if not isinstance(value, bool):
                raise ArgumentError(f"{parameter.name} must be true or false.")
            return value
        case ParameterType.INTEGER:
            return _number(parameter, value, "a whole number", whole=True)
        case ParameterType.NUMBER:
            return _number(parameter, value, "a number", whole=False)


def _text(parameter: Parameter, value: object) -> object:
    if isinstance(parameter, ValueParameter) and not isinstance(value, str):
        return _number(parameter, value, "a text or a number", whole=False)
    if not isinstance(value, str):
        raise ArgumentError(f"{parameter.name} must be a text.")
    if len(value) > MAX_TEXT_LENGTH:
        raise ArgumentError(f"{parameter.name} is longer than {MAX_TEXT_LENGTH} characters.")
    if not value.isascii() and not _is_unicode(value):
        raise ArgumentError(f"{parameter.name} is no valid text.")
    if not parameter.choices or isinstance(parameter, OpenParameter):
        return value
    return choice(parameter.name, value, parameter.choices)


def _is_unicode(text: str) -> bool:
    """False for half a character, which JSON can spell and no wire can carry."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def choice(name: str, value: str, choices: tuple[str, ...]) -> str:
    """The one of `choices` that `value` means, whatever its case. Raises ArgumentError."""
    if value in choices:
        return value
    wanted = value.strip().casefold()
    for candidate in choices:
        if candidate.casefold() == wanted:
            return candidate
    raise ArgumentError(f"{name} must be {either(choices)}, not {clean(value, 40)!r}.")


def either(choices: tuple[str, ...]) -> str:
    """`choices` as words: "heat, cool or auto"; a long list is cut."""
    if not choices:
        return "nothing"
    if len(choices) > _FOLLOWED:
        return f"one of {', '.join(choices[:_FOLLOWED])} and {len(choices) - _FOLLOWED} more"
    return " or ".join(filter(None, [", ".join(choices[:-1]), choices[-1]]))


def _number(parameter: Parameter, value: object, wanted: str, *, whole: bool) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ArgumentError(f"{parameter.name} must be {wanted}.")
    if isinstance(value, float):
        if not math.isfinite(value) or (whole and not value.is_integer()):
            raise ArgumentError(f"{parameter.name} must be {wanted}.")
        if value.is_integer():
            value = int(value)
    in_range(parameter.name, value, parameter.minimum, parameter.maximum)
    return value


def in_range(
    name: str, value: float, minimum: float | None, maximum: float | None, unit: str = ""
) -> None:
    """Raises ArgumentError, with the range, when `value` is outside; None is no bound."""
    low = minimum is not None and value < minimum
    high = maximum is not None and value > maximum
    if not (low or high):
        return
    unit = f" {unit}" if unit else ""
    if minimum is None:
        raise ArgumentError(f"{name} must be at most {maximum:g}{unit}.")
    if maximum is None:
        raise ArgumentError(f"{name} must be at least {minimum:g}{unit}.")
    raise ArgumentError(f"{name} must be from {minimum:g} to {maximum:g}{unit}.")


def _surplus(parameters: tuple[Parameter, ...], arguments: Mapping[str, Any]) -> str:
    names = [p.name for p in parameters]
    extra = next(str(name) for name in arguments if name not in names)
    near = nearest(extra, names, 1)
    if near:
        return f"There is no argument {clean(extra, 40)!r}. Did you mean {near[0]}?"
    if not names:
        return f"There is no argument {clean(extra, 40)!r}: this takes none."
    return f"There is no argument {clean(extra, 40)!r}: this takes {', '.join(names)}."
