from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, ClassVar

import pytest
from pydantic import Field

from devices.contract import codec
from devices.contract.command import Ack, AckStatus, Command, Scalar
from devices.contract.errors import CommandRefusedError
from devices.sdk.capabilities import brightness, cover, lock, power
from devices.sdk.commands import command
from devices.sdk.device import Device
from devices.sdk.runner import will

pytestmark = pytest.mark.unit

Wired = Callable[[Device], Any]
Settle = Callable[[], Awaitable[None]]


class Gadget(Device):
    """One method for each way a command can go."""

    id = "gadget"
    name = "Gadget"
    capabilities = (power(), brightness(), cover(), lock())
    initial: ClassVar[dict[str, Scalar]] = {"on": False}

    def __init__(self) -> None:
        super().__init__()
        self.did: list[str] = []
        self.go = asyncio.Event()

    @command
    def turn_on(self, brightness: int = 100) -> dict[str, Scalar]:
        self.did.append("turn_on")
        self.report(on=True)
        return {"brightness": brightness}

    @command
    async def turn_off(self) -> dict[str, Scalar]:
        self.did.append("turn_off")
        return {"on": False}

    @command(slow=True)
    async def set_cover(self, position: int) -> dict[str, Scalar]:
        await self.progress(10, position=1, moving=True)
        await self.go.wait()
        return {"position": position, "moving": False}

    @command
    def stop(self) -> None:
        self.did.append("stop")
        self.go.set()

    @command(queued=True)
    async def lock(self) -> dict[str, Scalar]:
        self.did.append("lock")
        await self.go.wait()
        return {"locked": True}

    @command(queued=True)
    async def unlock(self) -> dict[str, Scalar]:
        self.did.append("unlock")
        return {"locked": False}

    @command
    def refuse(self, effect: bool) -> None:
        """Refuse."""
        raise CommandRefusedError("jammed", "It is stuck.", effect=effect)

    @command
    def crash(self) -> None:
        """Have a bug."""
        raise ZeroDivisionError("secret detail")

    @command
    def answer_nonsense(self) -> int:
        """Return what is no state."""
        return 42

    @command
    def spoil(self) -> dict[str, Scalar]:
        """Return a state that cannot be sent."""
        return {"level": float("nan")}

    @command
    async def cancel_itself(self) -> None:
        """Be cancelled from inside."""
        raise asyncio.CancelledError

    @command
    async def brew(self, cups: Annotated[int, Field(ge=1)]) -> None:
        """Go on talking after the end."""
        task = asyncio.create_task(self._talk_later(), name="talk")
        self.did.append(task.get_name())

    async def _talk_later(self) -> None:
        await self.go.wait()
        await self.progress(99)


def a_command(command_id: str, name: str, **args: Scalar) -> Command:
    return Command(command_id, name, args, 3000)


def words(acks: list[Ack]) -> list[str]:
    return [ack.status.value for ack in acks]


async def test_a_plain_command_is_answered_before_receive_returns(wired: Wired) -> None:
    wire = wired(Gadget())
    wire.receive(codec.encode_command(a_command("c1", "turn_on", brightness=60)))
    assert wire.acks == [Ack("c1", AckStatus.SUCCEEDED, {"on": True, "brightness": 60})]


async def test_the_answer_comes_before_the_state_even_when_the_device_reports_itself(
    wired: Wired,
) -> None:
    wire = wired(Gadget())
    await wire.command("turn_on")
    assert wire.leaves == ["ack", "state"]
    assert wire.states == [{"on": True, "brightness": 100}]


async def test_acks_are_fleeting_and_states_are_kept(wired: Wired) -> None:
    wire = wired(Gadget())
    await wire.command("turn_on")
    ack, state = wire.sent
    assert (ack.topic, ack.qos, ack.retain) == ("home/gadget/ack", 0, False)
    assert (state.topic, state.qos, state.retain) == ("home/gadget/state", 1, True)


async def test_an_async_command_succeeds(wired: Wired) -> None:
    wire = wired(Gadget())
    assert words(await wire.command("turn_off")) == ["succeeded"]


async def test_a_slow_command_is_accepted_at_once_then_reports_then_ends(wired: Wired) -> None:
    gadget = Gadget()
    wire = wired(gadget)
    acks = await wire.command("set_cover", position=40)
    assert words(acks) == ["accepted", "in_progress"]
    assert acks[1].percent == 10
    assert acks[1].state == {"on": False, "position": 1, "moving": True}
    await wire.command("stop")
    last = wire.acks_of("c1")[-1]
    assert last.status is AckStatus.SUCCEEDED
    assert last.state["position"] == 40


async def test_a_repeat_of_a_running_command_hears_the_latest_word_and_runs_once(
    wired: Wired,
) -> None:
    gadget = Gadget()
    wire = wired(gadget)
    for _ in range(3):
        await wire.give(a_command("c1", "set_cover", position=40))
    assert words(wire.acks_of("c1")) == ["accepted", "in_progress", "in_progress", "in_progress"]


async def test_a_repeat_of_a_finished_command_hears_the_same_and_nothing_happens(
    wired: Wired,
) -> None:
    gadget = Gadget()
    wire = wired(gadget)
    for _ in range(3):
        await wire.give(a_command("c1", "turn_on"))
    assert gadget.did == ["turn_on"]
    assert len(wire.acks_of("c1")) == 3
    assert len(set(words(wire.acks))) == 1
    assert len(wire.states) == 1


async def test_a_reused_id_does_not_spoil_the_memory_of_the_first(wired: Wired) -> None:
    gadget = Gadget()
    wire = wired(gadget)
    await wire.give(a_command("c1", "turn_on"))
    await wire.give(a_command("c1", "turn_off"))
    await wire.give(a_command("c1", "turn_on"))
    assert words(wire.acks) == ["succeeded", "rejected", "succeeded"]
    assert gadget.did == ["turn_on"]


@pytest.mark.parametrize(("effect", "status"), [(True, "failed"), (False, "rejected")])
async def test_a_refusal_says_whether_something_may_have_happened(
    wired: Wired, effect: bool, status: str
) -> None:
    wire = wired(Gadget())
    (ack,) = await wire.command("refuse", effect=effect)
    assert ack.status.value == status
    assert ack.error is not None
    assert (ack.error.code, ack.error.message) == ("jammed", "It is stuck.")
    assert ack.state == ({"on": False} if effect else {})


@pytest.mark.parametrize("name", ["crash", "answer_nonsense", "spoil"])
async def test_a_bug_in_the_device_is_logged_and_not_told(
    wired: Wired, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    wire = wired(Gadget())
    (ack,) = await wire.command(name)
    assert ack.status is AckStatus.FAILED
    assert ack.error is not None
    assert (ack.error.code, ack.error.message) == ("internal", "Gadget failed.")
    assert f"gadget failed at {name}" in caplog.text
    assert all(b"secret" not in message.payload for message in wire.sent)


async def test_a_cancelled_command_still_gets_its_answer(wired: Wired) -> None:
    wire = wired(Gadget())
    (ack,) = await wire.command("cancel_itself")
    assert ack.status is AckStatus.FAILED
    assert ack.error is not None
    assert ack.error.code == "interrupted"


@pytest.mark.parametrize("started", [True, False])
async def test_closing_answers_what_still_runs(wired: Wired, settle: Settle, started: bool) -> None:
    wire = wired(Gadget())
    wire.receive(codec.encode_command(a_command("c1", "set_cover", position=40)))
    if started:
        await settle()
    await wire.runner.close()
    assert words(wire.acks)[-1] == "failed"
    assert words(wire.acks).count("failed") == 1


async def test_progress_after_the_end_is_not_told(wired: Wired, settle: Settle) -> None:
    gadget = Gadget()
    wire = wired(gadget)
    assert words(await wire.command("brew", cups=1)) == ["succeeded"]
    gadget.go.set()
    await settle()
    assert words(wire.acks) == ["succeeded"]


async def test_queued_commands_take_turns(wired: Wired, settle: Settle) -> None:
    gadget = Gadget()
    wire = wired(gadget)
    assert words(await wire.command("lock")) == []
    assert words(await wire.command("unlock")) == ["accepted"]
    assert gadget.did == ["lock"]
    gadget.go.set()
    await settle()
    assert gadget.did == ["lock", "unlock"]
    assert words(wire.acks_of("c2")) == ["accepted", "succeeded"]


async def test_a_command_that_waits_too_long_for_its_turn_expires(
    wired: Wired, settle: Settle
) -> None:
    gadget = Gadget()
    wire = wired(gadget)
    await wire.command("lock")
    await wire.command("unlock")
    wire.now_s = 3.0
    gadget.go.set()
    await settle()
    assert words(wire.acks_of("c1")) == ["succeeded"]
    assert words(wire.acks_of("c2")) == ["accepted", "expired"]
    assert gadget.did == ["lock"]


async def test_stop_gets_through_while_the_device_is_full(wired: Wired, settle: Settle) -> None:
    gadget = Gadget()
    wire = wired(gadget)
    for _ in range(16):
        await wire.command("set_cover", position=40)
    (busy,) = await wire.command("turn_on")
    assert busy.error is not None
    assert busy.error.code == "busy"
    assert words(await wire.command("stop")) == ["succeeded"]
    assert words(await wire.command("turn_on")) == ["succeeded"]


async def test_an_announcement_is_retained_and_in_order(wired: Wired) -> None:
    gadget = Gadget()
    wire = wired(gadget)
    wire.runner.announce()
    assert wire.leaves == ["description", "availability", "state"]
    assert all(message.retain and message.qos == 1 for message in wire.sent)
    assert codec.decode_description(wire.sent[0].payload) == gadget.description
    assert wire.sent[1].payload == b"online"


async def test_the_will_and_the_farewell_say_offline(wired: Wired) -> None:
    gadget = Gadget()
    wire = wired(gadget)
    wire.runner.leave()
    assert wire.sent == [will(gadget)]
    assert wire.sent[0].payload == b"offline"
    assert will(gadget, "house/east").topic == "house/east/gadget/availability"


async def test_an_answer_that_could_not_be_sent_comes_with_the_next_connection(
    wired: Wired,
) -> None:
    gadget = Gadget()
    wire = wired(gadget)
    await wire.command("set_cover", position=40)
    wire.up = False
    await wire.command("stop")
    assert words(wire.acks_of("c1")) == ["accepted", "in_progress"]
    wire.up = True
    wire.runner.announce()
    assert words(wire.acks_of("c1")) == ["accepted", "in_progress", "succeeded"]
    assert words(wire.acks_of("c2")) == ["succeeded"]
    assert wire.leaves[-1] == "state"
    wire.runner.announce()
    assert len(wire.acks_of("c1")) == 3


async def test_answers_that_cannot_be_sent_are_bounded(wired: Wired) -> None:
    wire = wired(Gadget())
    wire.up = False
    for number in range(300):
        wire.receive(codec.encode_command(a_command(f"c{number}", "turn_on")))
    wire.up = True
    wire.runner.announce()
    assert [ack.id for ack in wire.acks] == [f"c{number}" for number in range(44, 300)]


async def test_a_retained_command_and_garbage_are_logged(
    wired: Wired, caplog: pytest.LogCaptureFixture
) -> None:
    gadget = Gadget()
    wire = wired(gadget)
    wire.receive(codec.encode_command(a_command("c1", "turn_on")), retained=True)
    wire.receive(b"\xff")
    wire.receive(json.dumps({"id": "c2", "command": []}).encode())
    assert gadget.did == []
    assert [(ack.id, ack.status.value) for ack in wire.acks] == [("c2", "rejected")]
    assert "gadget ignores a message: a retained command" in caplog.text
    assert caplog.text.count("ignores") == 2


async def test_what_a_device_does_by_itself_is_told(wired: Wired, settle: Settle) -> None:
    class Thermometer(Gadget):
        async def work(self) -> None:
            self.report(temperature=21.5)

    wire = wired(Thermometer())
    await settle()
    assert wire.states == [{"on": False, "temperature": 21.5}]


async def test_a_bug_in_that_is_logged_and_commands_go_on(
    wired: Wired, settle: Settle, caplog: pytest.LogCaptureFixture
) -> None:
    class Sick(Gadget):
        async def work(self) -> None:
            raise ZeroDivisionError

    wire = wired(Sick())
    await settle()
    assert "task gadget.work failed" in caplog.text
    assert words(await wire.command("turn_on")) == ["succeeded"]
