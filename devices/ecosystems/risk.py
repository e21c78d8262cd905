"""How dangerous what others announce is, judged by what it is and by the words in its name.

They never say it themselves. In doubt a thing is guarded: asking once too often hurts nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from devices.contract.capability import Kind, Risk

# What opens the house, floods it, burns it down or wakes the street.
_GUARDED = re.compile(
    r"\b(garage|gate|door|lock|valve|alarm|siren|heat(er|ing)?|boiler|oven|stove|hob|furnace"
    r"|fireplace|gas|sauna|kettle|water[ _-]?main|irrigation|pump)s?\b"
)
# What changes the device itself rather than the house: never for a voice.
_FORBIDDEN = re.compile(
    r"(firmware|\bota\b|update|factory|reset|restart|reboot|pairing|\bpair\b|permit[ _-]?join"
    r"|identify|self[ _-]?test|wi-?fi|calibrat|pin[ _-]?code|\bdebug\b|\blog[ _-]?level\b|backup)"
)
_ALWAYS_GUARDED = frozenset({Kind.LOCK, Kind.ALARM})
# A thermostat called "heating" is a thermostat; its range is its guard.
_NEVER_BY_WORD = frozenset({Kind.SENSOR, Kind.CLIMATE})


def risk_of(kind: Kind, *words: str) -> Risk:
    """The risk of a capability of `kind` that is called, classed or described by `words`."""
    if kind in _ALWAYS_GUARDED:
        return Risk.GUARDED
    if kind in _NEVER_BY_WORD:
        return Risk.NORMAL
    return Risk.GUARDED if any(_GUARDED.search(_plain(word)) for word in words) else Risk.NORMAL


def is_forbidden(*words: str) -> bool:
    """Whether a function of these names is about the device itself: it is never offered."""
    return any(_FORBIDDEN.search(_plain(word)) for word in words)


def highest(risks: Iterable[Risk]) -> Risk:
    """The highest of `risks`, NORMAL when there are none."""
    order = (Risk.NORMAL, Risk.GUARDED, Risk.FORBIDDEN)
    return max(risks, key=order.index, default=Risk.NORMAL)


def _plain(word: str) -> str:
    return re.sub(r"[_/.-]+", " ", word).casefold()
