"""How one value of ours is written and read in Zigbee2MQTT's JSON. Pure.

Each codec turns a state value of the house into the wire's and back; None means that the
other side has no such value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from devices.contract.command import Scalar
from devices.contract.errors import CommandRefusedError
from devices.ecosystems import payload, units


class Codec(Protocol):
    """Writes and reads one value."""

    def read(self, value: Any) -> Scalar:  # noqa: ANN401 -- JSON is of any shape
        """The wire's value as ours, None when it says nothing."""

    def write(self, value: Scalar) -> object:
        """Our value as the wire's. Raises CommandRefusedError for what does not fit."""


@dataclass(frozen=True, slots=True)
class Switch:
    """Two words (or booleans) for yes and no. Any other word says nothing."""

    on: object
    off: object

    def read(self, value: Any) -> Scalar:  # noqa: ANN401
        """True or False."""
        if _same(value, self.on):
            return True
        return False if _same(value, self.off) else None

    def write(self, value: Scalar) -> object:
        """The word for it."""
        return self.on if value is True else self.off


@dataclass(frozen=True, slots=True)
class Scale:
    """Percent as steps from 0 to `top`."""

    top: float

    def read(self, value: Any) -> Scalar:  # noqa: ANN401
        """Percent."""
        steps = payload.number(value)
        return None if steps is None else units.from_scale(steps, self.top)

    def write(self, value: Scalar) -> object:
        """Steps."""
        return units.to_scale(_number(value), self.top)


@dataclass(frozen=True, slots=True)
class Mired:
    """Kelvin as mired, within what the lamp can show."""

    low: float
    high: float

    def read(self, value: Any) -> Scalar:  # noqa: ANN401
        """Kelvin."""
        mired = payload.number(value)
        return None if mired is None or mired <= 0 else units.kelvin(mired)

    def write(self, value: Scalar) -> object:
        """Mired."""
        return round(min(max(units.mired(_number(value)), self.low), self.high))


@dataclass(frozen=True, slots=True)
class Color:
    """#rrggbb as hue and saturation, or as x and y."""

    by_hue: bool

    def read(self, value: Any) -> Scalar:  # noqa: ANN401
        """#rrggbb at full brightness."""
        if not isinstance(value, dict):
            return None
        hue, saturation = payload.number(value.get("hue")), payload.number(value.get("saturation"))
        if self.by_hue and hue is not None and saturation is not None:
            return units.from_hs(hue, saturation)
        x, y = payload.number(value.get("x")), payload.number(value.get("y"))
        return None if x is None or y is None else units.from_xy(x, y)

    def write(self, value: Scalar) -> object:
        """The object that the lamp takes."""
        if self.by_hue:
            hue, saturation = units.to_hs(str(value))
            return {"hue": round(hue), "saturation": round(saturation)}
        x, y = units.to_xy(str(value))
        return {"x": x, "y": y}


@dataclass(frozen=True, slots=True)
class Number:
    """A number within bounds; None means no bound."""

    low: float | None
    high: float | None

    def read(self, value: Any) -> Scalar:  # noqa: ANN401
        """The number."""
        return payload.number(value)

    def write(self, value: Scalar) -> object:
        """The number. Raises CommandRefusedError outside the bounds."""
        number = _number(value)
        low = self.low is not None and number < self.low
        if low or (self.high is not None and number > self.high):
            raise CommandRefusedError("out_of_range", "That value is out of range.")
        return number


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some words; `words` are ours, `values` the wire's in the same order."""

    words: Sequence[str]
    values: Sequence[object]

    def read(self, value: Any) -> Scalar:  # noqa: ANN401
        """The word, None for one that was never announced."""
        for word, known in zip(self.words, self.values, strict=True):
            if _same(value, known):
                return word
        return None

    def write(self, value: Scalar) -> object:
        """The wire's value. Raises CommandRefusedError for another word."""
        for word, known in zip(self.words, self.values, strict=True):
            if str(value).casefold() == word.casefold():
                return known
        raise CommandRefusedError("unknown_option", "There is no such option.")


@dataclass(frozen=True, slots=True)
class Plain:
    """Any text, number or boolean, as it is."""

    def read(self, value: Any) -> Scalar:  # noqa: ANN401
        """The value, cleaned."""
        return payload.scalar(value)

    def write(self, value: Scalar) -> object:
        """As it is."""
        return value


def _same(value: object, known: object) -> bool:
    """JSON's true is not 1."""
    return type(value) is type(known) and value == known


def _number(value: Scalar) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise CommandRefusedError("invalid_arguments", "That is no number.")
    return value
