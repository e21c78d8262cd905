"""How long to pause before the next attempt to connect. Pure, no clock."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

_MOST_DOUBLINGS = 32  # beyond any cap, and 2**attempt stays a small number


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential pauses with full jitter: anything between nothing and the limit.

    The limit starts at `base_s` and doubles up to `cap_s`. Full jitter, because a house full
    of clients that lost one broker must not come back in step. `draw` returns a number
    from 0 up to 1.
    """

    base_s: float = 0.5
    cap_s: float = 30.0
    draw: Callable[[], float] = random.random

    def pause_s(self, attempt: int) -> float:
        """The pause in seconds after failed attempt number `attempt`, counted from 0."""
        limit_s = min(self.cap_s, self.base_s * 2.0 ** min(attempt, _MOST_DOUBLINGS))
        return self.draw() * limit_s
