"""Whose turn it is: one command in flight per device attribute, the next ones in order."""

from __future__ import annotations

from gateway.dispatch.flight import Flight
from gateway.dispatch.lifecycle import Event, State


class Turns:
    """Queues commands that write the same attributes of the same device.

    A newer command that replaces all that an unsent one writes supersedes it: that one is
    never sent. One that need not wait for what it replaces ("stop" while a movement was not
    acknowledged yet) ends its repeats, so that nothing starts after it.
    """

    def __init__(self) -> None:
        self._holding: dict[str, list[Flight]] = {}
        self._waiting: dict[str, list[Flight]] = {}

    def enter(self, flight: Flight) -> bool:
        """Take a turn. True when it is this flight's turn now, False when it has to wait."""
        device = flight.order.device_id
        holding = self._holding.setdefault(device, [])
        waiting = self._waiting.get(device, [])
        for older in [*holding, *waiting]:
            _replace(older, flight)
        if _free(flight, holding) and _free(flight, waiting):
            holding.append(flight)
            return True
        self._waiting.setdefault(device, []).append(flight)
        return False

    def holds(self, flight: Flight) -> bool:
        """Whether it is this flight's turn."""
        return flight in self._holding.get(flight.order.device_id, ())

    def leave(self, flight: Flight) -> None:
        """Give up the turn, or the place in the queue, and wake whose turn it is now."""
        device = flight.order.device_id
        holding = self._holding.get(device, [])
        waiting = self._waiting.get(device, [])
        _discard(flight, holding)
        _discard(flight, waiting)
        ahead: list[Flight] = []
        for candidate in list(waiting):
            if _free(candidate, holding) and _free(candidate, ahead):
                waiting.remove(candidate)
                holding.append(candidate)
                candidate.wake()
            else:
                ahead.append(candidate)
        if not holding:
            self._holding.pop(device, None)
        if not waiting:
            self._waiting.pop(device, None)


def _replace(older: Flight, newer: Flight) -> None:
    """End what `newer` makes pointless. A flight that ends leaves the queue by itself."""
    if not (older.supersedable and older.writes <= newer.replaces):
        return
    if older.state is State.CREATED:
        older.step(Event.SUPERSEDE)
    elif older.writes.isdisjoint(newer.writes):
        older.repeatable = False


def _free(flight: Flight, others: list[Flight]) -> bool:
    return all(flight.writes.isdisjoint(o.writes) for o in others if not o.state.final)


def _discard(flight: Flight, flights: list[Flight]) -> None:
    if flight in flights:
        flights.remove(flight)
