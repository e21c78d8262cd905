"""What never enters the journal: codes, passwords, and the tokens that confirm.

It judges by the names of arguments; it never looks at what a value looks like.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

MASK = "***"

_SECRET = frozenset(
    {
        *("code", "pin", "passcode", "password", "passwd", "passphrase"),
        *("secret", "token", "credential", "confirmation"),
    }
)
# "accessCode", "access_code" and "access-code" are the same two words.
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def masked(values: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """`values` with each secret replaced by MASK, however deep, and whether there was one."""
    clear: dict[str, Any] = {}
    for name, value in values.items():
        clear[name] = MASK if is_secret(name) and value not in (None, "") else _inside(value)
    # A text capability is set by name: {"name": "pin", "value": "1234"}.
    if "value" in clear and is_secret(str(values.get("name", ""))):
        clear["value"] = MASK
    return clear, clear != dict(values)


def is_secret(name: str) -> bool:
    """Whether a value of this name is kept out."""
    words = {word.casefold() for word in _WORDS.findall(name)}
    return not _SECRET.isdisjoint(words | {word.removesuffix("s") for word in words})


def _inside(value: Any) -> Any:  # noqa: ANN401 -- any JSON
    if isinstance(value, Mapping):
        return masked(value)[0]
    if isinstance(value, list | tuple):
        return [_inside(item) for item in value]
    return value
