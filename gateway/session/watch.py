"""What is watched over one connection: that somebody is there, and that it does not get too old.

Both only wait and tell; what follows is for the session. Neither ends anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from gateway.clock import Clock

# A service says something within a second or two of taking a connection.
SILENT_WARNING_S = 10.0
SILENT_END_S = 60.0

# An avatar speaks longer than its answer takes to come, and the user may have more to say.
MOST_REST_S = 10.0
# A conversation without a pause must not hold the renewal up until the service's own limit.
PATIENCE_S = 240.0
# When the next connection cannot be opened beside the old one.
TRY_AGAIN_S = 30.0


async def silence(heard: Callable[[], bool], warn: Callable[[], None]) -> bool:
    """Whether the service never said anything, asked for SILENT_END_S. `warn`s before that."""
    await asyncio.sleep(SILENT_WARNING_S)
    if heard():
        return False
    warn()
    await asyncio.sleep(SILENT_END_S - SILENT_WARNING_S)
    return not heard()


@dataclass(frozen=True, slots=True)
class Renewal:
    """When a connection is renewed: once it is `after_s` old, between two turns.

    `quiet_since` says since when nobody speaks and nothing is owed, None while something is.
    """

    after_s: float
    clock: Clock
    quiet_since: Callable[[], float | None]

    async def due(self, opened_at: float) -> None:
        """Return between two turns, or when the patience is over."""
        now = self.clock.monotonic()
        await asyncio.sleep(max(0.0, opened_at + self.after_s - now))
        while not self.allowed(opened_at):  # noqa: ASYNC110 - silence has no event of its own
            await asyncio.sleep(self._rest_s)

    def allowed(self, opened_at: float) -> bool:
        """Whether now is between two turns, or too late to wait for that."""
        now = self.clock.monotonic()
        if now >= opened_at + self.after_s + PATIENCE_S:
            return True
        since = self.quiet_since()
        return since is not None and now - since >= self._rest_s

    @property
    def _rest_s(self) -> float:
        # Whoever renews every minute does not want to wait ten seconds each time.
        return min(MOST_REST_S, self.after_s / 10)
