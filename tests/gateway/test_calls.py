from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Sequence
from typing import Any

import pytest

from devices.contract.capability import (
    Capability,
    Description,
    Kind,
    OwnCommand,
    Parameter,
    ParameterType,
    Risk,
)
from devices.contract.command import Scalar
from devices.ecosystems.base import Announced, Traits
from gateway import calls as module
from gateway.bus import Bus
from gateway.calls import Calls
from gateway.directory import Directory
from gateway.dispatch.lifecycle import State
from gateway.dispatch.order import Result
from gateway.events import CallAnswered, CallReceived, FunctionCall, LateOutcome
from gateway.journal.records import Action, Later
from gateway.outcome import Outcome, Status
from gateway.policy.confirm import Holds
from gateway.policy.hours import Hours
from gateway.policy.limits import Limits
from gateway.policy.pin import Pin
from gateway.policy.rules import Decision, PolicySettings, Rule
from gateway.testing import ManualClock, ScriptedCarrier
from gateway.tools.base import Context, Plan
from gateway.tools.python import tool
from gateway.tools.registry import ToolRegistry

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("virtual_time")]


_CUPS = Parameter("cups", ParameterType.INTEGER, required=False)
_NAPS = Rule(Decision.DENY, areas=frozenset({"kitchen"}), because="It is quiet time.")


class Broken:
    """A tool that raises where no tool should: `when` it plans or when it runs."""

    description = "Breaks."
    parameters = ()

    def __init__(self, when: str) -> None:
        self.name = f"breaks_when_it_{when}"
        self._when = when

    def plan(self, arguments: Any) -> Plan | Outcome:
        if self._when == "plans":
            raise ZeroDivisionError("secret detail")
        return Plan("break", self._run)

    async def _run(self, _context: Context) -> Outcome:
        raise ZeroDivisionError("secret detail")


class Desk:
    """Calls over a real house of three devices, with a carrier that remembers state."""

    def __init__(
        self,
        settings: PolicySettings | None = None,
        *,
        a_minute: int = 60,
        a_device: int = 30,
        pin: str = "",
    ) -> None:
        settings = settings or PolicySettings()
        self.clock = ManualClock(asyncio.get_running_loop())
        self.bus = Bus()
        self.carrier = ScriptedCarrier()
        self.slow = 0
        self.directory = Directory(self.clock, self.bus)
        holds: Holds[Plan] = Holds(self.clock, pin=Pin(pin, self.clock) if pin else None)
        limits = Limits(a_minute, a_device, self.clock)
        self.calls = Calls(settings, limits, holds, self.bus, self.clock)
        extra = [tool(self.slowly), Broken("plans"), Broken("runs")]
        self.registry = ToolRegistry(self.directory, self.carrier, holds, extra)
        self._ids = itertools.count(1)
        self.add("Kitchen light", Capability(Kind.BRIGHTNESS))
        self.add("Front door", Capability(Kind.LOCK, risk=Risk.GUARDED))
        self.add("Bank vault", Capability(Kind.LOCK, risk=Risk.FORBIDDEN))
        self.add("Coffee machine", commands=[OwnCommand("brew", "Brew.", (_CUPS,))])

    def add(
        self, name: str, *capabilities: Capability, commands: Sequence[OwnCommand] = ()
    ) -> None:
        device_id = name.lower().replace(" ", "-")
        area = name.split(maxsplit=1)[0]
        description = Description(device_id, name, area, (), capabilities, tuple(commands))
        self.directory.announced(Announced(description), "native", Traits(True, False))

    async def slowly(self, seconds: float) -> str:
        """Take a while."""
        self.slow += 1
        await asyncio.sleep(seconds)
        return f"done {self.slow}"

    async def give(self, call: FunctionCall) -> Outcome:
        return await self.calls.answer(call, self.registry.current())

    async def call(self, name: str, /, call_id: str = "", **arguments: Any) -> Outcome:
        call_id = call_id or f"call-{next(self._ids)}"
        return await self.give(FunctionCall(call_id, name, arguments))

    @property
    def done(self) -> list[tuple[str, str, dict[str, Scalar]]]:
        return [(o.device_id, o.command, dict(o.args)) for o in self.carrier.orders]


@pytest.fixture
async def desk() -> Desk:
    return Desk()


# --- each call at most once -------------------------------------------------------------------


async def test_a_call_is_carried_out_and_reported(desk: Desk) -> None:
    with desk.bus.subscribe() as told:
        outcome = await desk.call("turn_on", "c1", target="kitchen light", brightness=60)
        events = told.waiting()
    assert (outcome.status, outcome.state) == (Status.CONFIRMED, {"on": True, "brightness": 60})
    call = FunctionCall("c1", "turn_on", {"target": "kitchen light", "brightness": 60})
    assert events == [CallReceived(call), CallAnswered(call, outcome, 0.0)]
    assert desk.carrier.orders[0].call_id == "c1"


async def test_a_repeated_call_gets_the_first_ones_outcome(desk: Desk) -> None:
    first = await desk.call("turn_on", "c1", target="Kitchen light")
    assert await desk.call("turn_on", "c1", target="Kitchen light") is first
    assert len(desk.done) == 1


async def test_a_call_that_is_repeated_on_its_way_runs_once(desk: Desk) -> None:
    outcomes = await asyncio.gather(*(desk.call("slowly", "c1", seconds=1) for _ in range(3)))
    assert [outcome.status for outcome in outcomes] == [Status.ANSWER] * 3
    assert desk.slow == 1


async def test_a_call_id_cannot_be_used_for_something_else(desk: Desk) -> None:
    await desk.call("turn_on", "c1", target="Kitchen light")
    for name, arguments in (
        ("turn_off", {"target": "Kitchen light"}),
        ("turn_on", {"target": "Kitchen light", "brightness": 5}),
    ):
        assert (await desk.call(name, "c1", **arguments)).status is Status.INVALID
    assert len(desk.done) == 1


async def test_another_session_may_count_its_calls_anew(desk: Desk) -> None:
    for epoch in (1, 2):
        call = FunctionCall("c1", "turn_on", {"target": "Kitchen light"}, epoch=epoch)
        assert (await desk.give(call)).ok
    assert len(desk.done) == 2


async def test_a_repeat_of_what_was_interrupted_is_answered_and_not_done_again(
    desk: Desk,
) -> None:
    first = asyncio.create_task(desk.call("slowly", "c1", seconds=5))
    await asyncio.sleep(1)
    waiting = asyncio.create_task(desk.call("slowly", "c1", seconds=5))
    await asyncio.sleep(1)
    first.cancel()
    outcome = await waiting
    assert first.cancelled()
    assert (outcome.status, outcome.ok) == (Status.TIMED_OUT, None)
    assert await desk.call("slowly", "c1", seconds=5) == outcome
    assert desk.slow == 1


async def test_a_repeat_that_gives_up_disturbs_nobody(desk: Desk) -> None:
    first = asyncio.create_task(desk.call("slowly", "c1", seconds=5))
    await asyncio.sleep(1)
    second = asyncio.create_task(desk.call("slowly", "c1", seconds=5))
    await asyncio.sleep(1)
    second.cancel()
    assert (await first).status is Status.ANSWER


async def test_the_memory_of_calls_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_REMEMBERED", 3)
    desk = Desk(a_minute=1000)
    for number in range(10):
        await desk.call("get_state", f"c{number}", target="Kitchen light")
    assert len(desk.calls._answers) == len(desk.calls._asked) == 3


# --- what is wrong with a call ----------------------------------------------------------------


async def test_an_unknown_tool_is_answered_with_the_nearest_names(desk: Desk) -> None:
    outcome = await desk.call("turn_onn", target="Kitchen light")
    assert outcome.status is Status.UNKNOWN_TOOL
    assert "turn_on" in outcome.message
    strange = await desk.call("x\n\x1b[31m" * 50)
    assert strange.status is Status.UNKNOWN_TOOL
    assert "\x1b" not in strange.message
    assert desk.done == []


async def test_a_call_that_came_broken_is_not_carried_out(desk: Desk) -> None:
    call = FunctionCall("c1", "turn_on", problem="The arguments are not valid JSON.")
    outcome = await desk.give(call)
    assert (outcome.status, outcome.message) == (
        Status.INVALID,
        "The arguments are not valid JSON.",
    )
    assert desk.done == []


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"target": None},
        {"target": 5},
        {"target": "Kitchen light", "brightness": "60"},
        {"target": "Kitchen light", "brightness": 1000},
        {"target": "Kitchen light", "brightness": True},
        {"target": "Kitchen light", "brightness": float("nan")},
        {"target": "Kitchen light", "colour": "red"},
        {"target": "\ud800"},
    ],
)
async def test_arguments_that_do_not_fit_act_on_nothing(
    desk: Desk, arguments: dict[str, Any]
) -> None:
    outcome = await desk.call("turn_on", **arguments)
    assert outcome.status in (Status.INVALID, Status.UNKNOWN_TARGET)
    assert outcome.message
    assert desk.done == []


@pytest.mark.parametrize("when", ["plans", "runs"])
async def test_a_tool_that_breaks_is_answered_without_its_details(
    desk: Desk, when: str, caplog: pytest.LogCaptureFixture
) -> None:
    with desk.bus.subscribe() as told:
        outcome = await desk.call(f"breaks_when_it_{when}", "c1")
        assert [type(e) for e in told.waiting()] == [CallReceived, CallAnswered]
    assert (outcome.status, outcome.ok) == (Status.ERROR, False)
    assert "secret" not in outcome.text()
    assert [r.levelno for r in caplog.records] == [logging.ERROR]
    assert await desk.call(f"breaks_when_it_{when}", "c1") is outcome


async def test_arguments_that_are_nested_without_end_are_answered_and_reported(desk: Desk) -> None:
    nested: Any = "light"
    for _ in range(900):
        nested = [nested]
    with desk.bus.subscribe() as told:
        outcome = await desk.call("turn_on", target=nested)
        assert len(repr(told.waiting())) < 2000
    assert outcome.status is Status.INVALID


# --- policy -----------------------------------------------------------------------------------


async def test_what_is_guarded_waits_for_a_yes_and_is_done_once(desk: Desk) -> None:
    asked = await desk.call("unlock", target="Front door")
    assert asked.status is Status.NEEDS_CONFIRMATION
    assert "unlock Front door" in asked.message
    assert desk.done == []
    # What the names mean now is not what was asked about.
    desk.add("Other door", Capability(Kind.LOCK))
    assert (await desk.call("confirm", confirmation=asked.confirmation)).ok
    again = await desk.call("confirm", confirmation=asked.confirmation)
    assert (again.status, again.ok) == (Status.INVALID, False)
    assert desk.done == [("front-door", "unlock", {})]


async def test_a_yes_that_comes_too_late_or_was_made_up_does_nothing(desk: Desk) -> None:
    asked = await desk.call("unlock", target="Front door")
    assert (await desk.call("confirm", confirmation="abcdef")).status is Status.INVALID
    await asyncio.sleep(61)
    late = await desk.call("confirm", confirmation=asked.confirmation)
    assert late.status is Status.EXPIRED
    assert desk.done == []


async def test_what_is_forbidden_is_denied(desk: Desk) -> None:
    assert (await desk.call("unlock", target="Bank vault")).status is Status.DENIED
    assert desk.done == []


async def test_too_much_at_once_is_asked_about() -> None:
    desk = Desk(PolicySettings(ask_above_devices=1))
    desk.add("Hall light", Capability(Kind.BRIGHTNESS))
    outcome = await desk.call("turn_on", target="all lights")
    assert outcome.status is Status.NEEDS_CONFIRMATION
    assert desk.done == []


async def test_a_model_in_a_loop_is_slowed_down() -> None:
    desk = Desk(a_minute=2)
    statuses = [(await desk.call("turn_on", target="Kitchen light")).status for _ in range(3)]
    assert statuses == [Status.CONFIRMED, Status.CONFIRMED, Status.DENIED]
    await asyncio.sleep(60)
    assert (await desk.call("turn_on", target="Kitchen light")).ok
    assert len(desk.done) == 3


async def test_stopping_and_locking_are_never_slowed_down() -> None:
    desk = Desk(a_minute=1, a_device=1)
    statuses = [(await desk.call("lock", target="Front door")).status for _ in range(4)]
    assert statuses == [Status.CONFIRMED] * 4


async def test_the_limit_says_when_to_try_again() -> None:
    desk = Desk(a_minute=2)
    for _ in range(2):
        await desk.call("get_state", target="Kitchen light")
    outcome = await desk.call("turn_on", target="Kitchen light")
    assert outcome.status is Status.DENIED
    assert "Try again in 30 seconds." in outcome.message


async def test_each_device_has_its_own_limit() -> None:
    desk = Desk(a_device=2)
    desk.add("Hall light", Capability(Kind.BRIGHTNESS))
    statuses = [(await desk.call("turn_on", target="Kitchen light")).status for _ in range(3)]
    assert statuses == [Status.CONFIRMED, Status.CONFIRMED, Status.DENIED]
    group = await desk.call("turn_on", target="all lights")
    assert group.status is Status.DENIED
    assert "Kitchen light had too many commands" in group.message
    assert (await desk.call("get_state", target="Kitchen light")).ok
    assert (await desk.call("turn_on", target="Hall light")).ok
    await asyncio.sleep(30)
    assert (await desk.call("turn_on", target="all lights")).ok


async def test_a_rule_denies_and_says_why() -> None:
    desk = Desk(PolicySettings(rules=[_NAPS]))
    outcome = await desk.call("turn_on", target="Kitchen light")
    assert (outcome.status, outcome.message) == (Status.DENIED, "It is quiet time.")
    assert (await desk.call("get_state", target="Kitchen light")).ok
    assert desk.done == []


async def test_a_rule_that_came_into_force_after_the_question_holds() -> None:
    now = ManualClock().wall().astimezone()
    minute = now.hour * 60 + now.minute
    from_next_minute = Hours((minute + 1) % 1440, (minute + 60) % 1440)
    late = Rule(Decision.DENY, hours=from_next_minute, because="It is too late.")
    desk = Desk(PolicySettings(rules=[late]))
    await asyncio.sleep(30)
    asked = await desk.call("unlock", target="Front door")
    await asyncio.sleep(31)
    outcome = await desk.call("confirm", confirmation=asked.confirmation)
    assert (outcome.status, outcome.message) == (Status.DENIED, "It is too late.")
    assert desk.done == []


async def test_a_confirmation_that_was_denied_for_a_while_is_not_used_up() -> None:
    desk = Desk(a_device=1)
    asked = await desk.call("unlock", target="Front door")
    other = await desk.call("unlock", target="Front door")
    assert (await desk.call("confirm", confirmation=asked.confirmation)).ok
    too_soon = await desk.call("confirm", confirmation=other.confirmation)
    assert too_soon.status is Status.DENIED
    assert len(desk.done) == 1


async def test_a_device_of_the_pin_opens_with_it_and_nobody_sees_it() -> None:
    desk = Desk(PolicySettings(pin_devices=frozenset({"front-door"})), pin="2468")
    with desk.bus.subscribe() as told:
        asked = await desk.call("unlock", target="Front door")
        assert (asked.status, "PIN" in asked.message) == (Status.NEEDS_CONFIRMATION, True)
        for pin, status in (
            ("1357", Status.NEEDS_CONFIRMATION),
            ("2468", Status.CONFIRMED),
            ("2468", Status.INVALID),
        ):
            outcome = await desk.call("confirm", confirmation=asked.confirmation, pin=pin)
            assert outcome.status is status
        shown = repr(told.waiting())
    assert "2468" not in shown
    assert "1357" not in shown
    assert desk.done == [("front-door", "unlock", {})]
    assert (await desk.call("lock", target="Front door")).ok


async def test_after_many_wrong_pins_its_devices_are_closed_for_a_while() -> None:
    desk = Desk(PolicySettings(pin_devices=frozenset({"front-door"})), pin="2468")
    for _ in range(2):
        asked = await desk.call("unlock", target="Front door")
        for _ in range(3):
            await desk.call("confirm", confirmation=asked.confirmation, pin="0000")
    closed = await desk.call("unlock", target="Front door")
    assert (closed.status, closed.confirmation) == (Status.DENIED, "")
    assert "Try again in 5 minutes." in closed.message
    assert (await desk.call("lock", target="Front door")).ok
    await asyncio.sleep(300)
    assert (await desk.call("unlock", target="Front door")).confirmation


# --- the same again under another id ------------------------------------------------------------


def brewed(desk: Desk) -> int:
    return [command for _, command, _ in desk.done].count("brew")


async def test_what_cannot_be_done_twice_is_not_done_again_at_once(desk: Desk) -> None:
    first = await desk.call("brew", cups=2)
    with desk.bus.subscribe() as told:
        assert await desk.call("brew", "other", cups=2.0) is first
        assert [type(event) for event in told.waiting()] == [CallReceived, CallAnswered]
    assert (first.status, brewed(desk)) == (Status.CONFIRMED, 1)


async def test_another_request_is_no_repeat(desk: Desk) -> None:
    for cups in (1, 2):
        assert (await desk.call("brew", cups=cups)).ok
    assert (await desk.call("brew")).ok
    assert brewed(desk) == 3


async def test_the_time_counts_from_when_the_first_came(desk: Desk) -> None:
    await desk.call("brew")
    await asyncio.sleep(9.9)
    await desk.call("brew")
    assert brewed(desk) == 1
    await asyncio.sleep(0.1)
    await desk.call("brew")
    assert brewed(desk) == 2


async def test_a_reconnect_does_not_double_it(desk: Desk) -> None:
    for epoch in (1, 2):
        assert (await desk.give(FunctionCall("c1", "brew", epoch=epoch))).ok
    assert brewed(desk) == 1


async def test_what_still_runs_is_waited_for(desk: Desk) -> None:
    outcomes = await asyncio.gather(*(desk.call("slowly", seconds=5) for _ in range(3)))
    assert outcomes == [outcomes[0]] * 3
    assert desk.slow == 1


async def test_what_had_no_effect_may_be_tried_again_at_once(desk: Desk) -> None:
    away = Result(State.EXPIRED, offline=True)
    there = ScriptedCarrier({"coffee-machine": [away, Result(State.SUCCEEDED)]})
    desk.carrier = there
    desk.registry = ToolRegistry(desk.directory, there, Holds(desk.clock))
    statuses = [(await desk.call("brew")).status for _ in range(3)]
    assert statuses == [Status.OFFLINE, Status.CONFIRMED, Status.CONFIRMED]
    assert len(there.orders) == 2


async def test_of_those_who_waited_in_vain_one_tries(desk: Desk) -> None:
    away = Result(State.EXPIRED, offline=True)
    there = ScriptedCarrier({"coffee-machine": [away, Result(State.SUCCEEDED)]})
    desk.carrier = there
    desk.registry = ToolRegistry(desk.directory, there, Holds(desk.clock))
    outcomes = await asyncio.gather(*(desk.call("brew") for _ in range(4)))
    assert [outcome.status for outcome in outcomes] == [Status.OFFLINE, *[Status.CONFIRMED] * 3]
    assert len(there.orders) == 2


async def test_a_repeat_of_what_was_cut_off_is_not_done_again(desk: Desk) -> None:
    first = asyncio.create_task(desk.call("slowly", seconds=5))
    await asyncio.sleep(1)
    first.cancel()
    assert (await desk.call("slowly", seconds=5)).status is Status.TIMED_OUT
    assert desk.slow == 1


def past(desk: Desk, status: str, *, ago_s: float = 3.0, later: Later | None = None) -> Action:
    at = desk.clock.wall().timestamp() - ago_s
    asked = {"cups": 2}
    return Action(1, 1, 1, "c0", "brew", asked, at, status, "Brewed.", "Machine", 2.0, later)


@pytest.mark.parametrize(
    ("status", "later", "told"),
    [
        ("confirmed", None, Status.CONFIRMED),
        ("timed_out", Later(1.0, "confirmed", "Brewed after all."), Status.CONFIRMED),
        ("", None, Status.TIMED_OUT),
        ("unknown", None, Status.TIMED_OUT),
    ],
)
async def test_what_was_done_before_a_restart_is_not_done_again_at_once(
    desk: Desk, status: str, later: Later | None, told: Status
) -> None:
    desk.calls.recall([past(desk, status, later=later)])
    outcome = await desk.call("brew", cups=2)
    assert (outcome.status, brewed(desk)) == (told, 0)
    await desk.call("brew", cups=1)
    assert brewed(desk) == 1
    await asyncio.sleep(7.0)
    await desk.call("brew", cups=2)
    assert brewed(desk) == 2


async def test_what_was_refused_before_a_restart_may_be_asked_for_again(desk: Desk) -> None:
    desk.calls.recall([past(desk, "needs_confirmation")])
    assert (await desk.call("brew", cups=2)).ok
    assert brewed(desk) == 1


async def test_a_repeat_before_a_restart_makes_nobody_wait_longer(desk: Desk) -> None:
    desk.calls.recall([past(desk, "confirmed", ago_s=9.0), past(desk, "confirmed", ago_s=1.0)])
    await asyncio.sleep(1.0)
    await desk.call("brew", cups=2)
    assert brewed(desk) == 1


async def test_what_can_be_done_twice_is(desk: Desk) -> None:
    for _ in range(2):
        assert (await desk.call("turn_on", target="Kitchen light")).ok
    assert len(desk.done) == 2


async def test_what_was_only_asked_about_is_asked_about_again() -> None:
    desk = Desk(PolicySettings(rules=[Rule(Decision.ASK, tools=frozenset({"brew"}))]))
    first, second = await desk.call("brew"), await desk.call("brew")
    assert first.confirmation != second.confirmation
    assert (await desk.call("confirm", confirmation=second.confirmation)).ok
    assert brewed(desk) == 1


# --- afterwards -------------------------------------------------------------------------------


async def test_what_becomes_of_a_call_later_is_told_to_the_session_and_the_bus(
    desk: Desk,
) -> None:
    told: list[tuple[str, Outcome]] = []
    desk.calls.on_late = lambda call, outcome: told.append((call.call_id, outcome))
    desk.carrier = ScriptedCarrier({"kitchen-light": Result(State.TIMED_OUT, attempts=3)})
    desk.registry = ToolRegistry(desk.directory, desk.carrier, Holds(desk.clock))
    outcome = await desk.call("turn_on", "c1", target="Kitchen light")
    assert (outcome.status, outcome.ok) == (Status.TIMED_OUT, None)
    with desk.bus.subscribe() as events:
        desk.carrier.later("kitchen-light", desk.carrier.obey(desk.carrier.orders[0]))
        assert [(call_id, later.status) for call_id, later in told] == [("c1", Status.CONFIRMED)]
        assert events.waiting() == [LateOutcome("c1", told[0][1])]


async def test_without_a_session_the_bus_alone_is_told(desk: Desk) -> None:
    desk.carrier = ScriptedCarrier({"kitchen-light": Result(State.ACCEPTED, attempts=1)})
    desk.registry = ToolRegistry(desk.directory, desk.carrier, Holds(desk.clock))
    assert (await desk.call("turn_on", target="Kitchen light")).status is Status.PENDING
    with desk.bus.subscribe() as events:
        desk.carrier.later("kitchen-light", desk.carrier.obey(desk.carrier.orders[0]))
        assert [type(event) for event in events.waiting()] == [LateOutcome]
