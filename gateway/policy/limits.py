"""How many calls a minute are carried out, so that a model in a loop cannot wear out a relay."""

from __future__ import annotations

from collections import deque

from gateway.clock import Clock

WINDOW_S = 60.0


class CallLimit:
    """Allows `calls_per_minute` calls in any 60 seconds.

    Every call counts, reads and confirmations too: a loop of reads is a loop. A refused call
    does not count, so that the house answers again as soon as the window has moved on.
    """

    def __init__(self, calls_per_minute: int, clock: Clock) -> None:
        self._clock = clock
        self._allowed_at: deque[float] = deque(maxlen=calls_per_minute)

    def allows(self) -> bool:
        """Whether one more call may be carried out now; counts it when so."""
        now = self._clock.monotonic()
        full = len(self._allowed_at) == self._allowed_at.maxlen
        if full and now - self._allowed_at[0] < WINDOW_S:
            return False
        self._allowed_at.append(now)
        return True
