"""Commands that no acknowledgement names: what a device's reports come to, and when it is asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

import pytest

from devices.contract.capability import Capability, Description, Kind
from devices.contract.command import Command, Evidence, Scalar
from devices.contract.errors import CommandRefusedError
from devices.contract.verbs import expected_state
from devices.ecosystems.base import (
    Announced,
    Availability,
    Delivery,
    Listen,
    Proof,
    Say,
    Sighting,
    StateReport,
    TopicFilter,
    Traits,
    Trouble,
)
from devices.link.base import Message, Publish
from gateway.dispatch.lifecycle import State
from gateway.dispatch.order import Order, Result, Written
from gateway.events import CommandEnded
from tests.gateway.dispatch.bench import Bench, bench, settle

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("virtual_time")]


class Plain:
    """Devices that hear JSON on `<id>/set` and `<id>/get` and report on `<id>`."""

    name = "plain"
    traits = Traits(keeps_ids=False, silent_on_repeat=False, one_at_a_time=True)

    def __init__(self) -> None:
        self.proof = Proof(Evidence.ECHOED)
        self.evidence = Evidence.ECHOED
        self.said: Sequence[Sighting] = ()

    def filters(self) -> Sequence[TopicFilter]:
        return [TopicFilter("plain/+")]

    def greeting(self) -> Sequence[Publish]:
        return [Publish("plain/hello", b"who is there?")]

    def decode(self, message: Message) -> Iterable[Sighting]:
        device_id = message.topic.removeprefix("plain/")
        if device_id == "say":
            return self.said
        if device_id == "hello":
            return ()
        state = json.loads(message.payload)
        return [StateReport(device_id, state, not message.retained, self.evidence)]

    def encode(self, device_id: str, command: Command) -> Delivery:
        if command.command == "turn_off":
            raise CommandRefusedError("no_words", "It cannot be switched off.")
        wanted = expected_state(command.command, command.args)
        body = json.dumps(wanted).encode()
        state = wanted if self.proof.needs > Evidence.ACCEPTED else {}
        back = [Publish(f"plain/{device_id}/get", b"") for _ in self.proof.read_back]
        proof = Proof(self.proof.needs, state, back, sleepy=self.proof.sleepy)
        return Delivery([Publish(f"plain/{device_id}/set", body)], proof)


class Yard:
    """A bench with one plain device, `gate`, and what was sent to it."""

    def __init__(self, made: Bench, plain: Plain) -> None:
        self.bench = made
        self.plain = plain
        self.sent: list[tuple[float, str]] = []

    def says(self, *, retain: bool = False, **state: Scalar) -> None:
        self.bench.publish("plain/gate", json.dumps(state).encode(), retain=retain)

    def says_after(self, delay_s: float, **state: Scalar) -> None:
        self.bench.after(delay_s, lambda: self.says(**state))

    def hear(self, message: Message) -> None:
        self.sent.append((round(self.bench.now_s, 1), message.topic.rpartition("/")[2]))

    async def order(self, command: str = "turn_on", /, **args: Scalar) -> Result:
        return await self.bench.order("gate", command, **args)

    def asked(self) -> list[float]:
        return [at for at, what in self.sent if what == "get"]


@asynccontextmanager
async def yard(
    proof: Proof | None = None, evidence: Evidence = Evidence.ECHOED
) -> AsyncIterator[Yard]:
    plain = Plain()
    plain.proof = proof or plain.proof
    plain.evidence = evidence
    async with bench(ecosystems=[plain]) as made:
        here = Yard(made, plain)
        await made.link.subscribe("plain/gate/+", here.hear)
        can = tuple(Capability(kind) for kind in (Kind.POWER, Kind.BRIGHTNESS, Kind.COVER))
        gate = Announced(Description("gate", "Gate", capabilities=can))
        made.directory.announced(gate, plain.name, plain.traits)
        made.directory.availability(Availability("gate", online=True))
        made.mark()
        yield here


READ_BACK = Proof(Evidence.REPORTED, read_back=[Publish("x", b"")])
SETTLES = Proof(Evidence.SETTLED, read_back=[Publish("x", b"")])


async def test_an_echo_confirms_where_it_is_all_there_is() -> None:
    async with yard() as here:
        here.says_after(0.1, on=True)
        result = await here.order()
        assert (result.state, result.evidence) == (State.SUCCEEDED, Evidence.ECHOED)
        assert result.device_state == {"on": True}
        assert result.attempts == 1


async def test_what_was_retained_or_said_before_confirms_nothing() -> None:
    async with yard() as here:
        here.says(on=True)
        here.says(retain=True, on=True)
        await settle()
        result = await here.order()
        assert result.state is State.TIMED_OUT
        assert result.attempts > 1


async def test_two_messages_may_make_one_answer() -> None:
    async with yard() as here:
        here.says_after(0.1, on=True)
        here.says_after(0.2, brightness=50)
        result = await here.order("turn_on", brightness=50)
        assert result.state is State.SUCCEEDED
        assert result.device_state == {"on": True, "brightness": 50}


async def test_an_echo_that_is_not_enough_is_read_back() -> None:
    async with yard(READ_BACK) as here:
        here.says_after(0.1, on=True)
        here.says_after(0.15, on=True)
        here.says_after(0.3, on=True)
        result = await here.order()
        assert (result.state, result.evidence) == (State.SUCCEEDED, Evidence.REPORTED)
        assert here.bench.now_s == pytest.approx(0.3)
        assert here.asked() == [0.2]


async def test_a_bridge_that_echoes_what_the_device_did_not_do() -> None:
    async with yard(READ_BACK) as here:
        # It echoes each attempt, and denies it each time that it is asked.
        for at_s in (0.1, 0.5, 1.3):
            here.says_after(at_s, on=True)
            here.says_after(at_s + 0.2, on=False)
        result = await here.order()
        assert (result.state, result.contradiction) == (State.FAILED, "on")
        assert result.device_state == {"on": False}


async def test_a_silent_device_is_asked_once_before_the_time_is_over() -> None:
    async with yard(READ_BACK) as here:
        result = await here.order()
        assert result.state is State.TIMED_OUT
        assert here.asked() == [2.0]


async def test_a_device_that_did_it_in_silence_is_found_out() -> None:
    async with yard(READ_BACK) as here:
        # The first answers may be late echoes of the attempts: it is asked once for each of them.
        for delay_s in (2.05, 2.2, 2.35, 2.5, 2.65):
            here.says_after(delay_s, on=True)
        assert (await here.order()).state is State.SUCCEEDED
        assert len(here.asked()) > 1


async def test_a_late_echo_is_not_taken_for_the_answer() -> None:
    async with yard(READ_BACK) as here:
        here.says_after(2.05, on=True)
        here.says_after(2.5, on=False)
        result = await here.order()
        assert (result.state, result.contradiction) == (State.FAILED, "on")


async def test_what_it_says_when_nobody_waits_any_more_is_told() -> None:
    async with yard() as here:
        here.says_after(8, on=True)
        assert (await here.order()).state is State.TIMED_OUT
        await pause(5)
        (late,) = here.bench.late
        assert late.state is State.SUCCEEDED


async def test_what_it_says_after_a_newer_command_is_about_that_one() -> None:
    async with yard() as here:
        assert (await here.order()).state is State.TIMED_OUT
        here.says_after(1, on=True)
        assert (await here.order()).state is State.SUCCEEDED
        assert here.bench.late == []


async def test_nobody_listens_for_ever_for_a_device_that_timed_out() -> None:
    async with yard() as here:
        assert (await here.order()).state is State.TIMED_OUT
        await pause(15)
        here.says(on=True)
        await settle()
        assert here.bench.late == []


async def test_a_bolt_that_the_bridge_calls_locked_late_is_asked_in_time() -> None:
    async with yard(SETTLES) as here:
        for at_s in (1.3, 2.1):
            here.says_after(at_s, position=100)
        here.says_after(2.2, position=100)
        here.says_after(2.3, position=100)
        await here.order("set_cover", position=100)
        assert here.asked()[0] == 2.0


async def test_what_has_not_begun_to_move_has_not_failed() -> None:
    async with yard(SETTLES, Evidence.REPORTED) as here:
        here.says_after(2.1, position=0)
        here.says_after(5, position=0, moving=True)
        here.says_after(9, position=100, moving=False)
        assert (await here.order("set_cover", position=100)).state is State.TIMED_OUT
        await pause(10)
        (late,) = here.bench.late
        assert late.state is State.SUCCEEDED


async def test_what_a_device_denied_is_not_told_as_the_bridge_echoes_it() -> None:
    async with yard(READ_BACK) as here:
        here.says_after(0.1, on=True)
        here.says_after(0.3, on=False)
        here.says_after(0.5, on=True)
        result = await here.order()
        assert (result.state, result.device_state) == (State.FAILED, {"on": False})


async def test_a_movement_is_pending_and_then_told() -> None:
    async with yard(SETTLES, Evidence.REPORTED) as here:
        here.says_after(0.1, position=0, moving=True)
        here.says_after(6, position=100, moving=False)
        result = await here.order("set_cover", position=100)
        assert result.state is State.IN_PROGRESS
        await pause(3)
        (late,) = here.bench.late
        assert late.state is State.SUCCEEDED


async def test_a_movement_that_jams() -> None:
    async with yard(SETTLES, Evidence.REPORTED) as here:
        here.says_after(0.1, position=10, moving=True)
        here.says_after(1, position=40, moving=False)
        result = await here.order("set_cover", position=100)
        assert (result.state, result.contradiction) == (State.FAILED, "position")


async def test_a_movement_that_goes_quiet_is_asked_about() -> None:
    async with yard(SETTLES) as here:
        for at_s, position in ((0.1, 100), (0.3, 20), (0.6, 40), (2.7, 40)):
            here.says_after(at_s, position=position)
        result = await here.order("set_cover", position=100)
        assert here.asked() == [2.6]
        assert (result.state, result.contradiction) == (State.FAILED, "position")


async def test_what_gives_no_proof_is_told_at_once() -> None:
    async with yard(Proof(Evidence.PUBLISHED)) as here:
        result = await here.order()
        assert (result.state, result.attempts) == (State.UNCONFIRMED, 1)
        assert here.bench.now_s < 0.1
        assert [e.state for e in here.bench.told(CommandEnded)] == ["unconfirmed"]


async def test_what_gives_no_proof_is_told_as_soon_as_the_broker_is_back() -> None:
    async with yard(Proof(Evidence.PUBLISHED)) as here:
        here.bench.link.full = True
        here.bench.after(0.1, lambda: setattr(here.bench.link, "full", False))
        result = await here.order()
        assert result.state is State.UNCONFIRMED
        assert here.bench.now_s == pytest.approx(0.4)


async def test_a_sleeping_device_is_pending_until_it_wakes() -> None:
    async with yard(Proof(Evidence.ECHOED, sleepy=True)) as here:
        here.says_after(500, on=True)
        result = await here.order()
        assert result.state is State.ACCEPTED
        await pause(500)
        (late,) = here.bench.late
        assert late.state is State.SUCCEEDED


async def test_trouble_ends_what_is_in_flight() -> None:
    async with yard() as here:
        here.plain.said = [Trouble("gate", "zcl", "No answer from the radio.", rejected=True)]
        here.bench.after(0.2, lambda: here.bench.publish("plain/say", b""))
        result = await here.order()
        assert result.state is State.REJECTED
        assert result.error is not None
        assert result.error.message == "No answer from the radio."


async def test_trouble_of_another_thing_ends_nothing() -> None:
    async with yard() as here:
        other = frozenset({"position"})
        here.plain.said = [Trouble("gate", "x", "x", keys=other), Trouble("lamp", "x", "x")]
        here.bench.publish("plain/say", b"")
        here.says_after(0.1, on=True)
        assert (await here.order()).state is State.SUCCEEDED


async def test_what_the_ecosystem_has_no_words_for_is_refused() -> None:
    async with yard() as here:
        result = await here.order("turn_off")
        assert result.state is State.REJECTED
        assert here.sent == []
        assert [e.state for e in here.bench.told(CommandEnded)] == ["rejected"]


async def test_a_device_that_names_no_command_gets_one_at_a_time() -> None:
    async with yard() as here:
        first = here.bench.begin("gate")
        second = here.bench.begin("gate", "set_cover", position=10)
        await settle()
        assert [what for _, what in here.sent] == ["set"]
        here.says(on=True)
        assert (await first).state is State.SUCCEEDED
        await settle()
        assert [what for _, what in here.sent] == ["set", "set"]
        here.says(position=10)
        assert (await second).state is State.SUCCEEDED


async def test_questions_and_topics_that_an_ecosystem_asks_for() -> None:
    async with yard() as here:
        heard: list[str] = []
        await here.bench.link.subscribe("ask/#", lambda message: heard.append(message.topic))
        here.plain.said = [Say(Publish("ask/gate", b"")), Listen("plain/far/away")]
        here.bench.publish("plain/say", b"")
        await settle()
        assert heard == ["ask/gate"]


async def pause(seconds: float) -> None:
    await asyncio.sleep(seconds)


@pytest.mark.parametrize(("proof", "said"), [(READ_BACK, ["get"]), (Proof(), [])])
async def test_an_earlier_command_is_looked_for_in_the_state_and_never_sent(
    proof: Proof, said: list[str]
) -> None:
    async with yard(proof) as here:
        for device_id in ("gate", "nowhere"):
            order = Order(device_id, "turn_on", {}, "call-1")
            here.bench.dispatcher.look(Written("01A", order, "plain"))
        await settle()
        assert [what for _, what in here.sent] == said
