"""How much of what others can repeat at will is kept: a device in a loop must not fill a disk.

Calls, commands, their ends and first acknowledgements are never rationed.
"""

from __future__ import annotations

from gateway.events import BusEvent, DeviceSeen, EvidenceReceived, MessageDropped

PER_MINUTE = 300
_MINUTE_S = 60.0


class Ration:
    """Counts what comes in each minute. Times are seconds on any one scale."""

    def __init__(self) -> None:
        self._until = 0.0
        self._kept = 0
        self._missed = 0

    def allows(self, event: BusEvent, now: float) -> bool:
        """Whether `event` is kept."""
        if not _is_repeatable(event):
            return True
        if now >= self._until:
            self._until, self._kept = now + _MINUTE_S, 0
        if self._kept >= PER_MINUTE:
            self._missed += 1
            return False
        self._kept += 1
        return True

    def missed(self, now: float) -> int:
        """How much was not kept in the minutes that are over; asking forgets it."""
        if now < self._until:
            return 0
        missed, self._missed = self._missed, 0
        return missed


def _is_repeatable(event: BusEvent) -> bool:
    if isinstance(event, EvidenceReceived):
        return event.duplicate or event.status == "in_progress"
    return isinstance(event, MessageDropped | DeviceSeen)
