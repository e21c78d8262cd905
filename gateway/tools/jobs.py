"""Commands of one call, carried out side by side and told as one outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from devices.contract.capability import Risk
from devices.contract.command import Scalar
from gateway.dispatch.order import Carrier, Order, Result
from gateway.outcome import Outcome
from gateway.policy.rules import Act
from gateway.tools import speech
from gateway.tools.base import Context, Plan

_MAX_NAMED = 4


@dataclass(frozen=True, slots=True)
class Job:
    """One command for one device, which is called `name` and stands in `area`."""

    device_id: str
    name: str
    area: str
    command: str
    args: Mapping[str, Scalar]
    risk: Risk = Risk.NORMAL
    idempotent: bool = False
    makes_safe: bool = False
    answer_within_s: float | None = None

    @property
    def act(self) -> Act:
        """What policy needs to know of it."""
        return Act(self.command, self.risk, self.device_id, self.name, self.area, self.makes_safe)


@dataclass(frozen=True, slots=True)
class Work:
    """All commands of one call, and the devices that cannot do it. At least one job."""

    label: str
    jobs: Sequence[Job]
    refused: Sequence[Outcome]
    carrier: Carrier

    def plan(self, phrase: str) -> Plan:
        """The plan to do it; `phrase` fits after "Shall I"."""
        return Plan(
            summary=f"{phrase}{self._named()}",
            run=self.run,
            acts=tuple(job.act for job in self.jobs),
            idempotent=all(job.idempotent for job in self.jobs),
        )

    async def run(self, context: Context) -> Outcome:
        """Carry out all jobs at once; the outcome of the one, or of the group."""
        if len(self.jobs) == 1 and not self.refused:
            # No task of its own: a turn of the loop is a tenth of the whole answer.
            return await self._one(self.jobs[0], context)
        return await self._all(context)

    async def _all(self, context: Context) -> Outcome:
        """Late news of one device is told as where all of them stand."""
        news: dict[int, Outcome] = {}
        ended: list[Outcome] = []

        def standing() -> Outcome:
            known = [news.get(number, outcome) for number, outcome in enumerate(ended)]
            return speech.group(self.label, [*known, *self.refused])

        def late(number: int, outcome: Outcome) -> None:
            news[number] = outcome
            if ended:
                context.late(standing())

        ended += await asyncio.gather(
            *(
                self._one(job, replace(context, late=partial(late, number)))
                for number, job in enumerate(self.jobs)
            )
        )
        return standing()

    async def _one(self, job: Job, context: Context) -> Outcome:
        def late(result: Result) -> None:
            context.late(speech.outcome(job.name, job.command, job.args, result))

        order = Order(
            job.device_id,
            job.command,
            job.args,
            context.call_id,
            job.answer_within_s,
            context.epoch,
        )
        result = await self.carrier.carry_out(order, late)
        return speech.outcome(job.name, job.command, job.args, result)

    def _named(self) -> str:
        """Which devices a group is, as far as a listener can follow."""
        if len(self.jobs) == 1:
            return ""
        names = ", ".join(job.name for job in self.jobs[:_MAX_NAMED])
        more = len(self.jobs) - _MAX_NAMED
        return f" ({names} and {more} more)" if more > 0 else f" ({names})"
