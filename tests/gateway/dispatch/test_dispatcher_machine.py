"""The dispatcher as a state machine: orders, words, outages and leavers, as they come."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from devices.contract.command import AckStatus, Command, Scalar
from devices.contract.verbs import written_attributes
from devices.link.base import LinkState
from gateway.dispatch.lifecycle import State
from gateway.dispatch.order import Order, Result
from gateway.events import CommandSent
from gateway.testing import VirtualTimeLoop
from tests.gateway.dispatch.bench import Bench, Heard, bench, settle

pytestmark = pytest.mark.unit

DEVICES = st.sampled_from(["lamp", "blind", "old"])
COMMANDS: st.SearchStrategy[tuple[str, dict[str, Scalar]]] = st.sampled_from(
    [
        ("turn_on", {}),
        ("turn_on", {"brightness": 40}),
        ("turn_off", {}),
        ("set_cover", {"position": 0}),
        ("set_cover", {"position": 50}),
        ("stop", {}),
        ("brew", {}),
    ]
)
RECENT = st.integers(0, 4)
MOMENTS_S = st.sampled_from([0.1, 0.4, 1.0, 2.9, 4.0, 11.0, 130.0])
DELIVERY_S = 3.0
PATIENCE_S = 4.0
# ttl_ms is in whole milliseconds.
EXACTLY_S = 0.0011

_T = TypeVar("_T")


@dataclass
class Asked:
    """One order, and what its caller was told."""

    order: Order
    at_s: float
    task: asyncio.Task[None] | None = None
    result: Result | None = None
    late: list[Result] = field(default_factory=list)
    command_id: str = ""
    attempts: list[int] = field(default_factory=list)
    words: list[AckStatus] = field(default_factory=list)

    @property
    def news(self) -> list[Result]:
        """All that was said of it, oldest first."""
        return [self.result, *self.late] if self.result else self.late

    @property
    def writes(self) -> frozenset[str]:
        return written_attributes(self.order.command, self.order.args)


class DispatcherMachine(RuleBasedStateMachine):
    """Devices are silent until a rule lets one speak; time passes only by a rule."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner(loop_factory=VirtualTimeLoop)
        self.running = AsyncExitStack()
        self.asked: dict[str, Asked] = {}
        self.of_command: dict[str, Asked] = {}
        self.steps: list[tuple[str, str]] = []
        self.flying: list[Asked] = []
        self.heard_when_closed: int | None = None
        self.house: Bench = self._run(self.running.enter_async_context(bench()))
        self.house.add("old", forgetful=True)
        for device_id in ("lamp", "blind", "old"):
            self.house.behave[device_id] = self._sent

    # --- what can happen ------------------------------------------------------------------

    @rule(device_id=DEVICES, asked=COMMANDS)
    def order(self, device_id: str, asked: tuple[str, dict[str, Scalar]]) -> None:
        call_id = f"call-{len(self.asked)}"
        order = Order(device_id, *asked, call_id)
        made = self.asked[call_id] = Asked(order, self.house.now_s)
        self._run(self._begin(made))

    @precondition(lambda self: self.house.heard)
    @rule(which=RECENT, status=st.sampled_from(AckStatus), times=st.integers(1, 2))
    def the_device_says(self, which: int, status: AckStatus, times: int) -> None:
        device_id, command_id = self._recent(which)
        for _ in range(times):
            self.house.says(device_id, command_id, status)
        if self.house.link.state is LinkState.CONNECTED:
            self.of_command[command_id].words.append(status)
        self._run(settle())

    @precondition(lambda self: self.house.heard)
    @rule(which=RECENT, garbage=st.booleans())
    def somebody_else_says(self, which: int, garbage: bool) -> None:
        device_id, command_id = self._recent(which)
        if garbage:
            self.house.publish(f"home/{device_id}/ack", b'{"id": "%s"' % command_id.encode())
        else:
            self.house.says("stranger", command_id)
            self.house.says(device_id, "01UNKNOWN")
        self._run(settle())

    @rule(seconds=MOMENTS_S)
    def time_passes(self, seconds: float) -> None:
        self._run(asyncio.sleep(seconds))

    @rule(up=st.booleans())
    def the_broker(self, up: bool) -> None:
        (self.house.broker.start if up else self.house.broker.stop)()
        self._run(asyncio.sleep(0.01))

    @rule(full=st.booleans())
    def the_queue(self, full: bool) -> None:
        self.house.link.full = full

    @rule(device_id=DEVICES, online=st.booleans())
    def the_device_is(self, device_id: str, online: bool) -> None:
        self.house.online(device_id, online)

    @rule(device_id=DEVICES, on=st.booleans(), live=st.booleans())
    def the_device_reports(self, device_id: str, on: bool, live: bool) -> None:
        self.house.reports(device_id, live=live, on=on)

    @precondition(lambda self: self.asked)
    @rule(which=RECENT)
    def a_caller_leaves(self, which: int) -> None:
        asked = list(self.asked.values())[-1 - which % len(self.asked)]
        assert asked.task is not None
        asked.task.cancel()
        self._run(settle())

    @precondition(lambda self: len(self.asked) > 4 and self.heard_when_closed is None)
    @rule()
    def it_closes(self) -> None:
        self.heard_when_closed = len(self.house.heard)
        self.house.dispatcher.close()
        self._run(settle())
        assert all(asked.task.done() for asked in self.asked.values() if asked.task)

    # --- what must hold -------------------------------------------------------------------

    @invariant()
    def every_caller_is_answered_in_time(self) -> None:
        for asked in self.asked.values():
            assert asked.task is not None
            if not asked.task.done():
                assert self.house.now_s < asked.at_s + PATIENCE_S + EXACTLY_S
            elif not asked.task.cancelled():
                asked.task.result()
                assert asked.result is not None

    @invariant()
    def success_is_the_devices_own_word(self) -> None:
        for asked in self.asked.values():
            for result in asked.news:
                if result.state is State.SUCCEEDED and not result.already:
                    assert result.command_id == asked.command_id
                    assert AckStatus.SUCCEEDED in asked.words

    @invariant()
    def what_is_final_is_told_once(self) -> None:
        for asked in self.asked.values():
            assert sum(result.state.final for result in asked.news) <= 1

    @invariant()
    def what_was_superseded_was_never_sent(self) -> None:
        for asked in self.asked.values():
            if any(result.state is State.SUPERSEDED for result in asked.news):
                assert not asked.attempts

    @invariant()
    def nothing_is_sent_after_the_end(self) -> None:
        assert self.heard_when_closed in (None, len(self.house.heard))

    def teardown(self) -> None:
        try:
            self.house.broker.start()
            self._run(asyncio.sleep(300))
            self._the_last_news_is_the_truth()
            self._nothing_is_left()
        finally:
            self._run(self.running.aclose())
            self.runner.close()

    def _the_last_news_is_the_truth(self) -> None:
        for asked in self.asked.values():
            final = next((word for word in asked.words if word.final), None)
            if final is not None:
                assert asked.news[-1].state.value == final.value

    def _nothing_is_left(self) -> None:
        dispatcher = self.house.dispatcher
        assert all(asked.task.done() for asked in self.asked.values() if asked.task)
        assert not dispatcher._flights
        assert not dispatcher._hearing._completing
        assert not dispatcher._turns._holding
        assert not dispatcher._turns._waiting

    # --- the parts ------------------------------------------------------------------------

    def _run(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Let `work` happen, then look at what was sent meanwhile, step by step."""
        done = self.runner.run(work)
        if hasattr(self, "house"):
            self._look_back()
        return done

    async def _begin(self, asked: Asked) -> None:
        asked.task = asyncio.create_task(self._carry_out(asked))
        await settle()

    async def _carry_out(self, asked: Asked) -> None:
        try:
            asked.result = await self.house.dispatcher.carry_out(asked.order, asked.late.append)
        finally:
            self.steps.append(("answered", asked.order.call_id))

    def _sent(self, command: Command) -> None:
        self.steps.append(("sent", command.id))

    def _recent(self, which: int) -> tuple[str, str]:
        """The device and id of one of the last attempts."""
        heard = self.house.heard[-1 - which % len(self.house.heard)]
        return heard.device_id, heard.command.id

    def _look_back(self) -> None:
        for sent in self.house.told(CommandSent):
            asked = self.asked[sent.call_id]
            assert asked.command_id in ("", sent.command_id)
            asked.command_id = sent.command_id
            self.of_command[sent.command_id] = asked
        sent_now = sum(what == "sent" for what, _ in self.steps)
        heard = iter(self.house.heard[len(self.house.heard) - sent_now :])
        steps, self.steps = self.steps, []
        for what, key in steps:
            if what == "answered":
                self.flying = [one for one in self.flying if one is not self.asked[key]]
            else:
                self._check_attempt(self.of_command[key], next(heard))

    def _check_attempt(self, asked: Asked, heard: Heard) -> None:
        asked.attempts.append(heard.command.attempt)
        assert asked.attempts == list(range(1, len(asked.attempts) + 1))
        assert heard.command.ttl_ms > 0
        assert heard.until_s <= asked.at_s + DELIVERY_S + EXACTLY_S
        assert not asked.words
        # A device that keeps no ids would brew a second cup.
        once = (heard.device_id, heard.command.command) == ("old", "brew")
        assert not once or len(asked.attempts) == 1
        for other in self.flying:
            if other is not asked and other.order.device_id == asked.order.device_id:
                assert other.writes.isdisjoint(asked.writes)
        if asked not in self.flying:
            self.flying.append(asked)


TestDispatcher = DispatcherMachine.TestCase
TestDispatcher.settings = settings(max_examples=100, stateful_step_count=40)
