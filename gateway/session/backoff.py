"""How long to wait before the next connection. It decides; it does not wait."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

BASE_S = 1.0
CAP_S = 60.0
# A connection that lived this long was a good one: the next attempt starts from the base.
GOOD_AFTER_S = 30.0
# Connections that open and die at once are no network trouble, and hurrying cannot cure them.
QUICK_WITHIN_S = 5.0
QUICK_LIMIT = 3


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait `seconds`. `quick_failures`: connections keep opening and dying at once."""

    seconds: float
    quick_failures: bool = False


class Backoff:
    """Exponential with full jitter, at most CAP_S; `random` gives numbers in [0, 1)."""

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self._failures = 0
        self._quick = 0

    def after(self, lived_s: float | None, retry_after_s: float | None = None) -> Pause:
        """The pause after a connection that lived `lived_s` (None: it never opened).

        `retry_after_s` is the least pause that the other side asks for.
        """
        if lived_s is not None and lived_s > GOOD_AFTER_S:
            self._failures = 0
        self._quick = self._quick + 1 if lived_s is not None and lived_s < QUICK_WITHIN_S else 0
        ceiling = min(CAP_S, BASE_S * 2.0 ** min(self._failures, 10))
        self._failures += 1
        seconds = max(self._random() * ceiling, retry_after_s or 0.0)
        if self._quick >= QUICK_LIMIT:
            return Pause(max(seconds, CAP_S), quick_failures=True)
        return Pause(seconds)
