from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from devices.contract.capability import Capability, Description, Kind
from devices.contract.command import Evidence, Scalar
from devices.ecosystems.base import Announced, Availability, StateReport, Traits
from gateway.bus import Bus
from gateway.directory import Directory
from gateway.dispatch.lifecycle import State
from gateway.dispatch.order import Order, Result, Written
from gateway.errors import JournalError
from gateway.journal.records import Heard, Sent
from gateway.journal.unfinished import Left
from gateway.outcome import Outcome, Status
from gateway.recovery import PRESENT_WITHIN_S, REMEMBERED_S, WORTH_TELLING_S, Recovery
from gateway.testing import ManualClock

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("virtual_time")]

KEEPS_IDS = Traits(keeps_ids=True, silent_on_repeat=False)
FORGETS = Traits(keeps_ids=False, silent_on_repeat=True)
DONE = Result(State.SUCCEEDED, "01A", {"on": True, "brightness": 60}, evidence=Evidence.REPORTED)


class House:
    """A recovery with a journal and devices in the hands of a test."""

    def __init__(self) -> None:
        clock = ManualClock(asyncio.get_running_loop())
        self.now = clock.wall().timestamp()
        self.clock = clock
        self.directory = Directory(clock, Bus())
        self.left: list[Left] = []
        self.broken = False
        self.states: dict[str, str] = {}
        self.became_of: dict[str, Outcome] = {}
        self.told: list[str] = []
        self.asked: list[Written] = []
        self.looked: list[Written] = []
        self.late: list[Callable[[Result], None]] = []
        self.answers: dict[str, Result] = {}
        self.takes_s = 0.0
        self.at_once = self.most_at_once = 0
        self.recovery = Recovery(self, self, self.directory, clock, self.told.append)

    # --- the journal ---

    async def unfinished(self) -> Sequence[Left]:
        if self.broken:
            raise JournalError("it is not open")
        return self.left

    def resolved(self, command_id: str, state: str) -> None:
        self.states[command_id] = state

    def became(self, run: int, call: tuple[int, str], outcome: Outcome) -> None:
        assert run == 1
        self.became_of[call[1]] = outcome

    # --- the devices ---

    async def ask(self, asked: Written, late: Callable[[Result], None]) -> Result:
        self.asked.append(asked)
        self.late.append(late)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(self.takes_s)
        self.at_once -= 1
        return self.answers.get(asked.order.device_id, DONE)

    def look(self, asked: Written) -> None:
        self.looked.append(asked)

    def device(self, device_id: str = "lamp", traits: Traits = KEEPS_IDS) -> None:
        described = Description(
            device_id, device_id.title(), capabilities=(Capability(Kind.BRIGHTNESS),)
        )
        self.directory.announced(Announced(described), "any", traits)
        self.directory.availability(Availability(device_id, True))

    def reports(self, *, live: bool, **state: Scalar) -> None:
        self.directory.reported(StateReport("lamp", state, live))

    # --- what was left ---

    def sent(self, command_id: str = "01A", **changed: Any) -> Sent:
        fields = {
            "device": "lamp",
            "ecosystem": "any",
            "command": "turn_on",
            "args": {"brightness": 60},
            "masked": False,
            "at": self.now,
            "attempts": 1,
            "state": "sent",
            "ended_at": None,
        }
        return Sent(command_id, **(fields | changed))

    def leaves(self, *commands: Sent, **changed: Any) -> None:
        fields = {
            "run": 1,
            "epoch": 2,
            "call_id": "call-1",
            "tool": "turn_on",
            "target": "everything",
            "at": self.now,
            "status": "",
            "is_told": False,
            "same_boot": True,
        }
        self.left.append(Left(**(fields | changed), commands=commands))


@pytest.fixture(name="house")
async def house_fixture() -> House:
    return House()


async def test_the_device_is_asked_about_the_very_command(house: House) -> None:
    house.device()
    house.leaves(house.sent())
    await house.recovery.run()
    order = Order("lamp", "turn_on", {"brightness": 60}, "call-1", epoch=2)
    assert house.asked == [Written("01A", order, "any")]
    assert house.states == {"01A": "succeeded"}
    assert house.became_of["call-1"].ok
    assert house.told == ["Before the gateway restarted, turn_on was called: Lamp is on at 60 %."]


@pytest.mark.parametrize(
    ("result", "state", "words"),
    [
        (Result(State.FAILED, "01A"), "failed", "Lamp failed"),
        (Result(State.REJECTED, "01A"), "rejected", "Lamp refused"),
        (Result(State.EXPIRED, "01A"), "expired", "it was not done"),
        (Result(State.TIMED_OUT, "01A"), "unknown", "I do not know whether it did it"),
        (Result(State.ACCEPTED, "01A"), "unknown", "I do not know whether it did it"),
        (
            Result(State.SUCCEEDED, "01A", {"on": False}, contradiction="on"),
            "succeeded",
            "reports otherwise",
        ),
    ],
)
async def test_what_the_device_says_is_recorded_and_told(
    house: House, result: Result, state: str, words: str
) -> None:
    house.device()
    house.answers["lamp"] = result
    house.leaves(house.sent())
    await house.recovery.run()
    assert house.states == {"01A": state}
    assert words in house.told[0]


@pytest.mark.parametrize(
    ("left", "sent"),
    [
        ({"same_boot": False}, {}),
        ({}, {"at": -REMEMBERED_S - 1}),
        ({}, {"at": 60.0}),
        ({}, {"state": "accepted"}),
        ({}, {"state": "timed_out", "evidence": (Heard(0.0, "accepted", {}, False, False),)}),
    ],
    ids=["power cut", "long ago", "clock was set back", "it had it", "it had it once"],
)
async def test_a_device_that_may_have_forgotten_does_not_prove_that_nothing_was_done(
    house: House, left: dict[str, Any], sent: dict[str, Any]
) -> None:
    house.device()
    house.answers["lamp"] = Result(State.EXPIRED, "01A")
    changed = sent | ({"at": house.now + sent["at"]} if "at" in sent else {})
    house.leaves(house.sent(**changed), **left)
    await house.recovery.run()
    assert house.states == {"01A": "unknown"}
    assert house.became_of["call-1"].ok is None


async def test_a_device_that_comes_back_later_is_waited_for(house: House) -> None:
    house.leaves(house.sent())
    running = asyncio.create_task(house.recovery.run())
    await asyncio.sleep(PRESENT_WITHIN_S - 5)
    house.device()
    house.directory.availability(Availability("lamp", False))
    await asyncio.sleep(2)
    assert house.asked == []
    house.directory.availability(Availability("lamp", True))
    await running
    assert house.states == {"01A": "succeeded"}


async def test_a_device_that_stays_away_leaves_it_unknown(house: House) -> None:
    house.leaves(house.sent())
    before = house.clock.monotonic()
    await house.recovery.run()
    assert house.clock.monotonic() - before == pytest.approx(PRESENT_WITHIN_S, abs=1)
    assert (house.asked, house.states) == ([], {"01A": "unknown"})
    assert "I do not know" in house.told[0]


async def test_a_command_with_a_secret_is_not_asked_about(house: House) -> None:
    house.device()
    house.leaves(house.sent(masked=True))
    await house.recovery.run()
    assert (house.asked, house.states) == ([], {"01A": "unknown"})


async def test_a_device_without_ids_is_believed_when_it_reports_live(house: House) -> None:
    house.device(traits=FORGETS)
    house.reports(live=False, on=True, brightness=60)
    house.leaves(house.sent())
    running = asyncio.create_task(house.recovery.run())
    await asyncio.sleep(5)
    assert house.states == {}
    house.reports(live=True, on=True, brightness=60)
    await running
    assert (house.asked, house.states) == ([], {"01A": "succeeded"})


@pytest.mark.parametrize("state", [{"on": False, "brightness": 60}, {"on": True}])
async def test_a_device_without_ids_that_reports_otherwise_proves_nothing(
    house: House, state: dict[str, Scalar]
) -> None:
    house.device(traits=FORGETS)
    house.reports(live=True, **state)
    house.leaves(house.sent())
    await house.recovery.run()
    assert house.states == {"01A": "unknown"}


async def test_a_device_without_ids_is_asked_for_its_state_once_it_is_there(house: House) -> None:
    house.leaves(house.sent())
    running = asyncio.create_task(house.recovery.run())
    await asyncio.sleep(5)
    assert house.looked == []
    house.device(traits=FORGETS)
    await asyncio.sleep(5)
    assert [asked.id for asked in house.looked] == ["01A"]
    house.reports(live=True, on=True, brightness=60)
    await running
    assert house.states == {"01A": "succeeded"}


async def test_what_the_broker_kept_of_a_device_without_ids_proves_nothing(house: House) -> None:
    house.device(traits=FORGETS)
    house.reports(live=False, on=True, brightness=60)
    house.reports(live=True, on=True, temperature=21)
    house.leaves(house.sent())
    await house.recovery.run()
    assert house.states == {"01A": "unknown"}


async def test_what_still_moves_is_waited_for(house: House) -> None:
    house.device(traits=FORGETS)
    house.reports(live=True, position=40, moving=True)
    house.leaves(house.sent(command="set_cover", args={"position": 100}))
    running = asyncio.create_task(house.recovery.run())
    await asyncio.sleep(20)
    assert house.states == {}
    house.reports(live=True, position=100, moving=False)
    await running
    assert house.states == {"01A": "succeeded"}


async def test_a_press_leaves_nothing_to_read_back(house: House) -> None:
    house.device(traits=FORGETS)
    house.reports(live=True, on=True)
    house.leaves(house.sent(command="press", args={}))
    await house.recovery.run()
    assert house.states == {"01A": "unknown"}


async def test_a_call_without_a_command_sent_nothing(house: House) -> None:
    house.leaves()
    await house.recovery.run()
    assert "nothing was sent to a device for “everything”" in house.told[0]
    assert house.became_of["call-1"].ok is False


async def test_a_group_is_told_as_one(house: House) -> None:
    house.device("lamp")
    house.device("fan")
    house.answers["fan"] = Result(State.FAILED, "01B")
    known = house.sent("01C", state="succeeded", evidence=(Heard(0.0, "succeeded", {}, 0, 0),))  # type: ignore[arg-type]
    house.leaves(house.sent("01A"), house.sent("01B", device="fan"), known)
    await house.recovery.run()
    assert house.states == {"01A": "succeeded", "01B": "failed"}
    assert "Everything: 2 of 3 done" in house.told[0]


async def test_what_was_on_record_already_is_told_as_it_is(house: House) -> None:
    said = (Heard(0.0, "succeeded", {"on": False}, late=False, duplicate=False),)
    house.leaves(house.sent(state="succeeded", evidence=said))
    await house.recovery.run()
    assert (house.asked, house.states) == ([], {})
    assert "reports otherwise" in house.told[0]


@pytest.mark.parametrize(
    ("status", "result", "told"),
    [
        ("timed_out", DONE, True),
        ("timed_out", Result(State.TIMED_OUT, "01A"), False),
        ("pending", DONE, True),
        ("pending", Result(State.TIMED_OUT, "01A"), True),
    ],
)
async def test_an_answered_call_is_told_again_when_more_is_known(
    house: House, status: str, result: Result, told: bool
) -> None:
    house.device()
    house.answers["lamp"] = result
    house.leaves(house.sent(state="timed_out"), status=status)
    await house.recovery.run()
    assert bool(house.told) is told
    assert bool(house.became_of) is told


async def test_old_calls_and_calls_of_nobody_are_settled_in_silence(house: House) -> None:
    house.device()
    house.leaves(house.sent("01A"), call_id="old", at=house.now - WORTH_TELLING_S - 1)
    house.leaves(house.sent("01B"), call_id="typed", epoch=0)
    await house.recovery.run()
    assert house.states == {"01A": "succeeded", "01B": "succeeded"}
    assert house.became_of.keys() == {"old", "typed"}
    assert house.told == []


async def test_what_a_silent_device_says_in_the_end_is_told(house: House) -> None:
    house.device()
    house.answers["lamp"] = Result(State.TIMED_OUT, "01A")
    house.leaves(house.sent())
    await house.recovery.run()
    house.late[0](DONE)
    assert "I do not know" in house.told[0]
    assert "Lamp is on at 60 %." in house.told[1]
    assert house.became_of["call-1"].ok


async def test_a_late_word_of_a_device_that_may_have_forgotten_proves_nothing(
    house: House,
) -> None:
    house.device()
    house.answers["lamp"] = Result(State.TIMED_OUT, "01A")
    house.leaves(house.sent(), same_boot=False)
    await house.recovery.run()
    house.states.clear()
    house.late[0](Result(State.EXPIRED, "01A"))
    assert house.states == {"01A": "unknown"}
    assert len(house.told) == 1


async def test_a_late_word_of_one_device_is_told_as_where_all_of_them_stand(house: House) -> None:
    house.device("lamp")
    house.device("fan")
    house.answers["lamp"] = Result(State.TIMED_OUT, "01A")
    house.answers["fan"] = Result(State.FAILED, "01B")
    house.leaves(house.sent("01A"), house.sent("01B", device="fan"))
    await house.recovery.run()
    house.late[0](DONE)
    assert house.became_of["call-1"].status is Status.PARTIAL
    assert "Everything: 1 of 2 done" in house.told[-1]


async def test_not_the_whole_house_is_asked_at_once(house: House) -> None:
    house.takes_s = 1.0
    for number in range(50):
        house.device(f"lamp-{number}")
        house.leaves(house.sent(f"01{number}", device=f"lamp-{number}"), call_id=f"c{number}")
    await house.recovery.run()
    assert len(house.asked) == 50
    assert house.most_at_once == 16


async def test_a_second_end_in_the_middle_leaves_the_rest_as_it_was(house: House) -> None:
    house.device()
    house.takes_s = 5.0
    house.leaves(house.sent())
    running = asyncio.create_task(house.recovery.run())
    await asyncio.sleep(1)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert (house.states, house.became_of, house.told) == ({}, {}, [])


async def test_a_journal_that_cannot_be_read_is_said(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house.broken = True
    await house.recovery.run()
    assert "not settled" in caplog.text
