"""Subscriptions that became necessary while the gateway runs: devices name their own topics.

Asked for in the background, some at a time; what a broker refuses is said once and left.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import islice

from devices.contract.errors import LinkError
from devices.ecosystems.base import Listen
from devices.link.base import Handler, Link, Publish, Unsubscribe
from gateway.once import Once
from gateway.tasks import TaskSet

log = logging.getLogger(__name__)

# A thousand lamps have some thousand topics; beyond this a house is one that makes them up.
MAX_TOPICS = 40_000
# Asked for together: enough to fill the way to the broker and back.
AT_ONCE = 64

# How long what follows a subscription may wait for a link that is about to be back.
FOLLOWS_WITHIN_S = 2.0

Key = tuple[str, str]
Say = Callable[[Iterable[Publish]], None]


class Listening:
    """The dynamic subscriptions of all ecosystems. `dropped` counts those beyond MAX_TOPICS.

    `say` publishes what shall follow once a subscription stands; it must not raise.
    """

    def __init__(self, link: Link, say: Say) -> None:
        self._link = link
        self._say = say
        self._tasks = TaskSet("listening")
        self._wanted: dict[Key, tuple[Handler, Listen]] = {}
        self._standing: dict[Key, Unsubscribe] = {}
        self._new: dict[Key, None] = {}
        self._complaints = Once(MAX_TOPICS)
        self._worker: asyncio.Task[None] | None = None
        self.dropped = 0

    def __len__(self) -> int:
        """How many subscriptions are wanted."""
        return len(self._wanted)

    def change(self, owner: str, listen: Listen, handler: Handler) -> None:
        """Begin or end what `owner` listens to. Wanting a filter twice is wanting it once."""
        key = (owner, listen.filter)
        if not listen.wanted:
            self._forget(key)
        elif key not in self._wanted:
            self._want(key, handler, listen)

    async def close(self) -> None:
        """Ask for nothing more. What stands ends with the link."""
        await self._tasks.close()

    def _want(self, key: Key, handler: Handler, listen: Listen) -> None:
        if len(self._wanted) >= MAX_TOPICS:
            self.dropped += 1
            return
        self._wanted[key] = (handler, listen)
        self._new[key] = None
        if self._worker is None or self._worker.done():
            self._worker = self._tasks.start(self._work(), "subscribe")

    def _forget(self, key: Key) -> None:
        self._wanted.pop(key, None)
        self._new.pop(key, None)
        unsubscribe: Callable[[], None] | None = self._standing.pop(key, None)
        if unsubscribe is not None:
            unsubscribe()

    async def _work(self) -> None:
        while self._new:
            batch = list(islice(self._new, AT_ONCE))
            for key in batch:
                del self._new[key]
            await asyncio.gather(*(self._subscribe(key) for key in batch))

    async def _subscribe(self, key: Key) -> None:
        if key not in self._wanted:
            return
        handler, listen = self._wanted[key]
        try:
            unsubscribe = await self._link.subscribe(listen.filter, handler, qos=listen.qos)
        except (LinkError, ValueError) as error:
            self._wanted.pop(key, None)
            if self._complaints.first(key[0]):
                log.warning("cannot listen to a topic that %s names: %s", key[0], error)
            return
        # It may have become needless, or wanted anew, while the broker was asked.
        if key in self._wanted and key not in self._standing:
            self._standing[key] = unsubscribe
            await self._follow(listen)
        else:
            unsubscribe()

    async def _follow(self, listen: Listen) -> None:
        """Publish what waited for the subscription, once anything can be published."""
        if listen.then:
            # A device that is there already is heard before all subscriptions stand again.
            with suppress(LinkError):
                await self._link.connected(FOLLOWS_WITHIN_S)
            self._say(listen.then)
