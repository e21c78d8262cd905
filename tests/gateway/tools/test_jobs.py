from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from devices.contract.capability import Risk
from gateway.dispatch.lifecycle import State
from gateway.dispatch.order import Order, Result
from gateway.outcome import Outcome, Status
from gateway.policy.rules import Act
from gateway.tools.base import Context
from gateway.tools.jobs import Job, Work

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("virtual_time")]


class SlowCarrier:
    """Each command takes a second."""

    async def carry_out(self, order: Order, late: Callable[[Result], None]) -> Result:
        await asyncio.sleep(1)
        return Result(State.SUCCEEDED, device_state={"on": True})


def work(count: int, *refused: Outcome) -> Work:
    jobs = [Job(f"d{n}", f"Lamp {n}", "Hall", "turn_on", {}) for n in range(count)]
    return Work("all lights", jobs, refused, SlowCarrier())


async def test_all_devices_are_commanded_at_once() -> None:
    start = asyncio.get_running_loop().time()
    outcome = await work(50).run(Context("c", lambda _: None))
    assert outcome.status is Status.CONFIRMED
    assert asyncio.get_running_loop().time() - start == pytest.approx(1)


async def test_one_device_is_told_as_itself() -> None:
    outcome = await work(1).run(Context("c", lambda _: None))
    assert (outcome.target, outcome.results) == ("Lamp 0", ())


async def test_who_cannot_do_it_is_among_the_results() -> None:
    refused = Outcome(Status.INVALID, "Too bright.", target="Lamp 9")
    outcome = await work(1, refused).run(Context("c", lambda _: None))
    assert outcome.status is Status.PARTIAL
    assert [r.target for r in outcome.results] == ["Lamp 0", "Lamp 9"]


def test_a_plan_says_what_each_of_its_jobs_does() -> None:
    jobs = [
        Job("a", "A", "Hall", "unlock", {}, Risk.GUARDED),
        Job("b", "B", "", "unlock", {}, makes_safe=True),
    ]
    plan = Work("x", jobs, (), SlowCarrier()).plan("unlock x")
    assert plan.acts == (
        Act("unlock", Risk.GUARDED, "a", "A", "Hall"),
        Act("unlock", Risk.NORMAL, "b", "B", "", makes_safe=True),
    )
    assert not plan.makes_safe


@pytest.mark.parametrize(
    ("each", "together"), [([True, True], True), ([True, False], False), ([False], False)]
)
def test_a_plan_may_be_done_twice_when_each_of_its_jobs_may(
    each: list[bool], together: bool
) -> None:
    jobs = [Job("a", "A", "", "brew", {}, idempotent=idempotent) for idempotent in each]
    assert Work("x", jobs, (), SlowCarrier()).plan("brew").idempotent is together


class LateCarrier:
    """Each device ends as it was told, and keeps what takes its later news."""

    def __init__(self, **ends: Result) -> None:
        self.ends = ends
        self.late: dict[str, Callable[[Result], None]] = {}

    async def carry_out(self, order: Order, late: Callable[[Result], None]) -> Result:
        self.late[order.device_id] = late
        return self.ends[order.device_id]


SILENT = Result(State.TIMED_OUT, attempts=4)
DONE = Result(State.SUCCEEDED, device_state={"on": True})


async def test_late_news_of_one_device_is_told_as_news_of_all_that_were_meant() -> None:
    carrier = LateCarrier(d0=SILENT, d1=Result(State.FAILED))
    told: list[Outcome] = []
    await replace(work(2), carrier=carrier).run(Context("c", told.append))
    carrier.late["d0"](DONE)
    (news,) = told
    assert (news.status, news.target) == (Status.PARTIAL, "all lights")
    assert [r.status for r in news.results] == [Status.CONFIRMED, Status.FAILED]


async def test_what_comes_before_the_answer_is_in_the_answer() -> None:
    told: list[Outcome] = []

    class Quick(LateCarrier):
        async def carry_out(self, order: Order, late: Callable[[Result], None]) -> Result:
            result = await super().carry_out(order, late)
            if order.device_id == "d1":
                await asyncio.sleep(1)
                self.late["d0"](DONE)
            return result

    carrier = Quick(d0=SILENT, d1=DONE)
    outcome = await replace(work(2), carrier=carrier).run(Context("c", told.append))
    assert outcome.status is Status.CONFIRMED
    assert told == []
