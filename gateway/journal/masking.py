"""What never enters the journal: codes, passwords, and the tokens that confirm.

It judges by the names of arguments; it never looks at what a value looks like.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

MASK = "***"
# No tool takes anything so deep; what a hostile call nests deeper is not followed.
MAX_DEPTH = 16

_SHORT = 64
_REMEMBERED = 1024

_SECRET = frozenset(
    {
        *("code", "pin", "passcode", "password", "passwd", "passphrase"),
        *("secret", "token", "credential", "confirmation"),
    }
)
# "accessCode", "access_code" and "access-code" are the same two words.
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def masked(values: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """`values` with each secret replaced by MASK, and whether there was one.

    What lies deeper than MAX_DEPTH is replaced too.
    """
    clear = _masked(values, MAX_DEPTH)
    return clear, clear != dict(values)


def is_secret(name: str) -> bool:
    """Whether a value of this name is kept out."""
    # The names that tools have are short and few; what a hostile call sends is not kept.
    return _judged(name) if len(name) <= _SHORT else _judge(name)


def _judge(name: str) -> bool:
    words = {word.casefold() for word in _WORDS.findall(name)}
    return not _SECRET.isdisjoint(words | {word.removesuffix("s") for word in words})


_judged = lru_cache(_REMEMBERED)(_judge)


def _masked(values: Mapping[str, Any], depth: int) -> dict[str, Any]:
    clear: dict[str, Any] = {}
    for name, value in values.items():
        secret = is_secret(name) and value not in (None, "")
        clear[name] = MASK if secret else _inside(value, depth)
    # A text capability is set by name: {"name": "pin", "value": "1234"}.
    if "value" in clear and is_secret(str(values.get("name", ""))):
        clear["value"] = MASK
    return clear


def _inside(value: Any, depth: int) -> Any:  # noqa: ANN401 -- any JSON
    if not isinstance(value, Mapping | list | tuple):
        return value
    if not depth:
        return MASK
    if isinstance(value, Mapping):
        return _masked(value, depth - 1)
    return [_inside(item, depth - 1) for item in value]
