"""Which command an acknowledgement belongs to, and which acknowledgements belong to none."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

from devices.ecosystems.base import Acknowledged
from gateway.dispatch.flight import Flight

# Unanswered commands that may still be acknowledged late, and ended ones whose repeats are
# recognised: together about ten minutes of a busy house.
MAX_OPEN = 4096
MAX_ENDED = 4096


@dataclass(frozen=True, slots=True)
class Stray:
    """An acknowledgement that moves nothing; `duplicate` when its command has ended."""

    reason: str
    duplicate: bool = False


class Matcher:
    """Open commands by id. Both tables are bounded: the oldest entry goes first."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, Flight] = OrderedDict()
        self._ended: OrderedDict[str, str] = OrderedDict()

    def __len__(self) -> int:
        """How many commands can still be acknowledged."""
        return len(self._open)

    def __iter__(self) -> Iterator[Flight]:
        """The commands that can still be acknowledged, oldest first."""
        return iter(self._open.values())

    def expect(self, flight: Flight) -> None:
        """Acknowledgements for `flight` may come from now on."""
        self._open[flight.id] = flight
        if len(self._open) > MAX_OPEN:
            self._open.popitem(last=False)

    def ended(self, flight: Flight) -> None:
        """Nothing can change `flight` any more: what still comes is a repeat."""
        self._open.pop(flight.id, None)
        self._ended[flight.id] = flight.order.device_id
        if len(self._ended) > MAX_ENDED:
            self._ended.popitem(last=False)

    def match(self, heard: Acknowledged) -> Flight | Stray:
        """The command that `heard` belongs to, or why it belongs to none."""
        command_id = heard.ack.id
        flight = self._open.get(command_id)
        owner = flight.order.device_id if flight else self._ended.get(command_id)
        if owner is None:
            return Stray("it names no command of ours")
        # A broker without access rules lets any device write any topic under its own name only
        # if we look at the topic, never at the payload.
        if owner != heard.device_id:
            return Stray(f"its command was for {owner}")
        return flight or Stray("its command has ended", duplicate=True)
