"""The scales of other worlds: percent, kelvin and #rrggbb to and from what devices count in.

Pure arithmetic. Rounding is always to the nearest step, and "on" never becomes 0.
"""

from __future__ import annotations

import colorsys
import math
import re

# A mired is a millionth of the reciprocal kelvin.
_MIRED = 1_000_000
_HEX = re.compile(r"#[0-9a-f]{6}")

# No visible light has a smaller y.
_SMALLEST = 0.001

Rgb = tuple[int, int, int]


def to_scale(percent: float, top: float) -> int:
    """`percent` on a scale from 0 to `top`; what is above 0 % is at least 1."""
    steps = round(percent * top / 100)
    return max(1, steps) if percent > 0 else 0


def from_scale(steps: float, top: float) -> float:
    """Steps of a scale from 0 to `top` as percent, rounded to whole ones; above 0 at least 1."""
    if top <= 0:
        return 0
    percent = round(min(max(steps, 0), top) * 100 / top)
    return max(1, percent) if steps > 0 else 0


def to_range(percent: float, closed: float, opened: float) -> int:
    """0 to 100 % between two ends, which may be the wrong way round (inverted covers)."""
    return round(closed + (opened - closed) * percent / 100)


def from_range(value: float, closed: float, opened: float) -> int:
    """The inverse of `to_range`, kept within 0 to 100; 0 when both ends are equal."""
    if closed == opened:
        return 0
    return round(min(max((value - closed) / (opened - closed), 0.0), 1.0) * 100)


def kelvin(mired: float) -> int:
    """Colour temperature in kelvin. Raises ValueError for 0 and less."""
    return round(_MIRED / _at_least_one(mired))


def mired(kelvins: float) -> int:
    """Colour temperature in mired. Raises ValueError for 0 and less."""
    return round(_MIRED / _at_least_one(kelvins))


def to_rgb(color: str) -> Rgb:
    """The parts of `#rrggbb`, 0 to 255 each. Raises ValueError for anything else."""
    folded = color.casefold()
    if not _HEX.fullmatch(folded):
        raise ValueError("a colour is written as #rrggbb")
    return int(folded[1:3], 16), int(folded[3:5], 16), int(folded[5:7], 16)


def from_rgb(red: float, green: float, blue: float) -> str:
    """`#rrggbb`; parts are kept within 0 to 255."""
    parts = (min(max(round(part), 0), 255) for part in (red, green, blue))
    return "#" + "".join(f"{part:02x}" for part in parts)


def to_hs(color: str) -> tuple[float, float]:
    """Hue (0 to 360) and saturation (0 to 100) of `#rrggbb`."""
    hue, saturation, _ = colorsys.rgb_to_hsv(*(part / 255 for part in to_rgb(color)))
    return round(hue * 360, 2), round(saturation * 100, 2)


def from_hs(hue: float, saturation: float) -> str:
    """`#rrggbb` at full brightness."""
    parts = colorsys.hsv_to_rgb((hue % 360) / 360, min(max(saturation, 0), 100) / 100, 1.0)
    return from_rgb(*(part * 255 for part in parts))


def to_xy(color: str) -> tuple[float, float]:
    """CIE 1931 chromaticity of `#rrggbb` (sRGB primaries, D65); black is the white point."""
    red, green, blue = (_linear(part / 255) for part in to_rgb(color))
    x = 0.4124 * red + 0.3576 * green + 0.1805 * blue
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    z = 0.0193 * red + 0.1192 * green + 0.9505 * blue
    total = x + y + z
    return (round(x / total, 4), round(y / total, 4)) if total else (0.3127, 0.3290)


def from_xy(x: float, y: float) -> str:
    """`#rrggbb` at full brightness, the nearest that sRGB has."""
    if not (0 <= x <= 1 and _SMALLEST <= y <= 1):
        return "#ffffff"
    big_x, big_z = x / y, (1 - x - y) / y
    linear = (
        3.2406 * big_x - 1.5372 - 0.4986 * big_z,
        -0.9689 * big_x + 1.8758 + 0.0415 * big_z,
        0.0557 * big_x - 0.2040 + 1.0570 * big_z,
    )
    kept = [max(part, 0.0) for part in linear]
    top = max(*kept, 1e-9)
    return from_rgb(*(_gamma(part / top) * 255 for part in kept))


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)  # noqa: PLR2004 -- IEC 61966-2-1


def _gamma(part: float) -> float:
    return part * 12.92 if part <= 0.0031308 else float(1.055 * part ** (1 / 2.4) - 0.055)  # noqa: PLR2004 -- IEC 61966-2-1


def _at_least_one(number: float) -> float:
    """A fraction of a mired or kelvin is no light, and its reciprocal no number."""
    if not (math.isfinite(number) and number > 0):
        raise ValueError("a colour temperature is more than 0")
    return max(1.0, number)
