from __future__ import annotations

import asyncio

import pytest

from gateway.dispatch.dispatcher import Dispatcher
from gateway.dispatch.lifecycle import State
from gateway.dispatch.order import Carrier, Order, Result, Written
from gateway.errors import JournalError
from gateway.testing import ScriptedCarrier
from tests.gateway.dispatch.bench import STEADY, Bench

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("virtual_time")]


@pytest.mark.parametrize("scripted", [True, False])
async def test_the_double_and_the_dispatcher_keep_one_contract(
    house: Bench, scripted: bool
) -> None:
    carrier: Carrier = ScriptedCarrier() if scripted else house.dispatcher
    order = Order("lamp", "turn_on", {"brightness": 60}, "call-1")
    result = await carrier.carry_out(order, house.late.append)
    assert (result.state, result.attempts) == (State.SUCCEEDED, 1)
    assert result.device_state == {"on": True, "brightness": 60}
    assert house.late == []


def test_a_result_claims_nothing_by_itself() -> None:
    result = Result(State.TIMED_OUT)
    assert (result.evidence, result.device_state, result.error) == (None, {}, None)
    assert (result.already, result.offline, result.contradiction) == (False, False, "")


class Book:
    """A journal that takes its time, or refuses."""

    def __init__(self, *, refuses: bool = False, takes_s: float = 0.0) -> None:
        self.written: list[Written] = []
        self._refuses = refuses
        self._takes_s = takes_s

    async def ahead(self, command: Written) -> None:
        self.written.append(command)
        await asyncio.sleep(self._takes_s)
        if self._refuses:
            raise JournalError("the disk is full")


def recording(house: Bench, book: Book) -> Dispatcher:
    return Dispatcher(house.wire, house.directory, house.bus, house.clock, STEADY, log=book)


async def test_a_command_is_on_record_once_and_before_its_first_attempt(house: Bench) -> None:
    book, at_first = Book(), []
    house.behave["lamp"] = lambda c: at_first.append(len(book.written))
    order = Order("lamp", "turn_on", {"brightness": 60}, "call-1", epoch=7)
    result = await recording(house, book).carry_out(order, house.late.append)
    assert at_first == [1] * 4
    assert book.written == [Written(result.command_id, order, "native")]


async def test_what_cannot_be_recorded_is_not_sent(house: Bench) -> None:
    dispatcher = recording(house, Book(refuses=True))
    order = Order("lamp", "turn_on", {}, "call-1")
    result = await dispatcher.carry_out(order, house.late.append)
    assert (result.state, result.unrecorded, result.attempts) == (State.EXPIRED, True, 0)
    assert house.heard == []


async def test_a_refusal_frees_the_turn_of_the_next_command(house: Bench) -> None:
    dispatcher = recording(house, Book(refuses=True, takes_s=0.5))
    order = Order("lamp", "turn_on", {}, "call-1")
    first, second = await asyncio.gather(
        *(dispatcher.carry_out(order, house.late.append) for _ in range(2))
    )
    assert [first.state, second.state] == [State.SUPERSEDED, State.EXPIRED]
    assert first.unrecorded
    assert second.unrecorded
    assert house.heard == []


async def test_nobody_waits_for_a_slow_disk_longer_than_for_a_device(house: Bench) -> None:
    dispatcher = recording(house, Book(takes_s=60))
    order = Order("lamp", "turn_on", {}, "call-1")
    result = await dispatcher.carry_out(order, house.late.append)
    assert (result.state, result.unrecorded) == (State.EXPIRED, True)
    assert house.now_s == pytest.approx(3.0)
    assert house.heard == []


async def test_nothing_is_recorded_where_nothing_is_sent(house: Bench) -> None:
    book = Book()
    house.online("lamp", False)
    order = Order("lamp", "turn_on", {}, "call-1")
    result = await recording(house, book).carry_out(order, house.late.append)
    assert result.offline
    assert book.written == []
