"""The hours at which a rule holds: local time, perhaps over midnight, perhaps on some days.

Pure: it is told what time it is, and never asks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_MINUTES = 24 * 60


@dataclass(frozen=True, slots=True)
class Hours:
    """From the minute `start` until before the minute `end`, counted from midnight.

    Over midnight when `end` is not after `start`. `days` (0 Monday .. 6 Sunday) are those on
    which the hours begin; empty for every day.
    """

    start: int = 0
    end: int = _DAY_MINUTES
    days: frozenset[int] = frozenset()

    def hold(self, now: datetime) -> bool:
        """Whether `now`, a local time, is within."""
        minute, today = now.hour * 60 + now.minute, now.weekday()
        if self.start < self.end:
            return self.start <= minute < self.end and self._begin_on(today)
        if minute >= self.start:
            return self._begin_on(today)
        return minute < self.end and self._begin_on((today - 1) % 7)

    def _begin_on(self, day: int) -> bool:
        return not self.days or day in self.days


def parse(span: str, days: Iterable[str] = ()) -> Hours | None:
    """The hours of "22:00-07:00" on `days` as in DAYS; None when neither is given.

    Raises ValueError for what is written otherwise.
    """
    numbers = frozenset(DAYS.index(day) for day in days)
    if not span:
        return Hours(days=numbers) if numbers else None
    start, _, end = span.partition("-")
    return Hours(_minutes(start), _minutes(end), numbers)


def _minutes(text: str) -> int:
    hour, _, minute = text.partition(":")
    return int(hour) * 60 + int(minute)
