from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from gateway.bus import Bus
from gateway.errors import FatalError, TransientError
from gateway.events import FunctionCall, SessionChanged
from gateway.outcome import Outcome, Status
from gateway.providers.registry import dialect_maker
from gateway.session.ending import BadUrl, Closed, HttpRefused, NotConnected
from gateway.session.session import OPERATOR_PAUSE_S, Session
from gateway.session.state import State
from gateway.testing import ManualClock

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("virtual_time")]


@dataclass(frozen=True)
class Offer:
    instructions: str = "You run the house."
    definitions: list[dict[str, Any]] = field(default_factory=list)


class House:
    """A session under test, what it offers, and what its calls take."""

    def __init__(self, wires: Any) -> None:
        self.wires = wires
        self.offer = Offer()
        self.takes_s = 0.0
        self.bus = Bus()
        self.session = Session(
            dialects=dialect_maker("navtalk", {"license": "sk-secret", "avatar_name": "a"}),
            offer=lambda: self.offer,
            handler=self.handle,
            bus=self.bus,
            clock=ManualClock(asyncio.get_running_loop()),
            random=lambda: 0.5,
            connect=wires,
        )
        self.task: Any = None

    def start(self) -> None:
        self.task = asyncio.create_task(self.session.run())

    async def handle(self, call: FunctionCall, offer: Any) -> Outcome:
        await asyncio.sleep(self.takes_s)
        return Outcome(Status.CONFIRMED, f"{call.name} is done.")

    async def live(self) -> Any:
        """The wire of a session that is live; starts it the first time."""
        if self.task is None:
            self.start()
        await asyncio.sleep(0.01)
        self.wires.last.says("realtime.session.created")
        await self.session.live(1)
        return self.wires.last


@pytest.fixture
async def house(wires: Any) -> AsyncIterator[House]:
    made = House(wires)
    yield made
    if made.task is not None:
        made.task.cancel()
        await asyncio.gather(made.task, return_exceptions=True)


async def test_it_connects_opens_and_is_live(house: House) -> None:
    with house.bus.subscribe() as heard:
        wire = await house.live()
        assert house.session.state is State.LIVE
        states = [e.state for e in heard.waiting() if isinstance(e, SessionChanged)]
    assert states == ["connecting", "opening", "live"]
    assert house.session.epoch == 1
    assert wire.kinds() == ["realtime.input_config", "realtime.input_function_call"]


async def test_a_lost_connection_comes_back_as_the_next_generation(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await house.live()
    house.wires.last.end(Closed(1006))
    await asyncio.sleep(0.1)
    assert house.session.state is State.WAITING
    await asyncio.sleep(1)
    await house.live()
    assert house.session.epoch == 2
    assert "the session is live again" in caplog.text


async def test_the_first_failure_is_loud_and_repetitions_are_not(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house.wires.refusals.extend([NotConnected(OSError())] * 5)
    house.start()
    await asyncio.sleep(20)
    warnings = [r for r in caplog.records if r.levelname == "WARNING"]
    assert len(warnings) == 1
    assert "trying again in" in warnings[0].message
    assert len(house.wires.made) == 6


async def test_a_refused_licence_waits_for_a_person_and_looks_again_in_minutes(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house.start()
    await asyncio.sleep(0.01)
    house.wires.last.says("conversation.connected.fail", message="Invalid license sk-secret")
    await asyncio.sleep(1)
    assert house.session.state is State.ASKING
    assert "Invalid license ***" in caplog.text
    assert "sk-secret" not in caplog.text
    await asyncio.sleep(OPERATOR_PAUSE_S - 2)
    assert len(house.wires.made) == 1
    await asyncio.sleep(2)
    assert len(house.wires.made) == 2


async def test_an_end_that_nothing_can_mend_stops_the_session(house: House) -> None:
    house.wires.refusals.append(BadUrl())
    house.start()
    with pytest.raises(FatalError, match=r"session\.url"):
        await house.task
    assert house.session.state is State.STOPPED


async def test_the_service_may_ask_for_a_longer_pause(house: House) -> None:
    house.wires.refusals.append(HttpRefused(429, retry_after_s=40))
    house.start()
    await asyncio.sleep(39)
    assert len(house.wires.made) == 1
    await asyncio.sleep(2)
    assert len(house.wires.made) == 2


async def test_connections_that_die_at_once_slow_down_to_the_cap(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        await house.live()
        house.wires.last.end(Closed(1011))
        await asyncio.sleep(4)
    assert len(house.wires.made) == 3
    assert "keeps opening and ending at once" in caplog.text
    await asyncio.sleep(60)
    assert len(house.wires.made) == 4


async def test_a_call_outlives_its_connection_and_is_told_in_the_next(house: House) -> None:
    house.takes_s = 3
    old = await house.live()
    old.calls("c1", "turn_on")
    await asyncio.sleep(0.1)
    old.end(Closed(None))
    await asyncio.sleep(1)
    new = await house.live()
    await asyncio.sleep(3)
    assert old.outcomes() == {}
    assert new.outcomes() == {}
    assert "turn_on is done." in new.sent[-1]["item"]["content"][0]["text"]


async def test_the_form_that_the_service_understood_is_kept_across_connections(
    house: House,
) -> None:
    wire = await house.live()
    wire.calls("c1")
    await asyncio.sleep(6)
    assert "conversation.item.create" in wire.kinds()
    wire.end(Closed(1006))
    await asyncio.sleep(2)
    wire = await house.live()
    wire.calls("c1")
    await asyncio.sleep(0.1)
    assert "realtime.function_call_output" not in wire.kinds()
    assert wire.outcomes()["c1"]["ok"] is True


async def test_changed_tools_are_sent_once_when_things_are_quiet(house: House) -> None:
    wire = await house.live()
    before = wire.kinds().count("realtime.input_function_call")
    house.offer = Offer(definitions=[{"type": "function", "name": "lock"}])
    for _ in range(3):
        house.session.tools_changed()
        await asyncio.sleep(0.5)
    assert wire.kinds().count("realtime.input_function_call") == before
    await asyncio.sleep(1)
    assert wire.kinds().count("realtime.input_function_call") == before + 1
    house.session.tools_changed()
    await asyncio.sleep(2)
    assert wire.kinds().count("realtime.input_function_call") == before + 1


async def test_tools_that_came_while_the_connection_opened_are_offered(house: House) -> None:
    house.wires.opens_after_s = 8.0
    house.start()
    await asyncio.sleep(2)
    house.offer = Offer(definitions=[{"type": "function", "name": "lock"}])
    house.session.tools_changed()
    await asyncio.sleep(10)
    defined = [b for b in house.wires.last.sent if b["type"] == "realtime.input_function_call"]
    assert [json.loads(b["data"]["content"])[0]["name"] for b in defined] == ["lock"]


async def test_a_restless_device_does_not_put_that_off_for_ever(house: House) -> None:
    wire = await house.live()
    house.offer = Offer(definitions=[{"type": "function", "name": "lock"}])
    for _ in range(12):
        house.session.tools_changed()
        await asyncio.sleep(0.5)
    assert wire.kinds().count("realtime.input_function_call") == 2


async def test_a_note_waits_until_the_session_is_live(house: House) -> None:
    house.session.note("The door is open.")
    wire = await house.live()
    await asyncio.sleep(0.1)
    assert wire.sent[-1]["item"]["role"] == "system"


async def test_nobody_hears_what_is_said_without_a_session(house: House) -> None:
    with pytest.raises(TransientError):
        await house.session.say("hello")
    wire = await house.live()
    await house.session.say("hello")
    assert wire.sent[-1]["data"] == {"content": "hello"}


async def test_draining_answers_what_runs_then_closes_and_run_returns(house: House) -> None:
    house.takes_s = 1
    wire = await house.live()
    wire.calls("c1")
    await asyncio.sleep(0.1)
    draining = asyncio.create_task(house.session.drain(5))
    await asyncio.sleep(0.1)
    assert house.session.state is State.DRAINING
    wire.calls("c2")
    await draining
    await house.task
    assert wire.outcomes()["c1"]["status"] == "confirmed"
    assert wire.outcomes()["c2"]["message"] == "The gateway is stopping."
    assert wire.closed
    assert house.session.state is State.STOPPED


@pytest.mark.parametrize("ending", [NotConnected(OSError()), HttpRefused(403)])
async def test_draining_ends_a_pause_at_once(house: House, ending: Any) -> None:
    house.wires.refusals.append(ending)
    house.start()
    await asyncio.sleep(0.01)
    await house.session.drain(5)
    async with asyncio.timeout(0.1):
        await house.task
    assert house.session.state is State.STOPPED


async def test_a_connection_lost_while_draining_is_not_made_again(house: House) -> None:
    house.takes_s = 2
    wire = await house.live()
    wire.calls("c1")
    await asyncio.sleep(0.1)
    draining = asyncio.create_task(house.session.drain(5))
    await asyncio.sleep(0.1)
    wire.end(Closed(1006))
    await draining
    await house.task
    assert len(house.wires.made) == 1


async def test_draining_before_it_ran_is_fine(house: House) -> None:
    await house.session.drain(1)
    await house.session.run()
    assert house.session.state is State.STOPPED


async def test_cancelling_it_closes_the_connection(house: House) -> None:
    wire = await house.live()
    house.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await house.task
    assert wire.closed
    assert house.session.state is State.STOPPED
