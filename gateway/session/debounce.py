"""Once things have been quiet: changes that come in bursts, acted on once.

One thing that never rests does not hold the others up for ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from gateway.clock import Clock

# Devices come in bursts at start; the model needs the list once, when it is whole.
QUIET_S = 1.0
# One device that comes and goes must not keep the others from being told.
PATIENCE_S = 5.0


class Debounce:
    """Calls `act` QUIET_S after the last change, at most PATIENCE_S after the first one."""

    def __init__(self, act: Callable[[], None], clock: Clock) -> None:
        self._act = act
        self._clock = clock
        self._timer: asyncio.TimerHandle | None = None
        self._by = 0.0

    def changed(self) -> None:
        """Something changed."""
        now = self._clock.monotonic()
        if self._timer is None:
            self._by = now + PATIENCE_S
        else:
            self._timer.cancel()
        delay_s = max(0.0, min(QUIET_S, self._by - now))
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._quiet)

    def close(self) -> None:
        """Forget what waits."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _quiet(self) -> None:
        self._timer = None
        self._act()
