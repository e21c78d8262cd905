"""A YAML file as plain data, bounded, and plain data as YAML.

No error repeats a line: it may hold a secret.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from gateway.errors import ConfigError

MAX_FILE_BYTES = 1_000_000
MAX_VALUES = 100_000
MAX_DEPTH = 32

# The library lets slip what its types say of values that they do not like: 2024-13-45, `!!int x`.
_UNREADABLE = (yaml.YAMLError, ValueError, TypeError, LookupError, AttributeError)


def read(path: Path) -> dict[str, Any]:
    """The sections in `path`, {} when it holds none. Raises ConfigError with one sentence."""
    raw = _parsed(_content(path), path)
    if raw is None:
        return {}
    if _is_endless(raw):
        raise ConfigError(f"{path} holds too many values, or is nested too deeply")
    if not isinstance(raw, dict) or not all(isinstance(key, str) for key in raw):
        raise ConfigError(f"{path} must hold sections such as session: and mqtt:")
    return raw


def text(plain: object) -> str:
    """Plain data as YAML, in its own order."""
    return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True)


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from None
    if len(data) > MAX_FILE_BYTES:
        raise ConfigError(f"{path} has more than {MAX_FILE_BYTES} bytes: is it the right file?")
    return data


def _parsed(data: bytes, path: Path) -> object:
    try:
        return yaml.safe_load(data)
    except _UNREADABLE as error:
        # Only the place, for the line itself may hold a secret.
        mark = getattr(error, "problem_mark", None)
        line = f" at line {mark.line + 1}" if mark else ""
        raise ConfigError(f"{path} is no valid YAML{line}") from None
    except RecursionError:
        raise ConfigError(f"{path} is nested too deeply") from None


def _is_endless(raw: object) -> bool:
    """Whether aliases make a small file into a tree without end, or nearly."""
    level, count = [raw], 0
    for _ in range(MAX_DEPTH):
        inside = itertools.chain.from_iterable(map(_values, level))
        level = list(itertools.islice(inside, MAX_VALUES + 1))
        count += len(level)
        if count > MAX_VALUES:
            return True
    return bool(level)


def _values(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
