"""What a template from the network may call: filters and functions, each bounded.

Home Assistant's names and manners (`float` without a default fails on what is no number).
Nothing here grows without limit or loops over more than it was given.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import Undefined

from devices.ecosystems.payload import MAX_DEPTH

Value = Any

MAX_SIZE = 16 * 1024
MAX_BITS = 64
MAX_PATTERN_LENGTH = 64
MAX_SUBJECT_LENGTH = 1024
MAX_RANGE = 100
# Groups that repeat, back references and look-around: where matching time explodes.
_COSTLY_PATTERN = re.compile(r"\)\s*[*+?{]|\\[1-9]|\(\?")
_QUANTIFIER = re.compile(r"[*+?]|\{\d*,?\d*\}")
_MAX_QUANTIFIERS = 2
_PRINTF = re.compile(r"%[-+ 0]?\d?\d?(?:\.\d\d?)?[sdfiegxX%]")
_STRFTIME = re.compile(r"%-?[A-Za-z%]")


class BoundError(ValueError):
    """A template asks for more than it gets."""


def bounded(value: Value) -> Value:
    """`value`, unless it is larger than a message may be. Raises BoundError."""
    if isinstance(value, str | bytes | list | tuple | dict) and len(value) > MAX_SIZE:
        raise BoundError("a value became too large")
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > MAX_BITS:
        raise BoundError("a number became too large")
    return value


def weight(value: Value, room: int = MAX_SIZE) -> int:
    """How much a value holds, inner ones each time they occur. Raises BoundError over `room`."""
    if not isinstance(value, str | list | tuple | dict):
        return 1
    total = 1 + (len(value) if isinstance(value, str) else 0)
    inner = (*value, *value.values()) if isinstance(value, dict) else value
    for each in inner if not isinstance(value, str) else ():
        total += weight(each, room - total)
    if total > room:
        raise BoundError("a value became too large")
    return total


def joined(parts: Value, separator: str = "") -> str:
    """The texts of `parts` with `separator` between them."""
    texts = [str(part) for part in parts]
    if sum(map(len, texts)) + len(str(separator)) * len(texts) > MAX_SIZE:
        raise BoundError("a text became too long")
    return str(separator).join(texts)


def replaced(value: Value, old: Value, new: Value) -> str:
    """`value` with `old` replaced by `new`."""
    text, old, new = str(value), str(old), str(new)
    if not old:
        raise BoundError("nothing cannot be replaced")
    if len(text) + text.count(old) * len(new) > MAX_SIZE:
        raise BoundError("a text became too long")
    return text.replace(old, new)


def formatted(pattern: Value, arguments: Value) -> str:
    """`pattern % arguments` for the usual short formats."""
    pattern = str(pattern)
    if "%" in _PRINTF.sub("", pattern):
        raise BoundError("that format is not for templates")
    return str(pattern % arguments)


def strftime(moment: Value, pattern: str) -> str:
    """A moment as text, in the usual formats."""
    if len(pattern) > MAX_PATTERN_LENGTH or "%" in _STRFTIME.sub("", pattern):
        raise BoundError("that format is not for templates")
    return str(moment.strftime(pattern))


def as_float(value: Value, *default: Value) -> Value:
    """A number; `default` for what is none, without it a failure."""
    return _converted(float, value, default)


def as_int(value: Value, *default: Value) -> Value:
    """A whole number, cut off towards zero."""
    return _converted(lambda v: int(float(v)), value, default)


def as_bool(value: Value, *default: Value) -> Value:
    """True or false, also from words."""

    def convert(v: Value) -> bool:
        word = str(v).casefold()
        if word in {"true", "1", "1.0", "yes", "on", "enable"}:
            return True
        if word in {"false", "0", "0.0", "no", "off", "disable"}:
            return False
        raise ValueError(word)

    return _converted(convert, value, default)


def rounded(value: Value, precision: int = 0, method: str = "common", *default: Value) -> Value:
    """To `precision` places; `method` is common, ceil, floor or half."""

    def convert(v: Value) -> float:
        number, factor = float(v), 10.0 ** min(max(int(precision), -9), 9)
        if method == "half":
            return round(number * 2) / 2
        step = {"ceil": math.ceil, "floor": math.floor}.get(method)
        result = step(number * factor) / factor if step else round(number, int(precision))
        return int(result) if precision == 0 else result

    return _converted(convert, value, default)


def is_defined(value: Value) -> Value:
    """The value itself; a failure when it is not there."""
    if isinstance(value, Undefined):
        raise BoundError("a value is not there")
    return value


def is_number(value: Value) -> bool:
    """Whether it can be read as a finite number."""
    try:
        return math.isfinite(float(value))
    except (ValueError, TypeError):
        return False


def iif(value: Value, yes: Value = True, no: Value = False, none: Value = None) -> Value:
    """One of three, by whether `value` is true, false or none."""
    if value is None and none is not None:
        return none
    return yes if value else no


def from_json(value: Value, *default: Value) -> Value:
    """What a JSON text says."""
    return _converted(_parsed, str(value), default)


def to_json(value: Value, **_: Value) -> str:
    """A value as JSON text."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def limited_range(*bounds: int) -> range:
    """`range`, of at most MAX_RANGE numbers."""
    found = range(*bounds)
    if len(found) > MAX_RANGE:
        raise BoundError("a range is too long")
    return found


def truncated(value: Value, length: int = 255, killwords: bool = False, end: str = "...") -> str:
    """At most `length` characters of a text, cut at a word unless `killwords`."""
    text, end = str(value), str(end)
    if len(text) <= length:
        return text
    head = text[: max(0, length - len(end))]
    return (head if killwords else head.rsplit(" ", 1)[0]) + end


def regex_match(value: Value, find: str = "", ignorecase: bool = False) -> bool:
    """Whether the text begins with the pattern."""
    return bool(pattern(find, ignorecase=ignorecase).match(_subject(value)))


def regex_search(value: Value, find: str = "", ignorecase: bool = False) -> bool:
    """Whether the pattern occurs in the text."""
    return bool(pattern(find, ignorecase=ignorecase).search(_subject(value)))


def regex_replace(
    value: Value,
    find: str = "",
    replace: str = "",
    ignorecase: bool = False,
) -> str:
    """The text with each occurrence replaced."""
    if len(str(replace)) > MAX_PATTERN_LENGTH:
        raise BoundError("a text became too long")
    return pattern(find, ignorecase=ignorecase).sub(str(replace), _subject(value))


def regex_findall(value: Value, find: str = "", ignorecase: bool = False) -> list[Value]:
    """All occurrences."""
    return pattern(find, ignorecase=ignorecase).findall(_subject(value))


def regex_findall_index(
    value: Value,
    find: str = "",
    index: int = 0,
    ignorecase: bool = False,
) -> Value:
    """One of all occurrences."""
    return regex_findall(value, find, ignorecase)[index]


def pattern(text: str, *, ignorecase: bool = False) -> re.Pattern[str]:
    """A compiled pattern that matches in little time. Raises BoundError, re.error."""
    costly = len(text) > MAX_PATTERN_LENGTH or _COSTLY_PATTERN.search(text)
    if costly or len(_QUANTIFIER.findall(text)) > _MAX_QUANTIFIERS:
        raise BoundError("that pattern could take for ever")
    return re.compile(text, re.IGNORECASE if ignorecase else 0)


def _subject(value: Value) -> str:
    text = str(value)
    if len(text) > MAX_SUBJECT_LENGTH:
        raise BoundError("a text is too long for a pattern")
    return text


def _parsed(text: str) -> Value:
    value = json.loads(text)
    _check_depth(value, MAX_DEPTH)
    return value


def _check_depth(value: Value, depth: int) -> None:
    if depth == 0:
        raise BoundError("a value is nested too deeply")
    inner = value.values() if isinstance(value, dict) else value
    for each in inner if isinstance(value, dict | list) else ():
        _check_depth(each, depth - 1)


def _converted(
    convert: Callable[[Value], Value], value: Value, default: tuple[Value, ...]
) -> Value:
    try:
        return convert(value)
    except (ValueError, TypeError, OverflowError, RecursionError):
        if default:
            return default[0]
        raise


def _default(value: Value, otherwise: Value = "", boolean: bool = False) -> Value:
    missing = isinstance(value, Undefined) or (boolean and not value)
    return otherwise if missing else value


def _slugify(value: Value, separator: str = "_") -> str:
    return re.sub(r"[^a-z0-9]+", str(separator)[:1], str(value).casefold()).strip(separator)


def _trimmed(value: Value, signs: str | None = None) -> str:
    return str(value).strip(signs)


def _total(values: Value, start: float = 0) -> float:
    return float(start) + math.fsum(float(v) for v in values)


def _listed(value: Value) -> list[Value]:
    return list(value)


def _first(value: Value) -> Value:
    return next(iter(value))


FILTERS: Mapping[str, Callable[..., Value]] = {
    "abs": abs,
    "bool": as_bool,
    "capitalize": lambda v: str(v).capitalize(),
    "count": len,
    "default": _default,
    "d": _default,
    "first": _first,
    "float": as_float,
    "format": lambda v, *a: formatted(v, a),
    "from_json": from_json,
    "iif": iif,
    "int": as_int,
    "is_defined": is_defined,
    "is_number": is_number,
    "join": joined,
    "last": lambda v: list(v)[-1],
    "length": len,
    "list": _listed,
    "lower": lambda v: str(v).lower(),
    "max": max,
    "min": min,
    "multiply": lambda v, by: float(v) * float(by),
    "regex_findall": regex_findall,
    "regex_findall_index": regex_findall_index,
    "regex_match": regex_match,
    "regex_replace": regex_replace,
    "regex_search": regex_search,
    "replace": replaced,
    "round": rounded,
    "slugify": _slugify,
    "string": str,
    "sum": _total,
    "title": lambda v: str(v).title(),
    "to_json": to_json,
    "tojson": to_json,
    "trim": _trimmed,
    "truncate": truncated,
    "upper": lambda v: str(v).upper(),
}

GLOBALS: Mapping[str, Callable[..., Value]] = {
    "bool": as_bool,
    "float": as_float,
    "iif": iif,
    "int": as_int,
    "is_number": is_number,
    "max": max,
    "min": min,
    "range": limited_range,
}

# The methods and attributes that a template may use, by type; everything else is out of reach.
METHODS: Mapping[str, frozenset[str]] = {
    "str": frozenset(
        {"capitalize", "count", "endswith", "find", "isdecimal", "isdigit", "isnumeric", "lower"}
        | {"lstrip", "replace", "rsplit", "rstrip", "split", "startswith", "strip", "title"}
        | {"upper"}
    ),
    "dict": frozenset({"get", "items", "keys", "values"}),
    "list": frozenset({"count", "index"}),
    "datetime": frozenset(
        {"day", "hour", "isoformat", "minute", "month", "second", "strftime", "timestamp"}
        | {"weekday", "year"}
    ),
    "LoopContext": frozenset({"first", "index", "index0", "last", "length"}),
}
