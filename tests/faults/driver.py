"""Runs a seeded schedule against a world: calls at a steady concurrency, incidents in between.

It judges nothing; the audit does.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

from tests.faults import schedule
from tests.faults.breaker import Breaker
from tests.faults.inventory import PLACES
from tests.faults.mischief import Odds
from tests.faults.records import Asked
from tests.faults.recoveries import Recoveries
from tests.faults.schedule import Ask, Rates
from tests.faults.world import World

RATES = Rates()
COMMANDS = Odds(drop=0.01, duplicate=0.02, reorder=0.01, delay=0.005)
ACKS = Odds(drop=0.05, duplicate=0.02, garble=0.01, reorder=0.01, delay=0.005)
# TCP loses no frame of a session that stands.
CALLS = Odds(duplicate=0.02, reorder=0.01)

# The gateway answers within 4 s; a call without any answer holds its lane no longer than this.
ANSWER_WITHIN_S = 12.0
# A model that got no result asks again at once. After 10 s, or of a new process, the same words
# are a new wish.
ASKS_AGAIN_WITHIN_S = 7.0
# Nobody asks an absent device again at once.
PAUSE_WHEN_OFFLINE_S = 0.25
_LOOK_EACH_S = 0.02


@dataclass(frozen=True, slots=True)
class Plan:
    """One run: how much, how bad, how fast.

    `settle_s` is what slow movements, late words and their notes get at the end.
    """

    rates: Rates = RATES
    seed: int = 1
    at_once: int = 12
    commands: Odds = COMMANDS
    acks: Odds = ACKS
    calls: Odds = CALLS
    settle_s: float = 8.0


@dataclass(frozen=True, slots=True)
class Happened:
    """What a run left behind, beside the files of its world."""

    recoveries: Recoveries
    incidents: dict[str, int]
    took_s: float
    exit_code: int | None


class Driver:
    """One run of `plan` in `folder`."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.world = World(
            folder,
            seed=plan.seed,
            commands=plan.commands,
            acks=plan.acks,
            calls=plan.calls,
            on_answer=self._answered,
        )
        self._plan = plan
        self._breaker = Breaker(self.world)
        self._asks = schedule.asks(plan.rates.calls, plan.seed)
        self._incidents = schedule.incidents(plan.rates, plan.seed)
        self._busy = {place: asyncio.Semaphore(place.kind.at_once) for place in PLACES}

    async def run(self) -> Happened:
        """Everything, to the clean end of the gateway. Raises SystemExit when it cannot start."""
        async with self.world as world:
            await self._everybody()
            began = time.monotonic()
            async with asyncio.TaskGroup() as tasks:
                for number in range(self._plan.at_once):
                    tasks.create_task(self._lane(tasks), name=f"lane {number}")
            took_s = time.monotonic() - began
            await world.service.live.wait()
            await asyncio.sleep(self._plan.settle_s)
            exit_code = await asyncio.to_thread(world.gateway.end)
        breaker = self._breaker
        return Happened(breaker.recoveries, dict(breaker.counts), took_s, exit_code)

    async def _everybody(self) -> None:
        """Return when the model is offered the whole house."""
        async with asyncio.timeout(30):
            while not self.world.everybody_offered():
                if self.world.gateway.ended:
                    raise SystemExit(self.world.gateway_log.read_text(encoding="utf-8"))
                await asyncio.sleep(_LOOK_EACH_S)

    async def _lane(self, tasks: asyncio.TaskGroup) -> None:
        """Call after call, each device no more at once than its kind allows."""
        for ask in self._asks:
            async with self._busy[ask.place]:
                await self._call(ask)
            self._break_after(ask, tasks)

    async def _call(self, ask: Ask) -> None:
        """The call, and once more when its session took the result along."""
        world = self.world
        process = world.gateway.starts
        asked = await world.service.call(ask, ANSWER_WITHIN_S)
        if asked.answers and asked.answers[0].status == "offline":
            await asyncio.sleep(PAUSE_WHEN_OFFLINE_S)
        if asked.answers or not ask.place.kind.repeated:
            return
        await world.service.live.wait()
        young = time.time() - asked.at < ASKS_AGAIN_WITHIN_S
        if young and process == world.gateway.starts:
            await world.service.call(ask, ANSWER_WITHIN_S, repeats=asked.call_id)

    def _break_after(self, ask: Ask, tasks: asyncio.TaskGroup) -> None:
        """Calls go on meanwhile."""
        for incident in self._incidents.get(ask.number, ()):
            tasks.create_task(self._breaker.strike(incident), name=incident.value)

    def _answered(self, asked: Asked) -> None:
        self._breaker.answered(asked)
