from __future__ import annotations

import asyncio

import pytest

from devices.contract.command import Ack, AckError, AckStatus, Evidence
from devices.ecosystems.base import Proof
from gateway.dispatch.flight import Flight
from gateway.dispatch.lifecycle import Event, State
from gateway.dispatch.order import Order
from gateway.errors import LifecycleError
from tests.gateway.dispatch.bench import flight, settle

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("virtual_time")]


def now_s() -> float:
    return asyncio.get_running_loop().time()


def acknowledged(made: Flight, status: AckStatus, event: Event, **state: object) -> Flight:
    made.attempts = 1
    made.step(Event.SEND)
    made.ack = Ack(made.id, status, state)  # type: ignore[arg-type]
    made.step(event)
    return made


async def test_who_listens_wakes_at_the_next_step() -> None:
    made = flight("turn_on")
    listening = asyncio.create_task(made.listen(now_s() + 10))
    await settle()
    made.step(Event.SEND)
    await listening
    assert now_s() == 0.0


async def test_who_listens_wakes_when_the_time_is_over_even_if_it_is_past() -> None:
    made = flight("turn_on")
    await made.listen(2.0)
    assert now_s() == pytest.approx(2.0)
    await made.listen(1.0)
    assert now_s() == pytest.approx(2.0)


async def test_a_step_that_the_table_lacks_changes_nothing() -> None:
    made = flight("turn_on")
    with pytest.raises(LifecycleError):
        made.step(Event.SUCCEED)
    assert (made.state, made.heard) == (State.CREATED, False)


async def test_listening_can_be_given_up() -> None:
    made = flight("turn_on")
    listening = asyncio.create_task(made.listen(10))
    await settle()
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    made.wake()
    await made.listen(1.0)
    assert now_s() == pytest.approx(1.0)


async def test_a_result_says_how_much_is_known() -> None:
    made = flight("set_cover", position=0)
    assert made.result().evidence is None
    made.attempts = 1
    assert made.result().evidence is Evidence.PUBLISHED
    moved = flight("set_cover", position=0)
    acknowledged(moved, AckStatus.SUCCEEDED, Event.SUCCEED, position=0, moving=False)
    assert moved.result().evidence is Evidence.SETTLED


async def test_only_a_success_can_contradict_itself() -> None:
    lied = acknowledged(flight("turn_on"), AckStatus.SUCCEEDED, Event.SUCCEED, on=False)
    failed = acknowledged(flight("turn_on"), AckStatus.FAILED, Event.FAIL, on=False)
    honest = acknowledged(flight("turn_on"), AckStatus.SUCCEEDED, Event.SUCCEED, on=True)
    assert [f.result().contradiction for f in (lied, failed, honest)] == ["on", "", ""]


async def test_what_the_ecosystem_said_would_be_shown_is_no_contradiction() -> None:
    made = flight("set_fan", percent=30)
    made.proof = Proof(Evidence.ECHOED, {"fan_percent": 50})
    acknowledged(made, AckStatus.SUCCEEDED, Event.SUCCEED, fan_percent=50)
    assert made.result().contradiction == ""


async def test_why_it_failed_is_in_the_result() -> None:
    made = acknowledged(flight("turn_on"), AckStatus.FAILED, Event.FAIL)
    made.ack = Ack(made.id, AckStatus.FAILED, error=AckError("jammed", "It is stuck."))
    assert made.result().error == AckError("jammed", "It is stuck.")


async def test_each_command_has_its_own_id() -> None:
    made = [flight("turn_on") for _ in range(1000)]
    assert len({one.id for one in made}) == 1000
    assert made[0].order == Order("lamp", "turn_on", {}, "call-1")
