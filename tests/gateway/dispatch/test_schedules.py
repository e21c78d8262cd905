"""The dispatcher's promises under any orders, any devices and any broker."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.contract.command import AckStatus, Command, Scalar
from devices.contract.verbs import written_attributes
from devices.link.base import LinkState
from gateway.dispatch.lifecycle import State
from gateway.dispatch.order import Order, Result
from gateway.events import CommandSent
from gateway.testing import run_virtual
from tests.gateway.dispatch.bench import Bench, Heard, bench

pytestmark = pytest.mark.unit

DEVICES = ("lamp", "blind", "old")
DELIVERY_S = 3.0
# ttl_ms is in whole milliseconds.
EXACTLY_S = 0.0011

Args = dict[str, Scalar]


@dataclass(frozen=True)
class Wish:
    """One order, when it comes, and when its caller leaves (None: stays)."""

    at_s: float
    device_id: str
    command: str
    args: Args
    leaves_s: float | None


@dataclass(frozen=True)
class Word:
    """What a device says `after_s` an attempt, so many `times`, and as whom."""

    after_s: float
    status: AckStatus
    times: int
    as_another: bool
    garbage: bool


COMMANDS = st.one_of(
    st.tuples(st.just("turn_on"), st.fixed_dictionaries({}, optional={"brightness": st.just(5)})),
    st.tuples(st.sampled_from(["turn_off", "stop", "brew"]), st.just({})),
    st.tuples(st.just("set_cover"), st.fixed_dictionaries({"position": st.sampled_from([0, 50])})),
)
MOMENTS = st.floats(0, 8).map(lambda s: round(s, 1))
WISHES = st.lists(
    st.builds(
        lambda at_s, device_id, asked, leaves_s: Wish(at_s, device_id, *asked, leaves_s),
        MOMENTS,
        st.sampled_from(DEVICES),
        COMMANDS,
        st.one_of(st.none(), st.none(), st.floats(0, 5)),
    ),
    min_size=1,
    max_size=12,
)
WORDS = st.builds(
    Word,
    st.one_of(st.just(0.0), st.floats(0, 6)),
    st.sampled_from([AckStatus.ACCEPTED, AckStatus.SUCCEEDED, *AckStatus]),
    st.integers(1, 2),
    as_another=st.booleans(),
    garbage=st.sampled_from([False, False, False, True]),
)
# What is said of each attempt, in turn; an empty list is a lost message.
ANSWERS = st.lists(st.lists(WORDS, max_size=3), min_size=1, max_size=8)
OUTAGES = st.lists(st.tuples(MOMENTS, st.floats(0.1, 4), st.booleans()), max_size=2)


@dataclass
class Log:
    """What happened, in order."""

    steps: list[tuple[str, str]] = field(default_factory=list)
    orders: dict[str, Order] = field(default_factory=dict)
    began_s: dict[str, float] = field(default_factory=dict)
    results: dict[str, Result] = field(default_factory=dict)
    late: dict[str, list[Result]] = field(default_factory=lambda: defaultdict(list))
    left: set[str] = field(default_factory=set)
    succeeded: set[tuple[str, str]] = field(default_factory=set)
    spoke_s: dict[str, float] = field(default_factory=dict)
    call_of: dict[str, str] = field(default_factory=dict)
    heard: list[Heard] = field(default_factory=list)


@settings(max_examples=150, deadline=None)
@given(WISHES, ANSWERS, OUTAGES, st.one_of(st.none(), st.floats(0, 10)))
def test_every_schedule_keeps_the_promises(
    wishes: list[Wish],
    answers: list[list[Word]],
    outages: list[tuple[float, float, bool]],
    closes_s: float | None,
) -> None:
    log = run_virtual(_play(wishes, answers, outages, closes_s))
    assert log.results.keys() | log.left == log.orders.keys()
    _nothing_is_sent_too_late_or_twice(log)
    _one_in_flight_per_attribute(log)
    _success_only_on_the_devices_own_word(log)


def _nothing_is_sent_too_late_or_twice(log: Log) -> None:
    attempts: dict[str, list[int]] = defaultdict(list)
    for heard in log.heard:
        command_id = heard.command.id
        order = log.orders[log.call_of[command_id]]
        attempts[command_id].append(heard.command.attempt)
        assert heard.until_s <= log.began_s[order.call_id] + DELIVERY_S + EXACTLY_S
        assert heard.command.ttl_ms > 0
        assert heard.at_s <= log.spoke_s.get(command_id, heard.at_s)
    for command_id, numbers in attempts.items():
        order = log.orders[log.call_of[command_id]]
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) == 1 or (order.device_id, order.command) != ("old", "brew")
    assert len(set(log.call_of.values())) == len(log.call_of)


def _one_in_flight_per_attribute(log: Log) -> None:
    flying: dict[str, Order] = {}
    for what, key in log.steps:
        if what == "done":
            flying.pop(key, None)
            continue
        order = log.orders[log.call_of[key]]
        for other in flying.values():
            if other is not order and other.device_id == order.device_id:
                assert _writes(other).isdisjoint(_writes(order))
        flying[order.call_id] = order


def _success_only_on_the_devices_own_word(log: Log) -> None:
    for call_id, order in log.orders.items():
        known = [log.results[call_id]] if call_id in log.results else []
        for result in (*known, *log.late[call_id]):
            if result.state is State.SUCCEEDED and not result.already:
                assert (order.device_id, result.command_id) in log.succeeded
        assert sum(late.state.final for late in log.late[call_id]) <= 1
        assert not (known and known[0].state.final and log.late[call_id])


def _writes(order: Order) -> frozenset[str]:
    return written_attributes(order.command, order.args)


async def _play(
    wishes: list[Wish],
    answers: list[list[Word]],
    outages: list[tuple[float, float, bool]],
    closes_s: float | None,
) -> Log:
    log = Log()
    async with bench() as house:
        house.add("old", forgetful=True)
        turn = iter(range(10_000))
        for device_id in DEVICES:
            house.behave[device_id] = lambda command, device_id=device_id: _answer(
                house, log, device_id, command, answers[next(turn) % len(answers)]
            )
        for at_s, for_s, stops in outages:
            _outage(house, at_s, for_s, stops=stops)
        if closes_s is not None:
            house.after(closes_s, house.dispatcher.close)
        async with asyncio.TaskGroup() as group:
            for number, wish in enumerate(wishes):
                group.create_task(_carry_out(house, log, f"call-{number}", wish))
        await asyncio.sleep(300)
        log.heard = house.heard
        log.call_of = {e.command_id: e.call_id for e in house.told(CommandSent)}
        _nothing_leaks(house)
    return log


async def _carry_out(house: Bench, log: Log, call_id: str, wish: Wish) -> None:
    await asyncio.sleep(wish.at_s)
    order = Order(wish.device_id, wish.command, wish.args, call_id)
    log.orders[call_id] = order
    log.began_s[call_id] = house.now_s
    try:
        async with asyncio.timeout(wish.leaves_s):
            result = await house.dispatcher.carry_out(order, log.late[call_id].append)
    except TimeoutError:
        log.left.add(call_id)
    else:
        log.results[call_id] = result
        assert house.now_s <= log.began_s[call_id] + 4.001
    log.steps.append(("done", call_id))


def _answer(house: Bench, log: Log, device_id: str, command: Command, words: list[Word]) -> None:
    log.steps.append(("sent", command.id))
    for word in words:
        house.after(word.after_s, lambda word=word: _say(house, log, device_id, command, word))


def _say(house: Bench, log: Log, device_id: str, command: Command, word: Word) -> None:
    for _ in range(word.times):
        if word.garbage:
            house.publish(f"home/{device_id}/ack", b'{"id": "%s"' % command.id.encode())
        elif word.as_another:
            house.says("stranger", command.id, word.status)
        else:
            house.says(device_id, command.id, word.status, state={"on": True})
            if house.link.state is LinkState.CONNECTED:
                log.spoke_s.setdefault(command.id, house.now_s)
            if word.status is AckStatus.SUCCEEDED:
                log.succeeded.add((device_id, command.id))


def _outage(house: Bench, at_s: float, for_s: float, *, stops: bool) -> None:
    if stops:
        house.after(at_s, house.broker.stop)
        house.after(at_s + for_s, house.broker.start)
    else:
        house.after(at_s, lambda: setattr(house.link, "full", True))
        house.after(at_s + for_s, lambda: setattr(house.link, "full", False))


def _nothing_leaks(house: Bench) -> None:
    dispatcher = house.dispatcher
    assert not dispatcher._flights
    assert not dispatcher._turns._holding
    assert not dispatcher._turns._waiting
    assert not any(flight.state.final for flight in dispatcher._hearing.matcher)
