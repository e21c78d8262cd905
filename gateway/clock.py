"""Time as a parameter: code asks the clock it was given, never the system."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Two times: one that never jumps, for deadlines and ages; one for people."""

    def monotonic(self) -> float:
        """Seconds since some fixed moment; the same scale as the event loop's time."""

    def wall(self) -> datetime:
        """The time of day, in UTC."""


class SystemClock:
    """The machine's clocks."""

    def monotonic(self) -> float:
        """Seconds, on the scale of asyncio's default loop."""
        return time.monotonic()

    def wall(self) -> datetime:
        """Now, in UTC."""
        return datetime.now(UTC)
