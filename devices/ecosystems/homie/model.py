"""What a Homie device describes: nodes with typed properties, the same for every version.

Formats are read here, once. A property whose own words contradict each other is a PayloadError.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from devices.contract.errors import PayloadError
from devices.contract.text import clean
from devices.ecosystems import payload

MAX_NODES = 64
MAX_PROPERTIES = 64
MAX_OPTIONS = 64
MAX_FORMAT = 4096
_RANGE_PARTS = 3
# No house counts further, or finer; beyond it arithmetic would overflow.
MAX_NUMBER = 1e12
_MIN_STEP = 1e-6
_ID = re.compile(r"[A-Za-z0-9_.~-]{1,64}")


class DataType(StrEnum):
    """What the values of a property are."""

    INTEGER = "integer"
    FLOAT = "float"
    BOOLEAN = "boolean"
    STRING = "string"
    ENUM = "enum"
    COLOR = "color"
    DATETIME = "datetime"
    DURATION = "duration"
    JSON = "json"


NUMBERS = frozenset({DataType.INTEGER, DataType.FLOAT})


@dataclass(frozen=True, slots=True)
class Property:
    """One value of a node. `path` is its topic below that of the device.

    `options` are the values of an enum, or what false and true are called; of a colour, the
    encodings that it takes, best first. `tagged`: a colour's encoding stands in front of it.
    """

    node: str
    id: str
    name: str
    datatype: DataType
    settable: bool = False
    retained: bool = True
    unit: str = ""
    low: float | None = None
    high: float | None = None
    step: float | None = None
    options: tuple[str, ...] = ()
    tagged: bool = False

    @property
    def path(self) -> str:
        """Its topic below the device's."""
        return f"{self.node}/{self.id}"

    @property
    def percent(self) -> bool:
        """Whether it counts in percent, or between two known ends."""
        bounded = self.low is not None and self.high is not None
        return self.datatype in NUMBERS and (bounded or self.unit == "%")


@dataclass(frozen=True, slots=True)
class Node:
    """A part of a device, as it describes it. `type` is a word of the maker's."""

    id: str
    name: str
    type: str
    properties: tuple[Property, ...]


@dataclass(frozen=True, slots=True)
class Thing:
    """A whole device. `root` is the device whose connection carries this one, "" when its own.

    `mac` is its MAC address as payload.mac gives it, "" when it does not tell.
    """

    name: str
    nodes: tuple[Node, ...]
    root: str = ""
    mac: str = ""


@dataclass(frozen=True, slots=True)
class Words:
    """What a description says of one property, before any of it was checked."""

    name: object
    datatype: object
    format: object = None
    unit: object = None
    settable: bool = False
    retained: bool = True


def is_id(text: object) -> bool:
    """Whether `text` may name a device, node or property: one level of a topic."""
    return isinstance(text, str) and _ID.fullmatch(text) is not None


def make_property(node: str, key: str, words: Words, *, tagged: bool) -> Property:
    """A property from its description. Raises PayloadError for what is not allowed."""
    try:
        datatype = DataType(str(words.datatype))
    except ValueError:
        raise PayloadError(f"property {key} is of an unknown type") from None
    form = words.format if isinstance(words.format, str) else ""
    if len(form) > MAX_FORMAT:
        raise PayloadError(f"the format of property {key} is too long")
    low, high, step = _range(form) if datatype in NUMBERS else (None, None, None)
    return Property(
        node,
        key,
        payload.name(words.name, key),
        datatype,
        settable=words.settable,
        retained=words.retained,
        unit=clean(words.unit, 16) if isinstance(words.unit, str) else "",
        low=low,
        high=high,
        step=step,
        options=_options(key, datatype, form),
        tagged=tagged,
    )


def _range(form: str) -> tuple[float | None, float | None, float | None]:
    """`min:max:step`, each of which may be missing. Raises PayloadError."""
    texts = form.split(":") if form else []
    if len(texts) > _RANGE_PARTS:
        raise PayloadError("a range has at most a minimum, a maximum and a step")
    found = [_bound(text) if text else None for text in texts]
    low, high, step = [*found, None, None, None][:_RANGE_PARTS]
    if low is not None and high is not None and low >= high:
        raise PayloadError("a range goes up")
    if step is not None and step < _MIN_STEP:
        raise PayloadError("the step of a range is more than 0")
    return low, high, step


def _bound(text: str) -> float:
    number = payload.number(text)
    if number is None or abs(number) > MAX_NUMBER:
        raise PayloadError("a range is made of numbers")
    return number


def _options(key: str, datatype: DataType, form: str) -> tuple[str, ...]:
    words = [word for word in form.split(",") if word and word == clean(word, payload.NAME_LENGTH)]
    if datatype is DataType.ENUM:
        return _wanted(key, words[:MAX_OPTIONS])
    if datatype is DataType.COLOR:
        return _wanted(key, [word for word in words if word in {"rgb", "hsv", "xyz"}])
    if datatype is DataType.BOOLEAN:
        # Two different words for false and true, or none that can be used.
        return tuple(words) if len(words) == len(set(words)) == 2 else ("off", "on")  # noqa: PLR2004
    return ()


def _wanted(key: str, words: Sequence[str]) -> tuple[str, ...]:
    if not words:
        raise PayloadError(f"property {key} does not say what it can be")
    return tuple(words)


def bounded(raw: Mapping[str, object], most: int) -> Mapping[str, object]:
    """The first `most` entries of an object whose names may stand in a topic."""
    named = [(key, value) for key, value in raw.items() if is_id(key)]
    return dict(named[:most])
