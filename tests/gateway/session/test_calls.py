from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from gateway.events import FunctionCall
from gateway.outcome import Outcome, Status
from gateway.providers.base import Endpoint, ResponseActivity
from gateway.providers.navtalk import NavTalk, NavTalkSettings
from gateway.session.calls import MAX_AT_ONCE, MAX_IN_FLIGHT, CallDesk
from gateway.session.outbox import Outbox
from gateway.tasks import TaskSet
from gateway.testing import ManualClock

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("virtual_time")]

OFFER: Any = object()
DONE = Outcome(Status.CONFIRMED, "Done.")


def dialect() -> NavTalk:
    return NavTalk(NavTalkSettings(license="k", avatar_name="a"))


@dataclass
class House:
    """A handler that can be told to be slow, or to fail."""

    takes_s: float = 0.0
    fails: bool = False
    running: int = 0
    most: int = 0
    served: int = 0

    async def __call__(self, call: FunctionCall, offer: Any) -> Outcome:
        self.running += 1
        self.served += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.sleep(self.takes_s)
        finally:
            self.running -= 1
        if self.fails:
            raise RuntimeError("a bug with details")
        return DONE


class Desk(CallDesk):
    """A desk, the house behind it, and the wire in front of it."""

    def __init__(self, wires: Any, house: House) -> None:
        super().__init__(
            outbox=Outbox(dialect().capabilities),
            handler=house,
            clock=ManualClock(asyncio.get_running_loop()),
            tasks=TaskSet("test"),
        )
        self.wires = wires
        self.house = house

    def connect(self, epoch: int = 1) -> Any:
        wire = self.wires(Endpoint("", ""))
        self.opened(wire, dialect(), epoch)
        self.ready()
        return wire


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
async def desk(wires: Any, house: House) -> AsyncIterator[Desk]:
    made = Desk(wires, house)
    yield made
    await made.close()


async def test_a_call_is_answered_once_however_often_it_comes(desk: Desk, house: House) -> None:
    wire = desk.connect()
    assert desk.call(FunctionCall("c1", "turn_on"), OFFER)
    assert not desk.call(FunctionCall("c1", "turn_on"), OFFER)
    await asyncio.sleep(1)
    assert wire.outcomes()["c1"]["status"] == "confirmed"
    assert house.served == 1


@pytest.mark.parametrize(("takes", "again"), [(True, 0), (False, 1)])
async def test_what_the_service_may_not_have_is_told_again_although_it_spoke(
    desk: Desk, takes: bool, again: int
) -> None:
    wire = desk.connect()
    wire.takes = takes
    desk.call(FunctionCall("c1", "turn_on"), OFFER)
    await asyncio.sleep(0.01)
    desk.activity(ResponseActivity())
    await asyncio.sleep(1)
    desk.lost()
    wire.closed = True
    await asyncio.sleep(1)
    second = desk.connect(2)
    await asyncio.sleep(1)
    assert len(second.sent) == again


async def test_a_handler_that_fails_is_answered_without_details(desk: Desk, house: House) -> None:
    house.fails = True
    wire = desk.connect()
    desk.call(FunctionCall("c1", "turn_on"), OFFER)
    await asyncio.sleep(1)
    assert wire.outcomes()["c1"]["status"] == "error"
    assert "details" not in wire.outcomes()["c1"]["message"]


async def test_many_calls_run_at_once_and_the_rest_waits_its_turn(desk: Desk, house: House) -> None:
    house.takes_s = 1
    wire = desk.connect()
    for number in range(MAX_AT_ONCE + 10):
        desk.call(FunctionCall(f"c{number}", "turn_on"), OFFER)
    await asyncio.sleep(1.5)
    assert house.most == MAX_AT_ONCE
    assert len(wire.outcomes()) == MAX_AT_ONCE
    await asyncio.sleep(1)
    assert {o["status"] for o in wire.outcomes().values()} == {"confirmed"}
    assert len(wire.outcomes()) == MAX_AT_ONCE + 10


async def test_a_flood_is_answered_without_being_carried_out(desk: Desk, house: House) -> None:
    house.takes_s = 0.1
    wire = desk.connect()
    for number in range(MAX_IN_FLIGHT + 5):
        desk.call(FunctionCall(f"c{number}", "turn_on"), OFFER)
    await asyncio.sleep(4)
    assert len(wire.outcomes()) == MAX_IN_FLIGHT + 5
    assert house.served == MAX_IN_FLIGHT
    assert wire.outcomes()[f"c{MAX_IN_FLIGHT}"]["status"] == "error"


async def test_a_call_whose_connection_is_gone_ends_as_a_note(desk: Desk, house: House) -> None:
    house.takes_s = 1
    old = desk.connect()
    desk.call(FunctionCall("c1", "turn_on"), OFFER)
    await asyncio.sleep(0.1)
    desk.lost()
    await asyncio.sleep(2)
    new = desk.connect(2)
    await asyncio.sleep(0.1)
    assert old.sent == []
    assert new.outcomes() == {}
    assert "Done." in new.sent[0]["item"]["content"][0]["text"]


async def test_a_result_that_could_not_be_sent_becomes_a_note(desk: Desk, house: House) -> None:
    house.takes_s = 1
    old = desk.connect()
    desk.call(FunctionCall("c1", "turn_on"), OFFER)
    await asyncio.sleep(0.1)
    old.closed = True
    await asyncio.sleep(2)
    desk.lost()
    new = desk.connect(2)
    await asyncio.sleep(0.1)
    assert "Done." in new.sent[0]["item"]["content"][0]["text"]


async def test_silence_makes_the_desk_send_again_by_itself(desk: Desk) -> None:
    wire = desk.connect()
    desk.call(FunctionCall("c1", "turn_on"), OFFER)
    await asyncio.sleep(4.9)
    assert wire.kinds() == ["realtime.function_call_output"]
    await asyncio.sleep(0.2)
    assert wire.kinds()[1:] == ["conversation.item.create", "response.create"]


async def test_speech_puts_that_off(desk: Desk) -> None:
    wire = desk.connect()
    desk.call(FunctionCall("c1", "turn_on"), OFFER)
    await asyncio.sleep(1)
    desk.speech(started=True)
    await asyncio.sleep(10)
    desk.speech(started=False)
    await asyncio.sleep(4.9)
    assert len(wire.sent) == 1
    await asyncio.sleep(0.2)
    assert len(wire.sent) == 3


async def test_draining_waits_for_what_runs_and_refuses_what_comes(
    desk: Desk, house: House
) -> None:
    house.takes_s = 1
    wire = desk.connect()
    desk.call(FunctionCall("c1", "turn_on"), OFFER)
    await asyncio.sleep(0.1)
    draining = asyncio.create_task(desk.drain(5))
    await asyncio.sleep(0.1)
    desk.call(FunctionCall("c2", "turn_on"), OFFER)
    await draining
    assert wire.outcomes()["c1"]["status"] == "confirmed"
    assert wire.outcomes()["c2"]["message"] == "The gateway is stopping."


async def test_what_is_not_done_in_time_is_answered_as_unknown(desk: Desk, house: House) -> None:
    house.takes_s = 60
    wire = desk.connect()
    desk.call(FunctionCall("c1", "turn_on"), OFFER)
    await asyncio.sleep(0.1)
    await desk.drain(1)
    assert wire.outcomes()["c1"]["ok"] is None
    await desk.close()
    assert house.running == 0
