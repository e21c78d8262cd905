"""Breaks things and mends them, and takes the time until they work again."""

from __future__ import annotations

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

from tests.faults import journal
from tests.faults.records import Asked
from tests.faults.recoveries import Recoveries
from tests.faults.schedule import Incident
from tests.faults.world import World

BROKER_BACK = "broker back → first confirmed"
SESSION_BACK = "session dropped → live again"
GATEWAY_BACK = "gateway killed → first confirmed"
RESOLVED = "gateway killed → every command of before resolved"

BROKER_AWAY_S = 0.3
HALF_OPEN_S = 1.0
SLOW_S = 1.0
SLOW_BYTES_PER_S = 4000.0
RESOLVED_WITHIN_S = 30.0
_LOOK_EACH_S = 0.02


class Breaker:
    """One incident at a time, in the order in which they were asked for."""

    def __init__(self, world: World) -> None:
        self.recoveries = Recoveries()
        self.counts: Counter[str] = Counter()
        self._world = world
        self._one_at_a_time = asyncio.Lock()

    async def strike(self, incident: Incident) -> None:
        """Break it; return when it is mended."""
        async with self._one_at_a_time:
            self.counts[incident] += 1
            await _HOW[incident](self)

    def answered(self, asked: Asked) -> None:
        """The first confirmation of a call that was made after a break ends the waiting."""
        answer = asked.answers[-1]
        for name in (BROKER_BACK, GATEWAY_BACK):
            since = self.recoveries.waiting.get(name)
            if since is not None and asked.at > since and answer.status == "confirmed":
                self.recoveries.works(name, answer.at)

    async def broker_restarts(self) -> None:
        """Cleanly."""
        await self._broker_away(self._world.broker.end_cleanly)

    async def broker_forgets(self) -> None:
        """With the loss of everything retained."""
        await self._broker_away(self._world.broker.die)

    async def broker_cut(self) -> None:
        """The gateway's own connection breaks."""
        self._world.mqtt.cut()
        self._broke(BROKER_BACK)

    async def broker_half_open(self) -> None:
        """Nothing passes, then it breaks."""
        self._world.mqtt.half_open = True
        await asyncio.sleep(HALF_OPEN_S)
        self._world.mqtt.half_open = False
        await self.broker_cut()

    async def session_closed(self) -> None:
        """The service says goodbye."""
        self._broke(SESSION_BACK)
        await self._world.service.goodbye()
        await self._session_lives()

    async def session_cut(self) -> None:
        """The connection breaks."""
        self._broke(SESSION_BACK)
        self._world.ws.cut()
        await self._session_lives()

    async def session_half_open(self) -> None:
        """Nothing passes, then it breaks."""
        self._world.ws.half_open = True
        await asyncio.sleep(HALF_OPEN_S)
        self._world.ws.half_open = False
        await self.session_cut()

    async def session_slow(self) -> None:
        """Little passes, then it breaks."""
        self._world.ws.bytes_per_s = SLOW_BYTES_PER_S
        await asyncio.sleep(SLOW_S)
        self._world.ws.bytes_per_s = None
        await self.session_cut()

    async def gateway_killed(self) -> None:
        """Kill -9, and a new process at once."""
        world = self._world
        last_run = journal.newest_run(world.journal)
        self._broke(GATEWAY_BACK)
        self._broke(RESOLVED)
        await asyncio.to_thread(world.gateway.end, signal.SIGKILL)
        world.gateway.start()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._resolved(last_run), RESOLVED_WITHIN_S)
            self.recoveries.works(RESOLVED, time.time())
        await world.service.live.wait()

    async def _resolved(self, last_run: int) -> None:
        while journal.unresolved(self._world.journal, last_run):  # noqa: ASYNC110 -- a file
            await asyncio.sleep(_LOOK_EACH_S)

    async def _broker_away(self, end: Callable[[], None]) -> None:
        world = self._world
        await world.mqtt.refuse()
        await asyncio.to_thread(end)
        await asyncio.sleep(BROKER_AWAY_S)
        await asyncio.to_thread(world.broker.start)
        await world.mqtt.listen()
        self._broke(BROKER_BACK)

    async def _session_lives(self) -> None:
        """Return when the next session is live."""
        service, since = self._world.service, self.recoveries.waiting[SESSION_BACK]
        while service.live_since < since:  # noqa: ASYNC110 -- a time, not an event
            await asyncio.sleep(_LOOK_EACH_S)
        self.recoveries.works(SESSION_BACK, service.live_since)

    def _broke(self, name: str) -> None:
        self.recoveries.broke(name, time.time())


_HOW: Mapping[Incident, Callable[[Breaker], Awaitable[None]]] = {
    Incident.BROKER_RESTARTS: Breaker.broker_restarts,
    Incident.BROKER_FORGETS: Breaker.broker_forgets,
    Incident.BROKER_CUT: Breaker.broker_cut,
    Incident.BROKER_HALF_OPEN: Breaker.broker_half_open,
    Incident.SESSION_CLOSED: Breaker.session_closed,
    Incident.SESSION_CUT: Breaker.session_cut,
    Incident.SESSION_HALF_OPEN: Breaker.session_half_open,
    Incident.SESSION_SLOW: Breaker.session_slow,
    Incident.GATEWAY_KILLED: Breaker.gateway_killed,
}
