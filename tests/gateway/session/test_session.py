from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from gateway.bus import Bus
from gateway.errors import FatalError, TransientError
from gateway.events import FunctionCall, SessionChanged
from gateway.outcome import Outcome, Status
from gateway.providers.base import Dialect
from gateway.providers.registry import dialect_maker
from gateway.session.ending import BadUrl, Closed, HttpRefused, NotConnected
from gateway.session.session import OPERATOR_PAUSE_S, Session
from gateway.session.state import State
from gateway.session.watch import PATIENCE_S
from gateway.testing import ManualClock

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("virtual_time")]


@dataclass(frozen=True)
class Offer:
    instructions: str = "You run the house."
    definitions: list[dict[str, Any]] = field(default_factory=list)


class Beside:
    """A dialect whose service allows two connections at a time."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self.capabilities = replace(dialect.capabilities, two_connections=True)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._dialect, name)


class House:
    """A session under test, what it offers, and what its calls take."""

    def __init__(
        self, wires: Any, *, rotate_after_s: float | None = None, beside: bool = False
    ) -> None:
        self.wires = wires
        navtalk = dialect_maker("navtalk", {"license": "sk-secret", "avatar_name": "a"})
        self.offer = Offer()
        self.takes_s = 0.0
        self.bus = Bus()
        self.session = Session(
            dialects=(lambda: Beside(navtalk())) if beside else navtalk,
            offer=lambda: self.offer,
            handler=self.handle,
            bus=self.bus,
            clock=ManualClock(asyncio.get_running_loop()),
            random=lambda: 0.5,
            rotate_after_s=rotate_after_s,
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


@asynccontextmanager
async def open_house(wires: Any, **options: Any) -> AsyncIterator[House]:
    made = House(wires, **options)
    yield made
    if made.task is not None:
        made.task.cancel()
        await asyncio.gather(made.task, return_exceptions=True)


@pytest.fixture
async def house(wires: Any) -> AsyncIterator[House]:
    async with open_house(wires) as made:
        yield made


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
    await asyncio.sleep(10)
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


async def test_connections_that_die_at_once_are_for_a_person(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        await house.live()
        house.wires.last.end(Closed(1011))
        await asyncio.sleep(4)
    assert house.session.state is State.ASKING
    assert caplog.text.count("keeps opening and ending at once") == 1
    assert len(house.wires.made) == 3
    caplog.clear()
    await asyncio.sleep(OPERATOR_PAUSE_S)
    await house.live()
    house.wires.last.end(Closed(1011))
    await asyncio.sleep(4)
    assert house.session.state is State.ASKING
    assert len(house.wires.made) == 4
    assert caplog.text == ""


async def test_connections_that_were_of_use_never_count_as_dying_at_once(house: House) -> None:
    for _ in range(6):
        wire = await house.live()
        wire.calls("c1")
        await asyncio.sleep(0.1)
        wire.end(Closed(1011))
        await asyncio.sleep(1)
    assert house.session.state is not State.ASKING
    assert len(house.wires.made) == 7


# --- what the service does after a while ------------------------------------------------------


@pytest.mark.parametrize("end", [Closed(1001), Closed(1000, "session expired"), Closed(1005)])
async def test_a_cut_after_an_hour_is_followed_at_once_without_a_warning(
    house: House, end: Closed, caplog: pytest.LogCaptureFixture
) -> None:
    house.takes_s = 3
    caplog.set_level(logging.INFO)
    for number in range(1, 4):
        wire = await house.live()
        await asyncio.sleep(3600)
        wire.calls(f"c{number}")
        await asyncio.sleep(0.1)
        wire.end(end)
        await asyncio.sleep(0.01)
        assert len(house.wires.made) == number + 1
    assert [r for r in caplog.records if r.levelno > logging.INFO] == []
    assert caplog.text.count("the next one is opened") == 3


async def test_a_service_that_says_nothing_is_warned_about_given_up_and_asked_again(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house.start()
    await asyncio.sleep(9.9)
    assert caplog.text == ""
    await asyncio.sleep(0.2)
    assert "says nothing" in caplog.text
    await asyncio.sleep(49)
    assert len(house.wires.made) == 1
    await asyncio.sleep(2)
    assert house.wires.made[0].closed
    assert len(house.wires.made) == 2
    warnings = len(caplog.records)
    await asyncio.sleep(120)
    assert len(caplog.records) == warnings


async def test_one_that_says_anything_is_not_given_up(house: House) -> None:
    house.start()
    await asyncio.sleep(1)
    house.wires.last.says("conversation.connected.success", sessionId="s")
    await asyncio.sleep(300)
    assert len(house.wires.made) == 1
    assert house.session.state is State.OPENING


# --- renewal -----------------------------------------------------------------------------------

HOUR_S = 3300.0
TRANSCRIPT = "realtime.conversation.item.input_audio_transcription.completed"


async def test_an_old_connection_is_renewed_in_silence_and_that_is_no_failure(
    wires: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with open_house(wires, rotate_after_s=HOUR_S) as house:
        with house.bus.subscribe() as heard:
            first = await house.live()
            await asyncio.sleep(HOUR_S - 1)
            assert not first.closed
            await asyncio.sleep(1.1)
            assert first.closed
            await house.live()
            changes = [e for e in heard.waiting() if isinstance(e, SessionChanged)]
        assert [(e.state, e.epoch) for e in changes[2:]] == [
            ("live", 1),
            ("renewing", 1),
            ("connecting", 2),
            ("opening", 2),
            ("live", 2),
        ]
        assert "renewed" in changes[3].reason
        assert caplog.text == ""
        await asyncio.sleep(HOUR_S + 1)
        assert len(wires.made) == 3


async def test_renewal_waits_for_the_end_of_what_is_said_and_done(wires: Any) -> None:
    async with open_house(wires, rotate_after_s=HOUR_S) as house:
        house.takes_s = 3
        wire = await house.live()
        await asyncio.sleep(HOUR_S - 5)
        wire.says("realtime.input_audio_buffer.speech_started")
        await asyncio.sleep(8)
        wire.says("realtime.input_audio_buffer.speech_stopped")
        await asyncio.sleep(2)
        wire.calls("c1")
        await asyncio.sleep(3.1)
        assert wire.outcomes()["c1"]["ok"] is True
        wire.says("realtime.response.audio_transcript.done", id="r1", content="It is on.")
        await asyncio.sleep(9)
        assert not wire.closed
        await asyncio.sleep(12)
        assert wire.closed
        new = await house.live()
        assert new.outcomes() == {}


async def test_a_conversation_without_a_pause_is_renewed_all_the_same(wires: Any) -> None:
    async with open_house(wires, rotate_after_s=HOUR_S) as house:
        wire = await house.live()
        await asyncio.sleep(HOUR_S - 5)
        house.takes_s = 600
        wire.calls("slow")
        await asyncio.sleep(PATIENCE_S)
        assert not wire.closed
        await asyncio.sleep(20)
        assert wire.closed
        new = await house.live()
        await asyncio.sleep(600)
        assert new.outcomes() == {}
        assert "turn_on is done." in new.sent[-1]["item"]["content"][0]["text"]


async def test_a_call_that_comes_while_the_old_connection_closes_is_told_in_the_next(
    wires: Any,
) -> None:
    async with open_house(wires, rotate_after_s=HOUR_S) as house:
        old = await house.live()
        old.closes_after_s = 0.3
        await asyncio.sleep(HOUR_S)
        assert house.session.state is State.RENEWING
        old.calls("late")
        await asyncio.sleep(1)
        new = await house.live()
        await asyncio.sleep(1)
        assert old.outcomes() == new.outcomes() == {}
        assert told(new) == [("system", told(new)[0][1])]
        assert "turn_on is done." in told(new)[0][1]


async def test_the_next_is_opened_beside_the_old_one_where_the_service_allows_it(
    wires: Any,
) -> None:
    async with open_house(wires, rotate_after_s=HOUR_S, beside=True) as house:
        old = await house.live()
        wires.refusals.append(HttpRefused(503))
        await asyncio.sleep(HOUR_S + 1)
        assert len(wires.made) == 2
        assert not old.closed
        assert house.session.state is State.LIVE
        wires.opens_after_s = 5.0
        await asyncio.sleep(30)
        assert len(wires.made) == 3
        assert not old.closed
        await asyncio.sleep(5)
        assert old.closed
        assert (house.session.state, house.session.epoch) == (State.OPENING, 2)


async def test_who_speaks_while_the_next_one_opens_keeps_the_old_one(wires: Any) -> None:
    async with open_house(wires, rotate_after_s=HOUR_S, beside=True) as house:
        old = await house.live()
        wires.opens_after_s = 5.0
        await asyncio.sleep(HOUR_S + 1)
        old.calls("c1")
        await asyncio.sleep(5)
        assert not old.closed
        assert wires.made[1].closed
        assert old.outcomes()["c1"]["ok"] is True
        await asyncio.sleep(60)
        assert old.closed


async def test_draining_while_the_next_one_opens_leaves_nothing_open(wires: Any) -> None:
    async with open_house(wires, rotate_after_s=HOUR_S, beside=True) as house:
        await house.live()
        wires.opens_after_s = 5.0
        await asyncio.sleep(HOUR_S + 1)
        await house.session.drain(1)
        await house.task
        assert all(wire.closed for wire in wires.made)


# --- history -----------------------------------------------------------------------------------


def told(wire: Any) -> list[tuple[str, str]]:
    items = [b["item"] for b in wire.sent if b["type"] == "conversation.item.create"]
    return [(i["role"], i["content"][0]["text"]) for i in items if i["type"] == "message"]


async def test_what_the_user_said_is_told_again_but_never_what_led_to_a_call(house: House) -> None:
    old = await house.live()
    old.says("realtime.input_audio_buffer.speech_started")
    old.says(TRANSCRIPT, content="My name is Ann.")
    await asyncio.sleep(60)
    old.says("realtime.input_audio_buffer.speech_started")
    old.calls("c1")
    await asyncio.sleep(1)
    old.says(TRANSCRIPT, content="Open the garage.")
    await asyncio.sleep(60)
    await house.session.say("Is it raining?")
    old.says("realtime.response.audio_transcript.done", id="r2", content="No.")
    await asyncio.sleep(1)
    old.end(Closed(1006))
    await asyncio.sleep(1)
    new = await house.live()
    await asyncio.sleep(1)
    assert told(new) == [("user", "My name is Ann."), ("user", "Is it raining?")]
    assert "response.create" not in new.kinds()


async def test_history_comes_before_the_notes(house: House) -> None:
    house.takes_s = 2
    old = await house.live()
    old.says(TRANSCRIPT, content="My name is Ann.")
    await asyncio.sleep(60)
    old.says("realtime.input_audio_buffer.speech_started")
    old.calls("c1")
    await asyncio.sleep(0.1)
    old.end(Closed(None))
    await asyncio.sleep(3)
    new = await house.live()
    await asyncio.sleep(0.1)
    assert [role for role, _ in told(new)] == ["user", "system"]


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
