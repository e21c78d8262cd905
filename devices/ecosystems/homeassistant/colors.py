"""Colours and warmth as the components count them: scales, mired or kelvin, colour modes.

Each way of writing a colour says what goes on the wire, and which colour will be reported.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from devices.contract.capability import Capability, Kind
from devices.contract.command import Scalar
from devices.contract.errors import PayloadError
from devices.ecosystems import payload, units
from devices.ecosystems.homeassistant.fields import Fields
from devices.ecosystems.homeassistant.part import Args, refused

_KELVIN_RANGE = (2000, 6535)
_MIRED_RANGE = (153, 500)
_MOST_STEPS = 1_000_000
DEFAULT_SCALE = 255
_SETTINGS = ("brightness", "color", "color_temperature")


@dataclass(frozen=True, slots=True)
class Warmth:
    """Colour temperature on the wire, and its range in kelvin."""

    in_kelvin: bool
    low: int
    high: int

    def wire(self, value: Scalar) -> int:
        """Kelvin as the device counts. Raises CommandRefusedError outside its range."""
        asked = payload.number(value)
        if asked is None or not self.low <= asked <= self.high:
            raise refused(f"The range is {self.low} to {self.high} kelvin.", "invalid")
        return round(asked) if self.in_kelvin else units.mired(asked)

    def kelvin(self, steps: float) -> int | None:
        """What the device counts, in kelvin; None for what is no colour temperature."""
        if not 1 <= steps <= _MOST_STEPS:
            return None
        return round(steps) if self.in_kelvin else units.kelvin(steps)

    def shown(self, value: Scalar) -> Scalar:
        """What will be reported when `value` was sent."""
        return self.kelvin(self.wire(value))


def warmth(fields: Fields) -> Warmth:
    """As announced, in kelvin or in mired. Raises PayloadError."""
    in_kelvin = fields.flag("color_temp_kelvin")
    low, high = (fields.number(f"{end}_kelvin", 0) for end in ("min", "max"))
    if not (low > 0 and high > 0):
        ends = (fields.number("max_mireds", 0), fields.number("min_mireds", 0))
        coldest, warmest = _MIRED_RANGE[0], _MIRED_RANGE[1]
        if in_kelvin and not any(ends):
            low, high = _KELVIN_RANGE
        else:
            low = units.kelvin(ends[0] if ends[0] > 0 else warmest)
            high = units.kelvin(ends[1] if ends[1] > 0 else coldest)
    if low > high:
        raise PayloadError("the range of colour temperatures is the wrong way round")
    return Warmth(in_kelvin, round(low), round(high))


@dataclass(frozen=True, slots=True)
class Brightness:
    """Percent on a scale from 1 to `top`."""

    top: float = DEFAULT_SCALE

    def wire(self, value: Scalar) -> int:
        """Percent as steps, at least 1. Raises CommandRefusedError."""
        percent = payload.number(value)
        if percent is None or not 0 <= percent <= 100:  # noqa: PLR2004 -- percent
            raise refused("Brightness is a number from 0 to 100 percent.", "invalid")
        return max(1, units.to_scale(percent, self.top))

    def percent(self, steps: float) -> float | None:
        """Steps as percent; None for 0, which says nothing of a light that is on."""
        return units.from_scale(steps, self.top) if steps > 0 else None

    def shown(self, value: Scalar) -> Scalar:
        """What will be reported when `value` was sent."""
        return self.percent(self.wire(value))


def brightness(fields: Fields) -> Brightness:
    """As announced. Raises PayloadError."""
    top = fields.number("brightness_scale", DEFAULT_SCALE)
    if top < 1:
        raise PayloadError("brightness_scale is less than 1")
    return Brightness(top)


@dataclass(frozen=True, slots=True)
class ColorForm:
    """One way to write a colour: the names of its parts, to and from #rrggbb."""

    names: tuple[str, ...]
    split: Callable[[str], tuple[float, ...]]
    join: Callable[..., str]

    def parts(self, color: Scalar) -> tuple[float, ...]:
        """The parts of `#rrggbb`. Raises CommandRefusedError."""
        try:
            return self.split(str(color))
        except ValueError:
            raise refused("A colour is written as #rrggbb.", "invalid") from None

    def shown(self, color: Scalar) -> Scalar:
        """What will be reported when `color` was sent: brightness apart, where it is."""
        return self.join(*self.parts(color))

    def color(self, parts: Iterable[object]) -> str | None:
        """Parts as #rrggbb, None when they are no numbers."""
        numbers = [payload.number(part) for part in parts]
        given = [n for n in numbers[: len(self.names)] if n is not None]
        whole = len(given) == len(self.names)
        return self.join(*given) if whole else None


def _with_white(count: int) -> Callable[[str], tuple[float, ...]]:
    """Red, green and blue, with `count` white parts that stay dark."""
    return lambda color: (*units.to_rgb(color), *(0,) * count)


def _rgb(red: float, green: float, blue: float, *_: float) -> str:
    return units.from_rgb(red, green, blue)


FORMS: Mapping[str, ColorForm] = {
    "rgb": ColorForm(("r", "g", "b"), units.to_rgb, _rgb),
    "rgbw": ColorForm(("r", "g", "b", "w"), _with_white(1), _rgb),
    "rgbww": ColorForm(("r", "g", "b", "c", "w"), _with_white(2), _rgb),
    "hs": ColorForm(("h", "s"), units.to_hs, units.from_hs),
    "xy": ColorForm(("x", "y"), units.to_xy, units.from_xy),
}
"""In the order of preference: what a device takes without loss comes first."""

_LEGACY = {"hs": "hs", "rgb": "rgb", "xy": "xy", "color_temp": "color_temp"}


def modes(fields: Fields) -> frozenset[str]:
    """The colour modes of a light, also of one that announces them the old way."""
    found = set(fields.words("supported_color_modes"))
    if not found:
        found = {mode for key, mode in _LEGACY.items() if fields.raw(key) is True}
    if fields.flag("brightness") or found - {"onoff"}:
        found.add("brightness")
    return frozenset(found)


def kinds(found: frozenset[str]) -> list[Kind]:
    """The capabilities that these colour modes mean, beside power."""
    wanted = {
        Kind.BRIGHTNESS: "brightness" in found,
        Kind.COLOR: any(form in found for form in FORMS),
        Kind.COLOR_TEMPERATURE: "color_temp" in found,
    }
    return [kind for kind, has in wanted.items() if has]


def color_in(value: Any) -> str | None:  # noqa: ANN401 -- JSON is of any shape
    """The colour that a JSON object tells in whichever form, None when in none."""
    if not isinstance(value, dict):
        return None
    for form in (FORMS["rgb"], FORMS["hs"], FORMS["xy"]):
        found = form.color(value.get(name) for name in form.names)
        if found is not None:
            return found
    return None


def capabilities(fields: Fields, found: Iterable[Kind]) -> tuple[Capability, ...]:
    """Power and `found`, with the range of a colour temperature. Raises PayloadError."""
    made = [Capability(Kind.POWER)]
    for kind in found:
        if kind is Kind.COLOR_TEMPERATURE:
            range_k = warmth(fields)
            made.append(Capability(kind, minimum=range_k.low, maximum=range_k.high, unit="K"))
        else:
            made.append(Capability(kind))
    return tuple(made)


def wanted(args: Args, able: Container[str]) -> list[str]:
    """The settings that are asked for. Raises CommandRefusedError for one that there is not."""
    asked = [key for key in _SETTINGS if args.get(key) is not None]
    for key in asked:
        if key not in able:
            raise refused(f"This light has no {key.replace('_', ' ')} to set.")
    return asked
