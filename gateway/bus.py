"""One stream of events to whoever reports: journal, metrics, dashboard, screen.

It reports; nothing acts on it. A listener that does not keep up loses events, counted.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager

from gateway.events import BusEvent

# About ten seconds of a busy house; a listener that is further behind is broken.
QUEUE_EVENTS = 10_000


class Subscription:
    """One listener's queue. `dropped` counts what did not fit."""

    def __init__(self, size: int) -> None:
        self._queue: asyncio.Queue[BusEvent] = asyncio.Queue(size)
        self.dropped = 0

    def offer(self, event: BusEvent) -> None:
        """Keep `event`, or count it as dropped when the queue is full."""
        try:
            self._queue.put_nowait(event)
        except asyncio.QueueFull:
            self.dropped += 1

    async def __aiter__(self) -> AsyncIterator[BusEvent]:
        """Each event as it comes, without end."""
        while True:
            yield await self._queue.get()

    def waiting(self) -> list[BusEvent]:
        """What has come and was not taken yet; takes it."""
        events = []
        while not self._queue.empty():
            events.append(self._queue.get_nowait())
        return events


class Bus:
    """Hands each event to every tap and subscription, at once and in order."""

    def __init__(self) -> None:
        self._subscriptions: list[Subscription] = []
        self._taps: list[Callable[[BusEvent], None]] = []

    @property
    def listening(self) -> bool:
        """Whether anybody would get an event: costly ones need not be made otherwise."""
        return bool(self._subscriptions or self._taps)

    def publish(self, event: BusEvent) -> None:
        """Report `event`. Never blocks, never raises."""
        for tap in self._taps:
            tap(event)
        for subscription in self._subscriptions:
            subscription.offer(event)

    @contextmanager
    def tap(self, listener: Callable[[BusEvent], None]) -> Iterator[None]:
        """Call `listener` with each event, on the spot, for the length of the `with` block.

        For who keeps a bounded store of its own: `listener` must not block or raise.
        """
        self._taps.append(listener)
        try:
            yield
        finally:
            self._taps.remove(listener)

    @contextmanager
    def subscribe(self, size: int = QUEUE_EVENTS) -> Iterator[Subscription]:
        """A subscription for the length of the `with` block."""
        subscription = Subscription(size)
        self._subscriptions.append(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.remove(subscription)
