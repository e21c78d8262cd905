"""Property values as Homie writes them, and back. Pure; what breaks the rules reads as None."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from devices.contract.command import Scalar
from devices.contract.errors import CommandRefusedError
from devices.contract.text import clean
from devices.ecosystems import payload, units
from devices.ecosystems.homie.model import MAX_NUMBER, NUMBERS, DataType, Property

MAX_VALUE_BYTES = 4096
_EMPTY = b"\0"
_BOOLEANS = {"false": False, "true": True}
_PARTS = 3
_HUNDRED = 100
_MIN_Y = 0.001


def read(prop: Property, data: bytes) -> Scalar:
    """The value in a message; None for what its type does not allow, or what was cleared.

    Numbers are finite, colours `#rrggbb` at full brightness, options those of the property.
    """
    if data == _EMPTY and prop.datatype is DataType.STRING:
        return ""
    try:
        text = data[:MAX_VALUE_BYTES].decode()
    except UnicodeDecodeError:
        return None
    return _READERS.get(prop.datatype, _read_text)(prop, text) if text else None


def write(prop: Property, value: Scalar) -> bytes:
    """`value` as the property takes it. Raises CommandRefusedError for what it cannot be."""
    if prop.datatype in NUMBERS:
        return _plain(fitted(prop, as_number(value))).encode()
    if prop.datatype is DataType.BOOLEAN:
        return b"true" if value is True else b"false"
    if prop.datatype is DataType.COLOR:
        return _write_color(prop, str(value)).encode()
    if prop.datatype is DataType.ENUM and value not in prop.options:
        raise CommandRefusedError("invalid_arguments", f"{prop.name} cannot be set to that.")
    # MQTT cannot tell an empty text from a message that clears the topic.
    return str(value).encode() or _EMPTY


def fitted(prop: Property, number: float) -> float:
    """`number` at the nearest step within the range."""
    step = prop.step or (1.0 if prop.datatype is DataType.INTEGER else None)
    if step is not None:
        base = next((end for end in (prop.low, prop.high) if end is not None), 0.0)
        number = base + round((number - base) / step) * step
        number -= step if prop.high is not None and number > prop.high else 0
    if prop.low is not None:
        number = max(number, prop.low)
    if prop.high is not None:
        number = min(number, prop.high)
    return round(number) if prop.datatype is DataType.INTEGER else round(number, 6)


def to_percent(prop: Property, number: float) -> float:
    """Where `number` stands in the property's range, 0 to 100; above its lower end at least 1."""
    low, high = _ends(prop)
    share = (min(max(number, low), high) - low) / (high - low)
    return max(1, round(share * _HUNDRED)) if share > 0 else 0


def from_percent(prop: Property, percent: float) -> float:
    """The number at `percent` of the range; above 0 % never its lower end."""
    low, high = _ends(prop)
    number = fitted(prop, low + (high - low) * percent / _HUNDRED)
    if percent > 0 and number <= low:
        return fitted(prop, low + (prop.step or (high - low) / _HUNDRED + 0.5))
    return number


def as_number(value: Scalar) -> float:
    """An argument as a number. Raises CommandRefusedError."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise CommandRefusedError("invalid_arguments", "That is no number.")
    if abs(value) > MAX_NUMBER:
        raise CommandRefusedError("invalid_arguments", "That number is too large.")
    return value


def _ends(prop: Property) -> tuple[float, float]:
    low = 0.0 if prop.low is None else prop.low
    high = prop.high if prop.high is not None and prop.high > low else low + _HUNDRED
    return low, high


def _read_text(_: Property, text: str) -> Scalar:
    return clean(text, payload.VALUE_LENGTH)


def _read_color(prop: Property, text: str) -> Scalar:
    encoding, _, rest = text.partition(",") if prop.tagged else (prop.options[0], "", text)
    parts = [payload.number(part.strip()) for part in rest.split(",")]
    known = [part for part in parts if part is not None]
    if encoding == "xyz" and len(known) == len(parts) == 2:  # noqa: PLR2004 -- x and y
        # Next to y = 0 there is no colour, only an overflow.
        return units.from_xy(known[0], known[1]) if known[1] > _MIN_Y else None
    if len(known) != _PARTS or len(parts) != _PARTS:
        return None
    if encoding == "hsv":
        return units.from_hs(known[0], known[1])
    return units.from_rgb(*known) if encoding == "rgb" else None


_READERS: Mapping[DataType, Callable[[Property, str], Scalar]] = {
    DataType.INTEGER: lambda _, text: payload.number(text),
    DataType.FLOAT: lambda _, text: payload.number(text),
    DataType.BOOLEAN: lambda _, text: _BOOLEANS.get(text),
    DataType.ENUM: lambda prop, text: text if text in prop.options else None,
    DataType.COLOR: _read_color,
}


def _write_color(prop: Property, color: str) -> str:
    encoding = prop.options[0]
    try:
        parts: tuple[float, ...] = units.to_rgb(color)
    except ValueError as error:
        raise CommandRefusedError("invalid_arguments", f"{error}.".capitalize()) from None
    if encoding == "hsv":
        hue, saturation = units.to_hs(color)
        parts = (round(hue), round(saturation), max(1, round(max(parts) * _HUNDRED / 255)))
    elif encoding == "xyz":
        parts = units.to_xy(color)
    text = ",".join(_plain(part) for part in parts)
    return f"{encoding},{text}" if prop.tagged else text


def _plain(number: float) -> str:
    """Without an exponent, which few devices read."""
    if float(number).is_integer():
        return str(int(number))
    return f"{number:.6f}".rstrip("0")
