"""The PIN of this house: compared in constant time, and not to be found by trying.

It never leaves this object: no text, log line or error holds it.
"""

from __future__ import annotations

import hmac
import re
from collections import deque

from gateway.clock import Clock

MIN_LENGTH = 4
MAX_WRONG = 5
WRONG_WITHIN_S = 600.0
LOCKED_S = 300.0
# How a PIN may be written down when it was spoken.
_BETWEEN = re.compile(r"[\s.,-]+")


class Pin:
    """The PIN `right`. After MAX_WRONG wrong tries within WRONG_WITHIN_S none fits for LOCKED_S.

    Raises ValueError when `right` is shorter than MIN_LENGTH.
    """

    def __init__(self, right: str, clock: Clock) -> None:
        self._right = _plain(right)
        if len(self._right) < MIN_LENGTH:
            raise ValueError(f"a PIN has at least {MIN_LENGTH} letters or digits")
        self._clock = clock
        self._wrong_at: deque[float] = deque(maxlen=MAX_WRONG)
        self._locked_until = 0.0

    def locked_s(self) -> float:
        """Seconds until it may be tried again, 0 when it may be."""
        return max(0.0, self._locked_until - self._clock.monotonic())

    def fits(self, given: str) -> bool:
        """Whether `given` is the PIN, which it never is while locked. Counts wrong tries.

        Capitals, spaces, hyphens, commas and full stops do not matter.
        """
        if self.locked_s():
            return False
        if hmac.compare_digest(_plain(given), self._right):
            return True
        self._count_wrong(self._clock.monotonic())
        return False

    def _count_wrong(self, now: float) -> None:
        self._wrong_at.append(now)
        full = len(self._wrong_at) == MAX_WRONG
        if full and now - self._wrong_at[0] <= WRONG_WITHIN_S:
            self._locked_until = now + LOCKED_S
            self._wrong_at.clear()


def _plain(pin: str) -> bytes:
    return _BETWEEN.sub("", pin).casefold().encode()
