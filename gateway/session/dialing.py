"""Opening a connection, without waiting for an attempt that hangs.

An attempt that began while the network was away can hang for long after it is back. So
a fresh one goes beside it, again and again, while the first keeps its time for slow links.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from gateway.clock import Clock
from gateway.providers.base import Dialect, Endpoint, Offer
from gateway.session.connection import Connection, EndedError
from gateway.tasks import TaskSet

log = logging.getLogger(__name__)

# A fresh attempt goes beside one that takes longer than this, or than twice what the last
# good one took: a service that is slow to say yes is not asked twice.
FRESH_AFTER_S = 1.0
FRESH_AFTER_AT_MOST_S = 5.0


@dataclass(frozen=True, slots=True)
class Line:
    """An open connection, and the dialect that is spoken on it."""

    connection: Connection
    dialect: Dialect


@dataclass(frozen=True, slots=True)
class _Attempt:
    connection: Connection
    task: asyncio.Task[EndedError | None]


class Dialer:
    """Opens connections, each with a dialect of its own. At most two attempts run at a time."""

    def __init__(
        self,
        dialects: Callable[[], Dialect],
        offer: Callable[[], Offer],
        connect: Callable[[Endpoint], Connection],
        clock: Clock,
    ) -> None:
        self._dialects = dialects
        self._offer = offer
        self._connect = connect
        self._clock = clock
        self._tasks = TaskSet("session.dial")
        self._fresh_after_s = FRESH_AFTER_S

    async def open(self, *, hurry: bool) -> Line:
        """A line that is open. Raises EndedError. Cancelling it leaves nothing open.

        In a `hurry` an attempt that hangs is overtaken; the first attempt to end decides.
        """
        dialect = self._dialects()
        endpoint = dialect.endpoint(self._offer())
        log.debug("connecting to %s", endpoint.shown)
        attempts = [self._start(endpoint)]
        won: Connection | None = None
        try:
            while not (ended := await self._ended(attempts, hurry=hurry)):
                await self._drop(attempts[1:])
                attempts = [attempts[0], self._start(endpoint)]
            won = _opened(ended)
            return Line(won, dialect)
        finally:
            await self._drop([attempt for attempt in attempts if attempt.connection is not won])

    def _start(self, endpoint: Endpoint) -> _Attempt:
        connection = self._connect(endpoint)
        return _Attempt(connection, self._tasks.start(self._try(connection), "attempt"))

    async def _try(self, connection: Connection) -> EndedError | None:
        """How it failed, None when it is open."""
        began = self._clock.monotonic()
        try:
            await connection.open()
        except EndedError as end:
            return end
        took_s = self._clock.monotonic() - began
        self._fresh_after_s = min(max(2 * took_s, FRESH_AFTER_S), FRESH_AFTER_AT_MOST_S)
        return None

    async def _ended(self, attempts: list[_Attempt], *, hurry: bool) -> list[_Attempt]:
        """Those that ended, [] when it is time for a fresh one."""
        done, _ = await asyncio.wait(
            [attempt.task for attempt in attempts],
            timeout=self._fresh_after_s if hurry else None,
            return_when=asyncio.FIRST_COMPLETED,
        )
        return [attempt for attempt in attempts if attempt.task in done]

    async def _drop(self, attempts: list[_Attempt]) -> None:
        for attempt in attempts:
            attempt.task.cancel()
        await asyncio.gather(*(attempt.task for attempt in attempts), return_exceptions=True)
        for attempt in attempts:
            await attempt.connection.close()


def _opened(ended: list[_Attempt]) -> Connection:
    """The connection of an attempt that succeeded. Raises EndedError when none did."""
    failures = []
    for attempt in ended:
        failure = attempt.task.result()
        if failure is None:
            return attempt.connection
        failures.append(failure)
    raise failures[0]
