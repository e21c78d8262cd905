from __future__ import annotations

import json
from typing import Any

import pytest

from devices.contract.capability import Kind, Risk
from devices.contract.command import AckStatus, Command, Evidence
from devices.contract.errors import CommandRefusedError
from devices.ecosystems.base import (
    Acknowledged,
    Announced,
    Availability,
    Malformed,
    Removed,
    Say,
    StateReport,
    Trouble,
)
from devices.ecosystems.shelly.adapter import Shelly
from devices.ecosystems.shelly.gen2 import MAX_BOXES
from devices.link.base import Message, Publish
from tests.devices.ecosystems.transcripts import heard, message, messages

pytestmark = pytest.mark.unit

RECORDED = messages("shelly/plus2pm-2026-11-24-1.4.jsonl")
BOX = "shelly-a0b1c2d3e4f5"
LIGHT, SECOND, READINGS = f"{BOX}-switch-0", f"{BOX}-switch-1", f"{BOX}-readings-0"
SWITCH = {"id": 0, "output": False}
COVER = {"id": 0, "state": "stopped", "current_pos": 30, "pos_control": True}


class Device:
    """A device that an adapter knows, spoken for by the test."""

    def __init__(self, **status: Any) -> None:
        self.shelly = Shelly("gw")
        self.told: list[Any] = heard(self.shelly, [message("a/b/online", "true")])
        self.said({"mac": "A0B1C2D3E4F5", "app": "Sim"})
        self.said({"sys": {"device": {"name": "Hall"}}})
        self.said({key.replace("_", ":", 1): value for key, value in status.items()})

    def said(self, result: Any = None, *, error: int | None = None, to: int = -1) -> list[Any]:
        """It answers its last question, or the one `to`."""
        asked = [s.message for s in self.told if isinstance(s, Say)]
        return self.answers(asked[to], result, error=error)

    def answers(
        self, question: Publish, result: Any = None, *, error: int | None = None, src: str = "s"
    ) -> list[Any]:
        number = json.loads(question.payload)["id"]
        frame: dict[str, Any] = {"id": number, "src": src, "dst": "gw", "result": result}
        if error is not None:
            frame = {"id": number, "src": src, "error": {"code": error, "message": "\x1bno"}}
        return self.hears(message("gw/rpc", frame))

    def notifies(self, retained: bool = False, method: str = "NotifyStatus", **news: Any) -> Any:
        params = {key.replace("_", ":", 1): value for key, value in news.items()}
        frame = {"src": "s", "dst": "a/b/events", "method": method, "params": params}
        return self.hears(message("a/b/events/rpc", frame, retained=retained))

    def hears(self, given: Message) -> list[Any]:
        found = heard(self.shelly, [given])
        self.told += found
        return found

    def ordered(self, command: str, /, **args: Any) -> Any:
        return self.shelly.encode(BOX, Command("c1", command, args, 1500))


def test_the_recorded_box() -> None:
    sightings = heard(Shelly("gw"), RECORDED)
    announced = {s.description.id: s.description for s in sightings if isinstance(s, Announced)}
    assert {i: d.name for i, d in announced.items()} == {
        LIGHT: "Cellar light",
        SECOND: "Cellar box 2",
        READINGS: "Cellar box",
    }
    measured = {(c.name, c.unit) for c in announced[READINGS].of_kind(Kind.SENSOR)}
    assert measured == {("cellar window", None), ("freezer temperature", "°C")}
    presence = [s.online for s in sightings if isinstance(s, Availability) if s.device_id == LIGHT]
    assert presence == [True, False]
    methods = [json.loads(s.message.payload)["method"] for s in sightings if isinstance(s, Say)]
    assert methods == [
        "Shelly.GetDeviceInfo",
        "Shelly.GetConfig",
        "Shelly.GetStatus",
        "Shelly.GetConfig",
    ]


def test_the_recorded_states() -> None:
    reports = [s for s in heard(Shelly("gw"), RECORDED) if isinstance(s, StateReport)]
    assert all(r.live and r.evidence is Evidence.REPORTED for r in reports)
    lit = [r.state["on"] for r in reports if r.device_id == LIGHT]
    assert lit == [False, True]
    frozen = [r.state["freezer temperature"] for r in reports if r.device_id == READINGS]
    assert frozen == [-18.2, -17.9]


def test_what_was_retained_is_the_past() -> None:
    device = Device(switch_0=SWITCH)
    (report,) = device.notifies(retained=True, switch_0={"output": True, "errors": ["overtemp"]})
    assert isinstance(report, StateReport)
    assert not report.live
    order = device.ordered("turn_on").messages[0]
    number = json.loads(order.payload)["id"]
    answer = {"id": number, "src": "s", "error": {"code": -103}}
    assert heard(device.shelly, [message("gw/rpc", answer, retained=True)]) == []


def test_nothing_is_retained_and_everything_expires() -> None:
    delivery = Device(switch_0=SWITCH).ordered("turn_on")
    assert [(m.topic, m.retain, m.expiry_s) for m in delivery.messages] == [
        ("a/b/rpc", False, 2),
        ("a/b/rpc", False, 2),
    ]


def test_a_relay_is_switched_and_asked() -> None:
    device = Device(switch_0=SWITCH)
    delivery = device.ordered("turn_on")
    order, question = (json.loads(m.payload) for m in delivery.messages)
    assert (order["method"], order["params"]) == ("Switch.Set", {"id": 0, "on": True})
    assert (question["method"], question["params"]) == ("Switch.GetStatus", {"id": 0})
    assert order["src"] == question["src"] == "gw"
    assert delivery.proof.state == {"on": True}
    assert delivery.proof.needs is Evidence.REPORTED
    assert device.answers(delivery.messages[0], {"was_on": False}) == []
    (report,) = device.answers(delivery.messages[1], SWITCH | {"output": True})
    assert report == StateReport(BOX, {"on": True}, live=True)


def test_a_relay_that_says_yes_and_does_nothing() -> None:
    device = Device(switch_0=SWITCH)
    order, question = device.ordered("turn_on").messages
    device.answers(order, {"was_on": False})
    report, failed = device.answers(question, SWITCH)
    assert report.state == {"on": False}
    assert isinstance(failed, Acknowledged)
    assert (failed.ack.id, failed.ack.status) == ("c1", AckStatus.FAILED)


def test_a_state_without_the_answer_to_the_command_ends_nothing() -> None:
    device = Device(switch_0=SWITCH)
    _, question = device.ordered("turn_on").messages
    (report,) = device.answers(question, SWITCH)
    assert isinstance(report, StateReport)


@pytest.mark.parametrize(
    ("code", "status", "word"),
    [
        (-103, AckStatus.REJECTED, "invalid_arguments"),
        (-104, AckStatus.FAILED, "too_late"),
        (-109, AckStatus.REJECTED, "not_possible_now"),
        (-1, AckStatus.REJECTED, "refused"),
    ],
)
def test_a_command_that_is_refused(code: int, status: AckStatus, word: str) -> None:
    device = Device(switch_0=SWITCH)
    order, question = device.ordered("turn_on").messages
    (refused,) = device.answers(order, error=code)
    assert (refused.device_id, refused.ack.id, refused.ack.status) == (BOX, "c1", status)
    assert refused.ack.error is not None
    assert refused.ack.error.code == word
    assert "\x1b" not in refused.ack.error.message
    # What came of it does not matter any more.
    assert device.answers(question, SWITCH) == []


def test_an_answer_counts_once_and_only_from_who_was_asked() -> None:
    device = Device(switch_0=SWITCH)
    order, _ = device.ordered("turn_on").messages
    (refused,) = device.answers(order, error=-103, src="burglar")
    assert isinstance(refused, Malformed)
    assert len(device.answers(order, error=-103)) == 1
    assert device.answers(order, error=-103) == []


def test_a_cover_accepts_moves_and_settles() -> None:
    device = Device(cover_0=COVER)
    delivery = device.ordered("set_cover", position=60)
    order = json.loads(delivery.messages[0].payload)
    assert (order["method"], order["params"]) == ("Cover.GoToPosition", {"id": 0, "pos": 60})
    assert delivery.proof.needs is Evidence.SETTLED
    (accepted,) = device.answers(delivery.messages[0])
    assert accepted.ack.status is AckStatus.ACCEPTED
    (moving,) = device.notifies(cover_0={"id": 0, "state": "opening", "source": "MQTT"})
    assert moving.state == {"moving": True}
    (there,) = device.notifies(cover_0={"id": 0, "state": "stopped", "current_pos": 60})
    assert there.state == {"moving": False, "position": 60}


def test_a_cover_that_stops_without_saying_where_is_asked() -> None:
    device = Device(cover_0=COVER)
    (question,) = device.notifies(cover_0={"id": 0, "state": "stopped"})
    assert json.loads(question.message.payload)["method"] == "Cover.GetStatus"
    for _ in range(2):  # the same question may be sent again
        (report,) = device.answers(question.message, COVER)
        assert report.state == {"moving": False, "position": 30}


def test_the_end_of_the_way_is_a_position() -> None:
    device = Device(cover_0=COVER)
    (report,) = device.notifies(cover_0={"id": 0, "state": "closed"})
    assert report.state == {"moving": False, "position": 0}


def test_a_cover_that_is_blocked() -> None:
    device = Device(cover_0=COVER)
    trouble, report = device.notifies(
        cover_0={"state": "stopped", "current_pos": 45, "errors": ["obstruction"]}
    )
    assert isinstance(trouble, Trouble)
    assert (trouble.code, trouble.rejected) == ("obstruction", False)
    assert report.state["position"] == 45


def test_a_fault_that_is_only_remembered_ends_nothing() -> None:
    device = Device(cover_0=COVER)
    question = device.ordered("stop").proof.read_back[0]
    (report,) = device.answers(question, COVER | {"errors": ["obstruction"]})
    assert isinstance(report, StateReport)


def test_a_cover_that_is_calibrated_is_looked_at_again() -> None:
    device = Device(cover_0=COVER | {"pos_control": False, "current_pos": None})
    with pytest.raises(CommandRefusedError, match="not calibrated"):
        device.ordered("set_cover", position=50)
    device.notifies(cover_0={"pos_control": True})
    device.said({"sys": {"device": {"name": "Hall"}}})
    device.said({"cover:0": COVER})
    assert device.ordered("set_cover", position=50).proof.state == {"position": 50}


def test_another_profile_is_other_devices() -> None:
    device = Device(switch_0=SWITCH, switch_1=SWITCH | {"id": 1})
    device.notifies(sys={"cfg_rev": 8})
    device.said({"sys": {"device": {"name": "Hall"}}})
    sightings = device.said({"cover:0": COVER})
    assert {s.device_id for s in sightings if isinstance(s, Removed)} == {LIGHT, SECOND}
    assert [s.description.id for s in sightings if isinstance(s, Announced)] == [BOX]


def test_a_part_that_becomes_another_is_asked_as_such() -> None:
    device = Device(light_0={"output": True, "brightness": 5})
    device.notifies(sys={"cfg_rev": 8})
    device.said({})
    sightings = device.said({"rgb:0": {"output": True, "brightness": 5, "rgb": [1, 2, 3]}})
    assert not [s for s in sightings if isinstance(s, Removed)]
    asking = device.ordered("turn_on").proof.read_back[0]
    assert json.loads(asking.payload)["method"] == "RGB.GetStatus"


def test_a_new_name() -> None:
    device = Device(switch_0=SWITCH)
    device.notifies(sys={"cfg_rev": 8})
    device.said({"switch:0": {"name": "\x00Garage door\u202e"}})
    (announced,) = [s for s in device.said({"switch:0": SWITCH}) if isinstance(s, Announced)]
    assert announced.description.name == "Garage door"
    assert announced.description.capabilities[0].risk is Risk.GUARDED


def test_a_device_that_moves_to_another_prefix() -> None:
    device = Device(switch_0=SWITCH)
    (question,) = heard(device.shelly, [message("new/online", "true")])
    sightings = device.answers(question.message, {"mac": "A0B1C2D3E4F5"})
    assert [s.device_id for s in sightings if isinstance(s, Removed)] == [BOX]
    device.said({})
    device.said({"switch:0": SWITCH})
    assert device.ordered("turn_on").messages[0].topic == "new/rpc"
    (question,) = device.hears(message("a/b/online", "true"))
    assert json.loads(question.message.payload)["method"] == "Shelly.GetDeviceInfo"


def test_a_device_that_takes_the_place_of_another() -> None:
    device = Device(switch_0=SWITCH)
    (question,) = heard(
        device.shelly, [message("a/b/events/rpc", {"src": "t", "method": "NotifyStatus"})]
    )
    sightings = device.answers(question.message, {"mac": "A0B1C2000000"}, src="t")
    assert [s.device_id for s in sightings if isinstance(s, Removed)] == [BOX]


def test_one_that_goes_and_comes_is_asked_again() -> None:
    device = Device(switch_0=SWITCH)
    (gone,) = device.hears(message("a/b/online", "false"))
    assert gone == Availability(BOX, online=False)
    back, question = device.hears(message("a/b/online", "true"))
    assert back == Availability(BOX, online=True)
    assert json.loads(question.message.payload)["method"] == "Shelly.GetConfig"


def test_one_that_sleeps_is_never_gone() -> None:
    device = Device(temperature_0={"tC": 20}, sys={"wakeup_period": 7200})
    assert device.hears(message("a/b/online", "false")) == []


def test_one_that_wakes_tells_everything_at_once() -> None:
    device = Device(temperature_0={"tC": 20})
    sightings = device.notifies(method="NotifyFullStatus", temperature_0={"tC": 21.5})
    assert StateReport(BOX, {"temperature": 21.5}, live=True) in sightings


def test_questions_that_were_lost_are_asked_when_it_is_heard_of() -> None:
    shelly = Shelly("gw")
    event = message("a/events/rpc", {"src": "s", "method": "NotifyStatus", "params": {}})
    for _ in range(2):
        (question,) = heard(shelly, [event])
    frame = {"id": json.loads(question.message.payload)["id"], "src": "s"}
    heard(shelly, [message("gw/rpc", frame | {"result": {"mac": "A0B1C2D3E4F5"}})])
    (question,) = heard(shelly, [event])
    assert json.loads(question.message.payload)["method"] == "Shelly.GetConfig"


def test_a_device_without_a_mac_is_none() -> None:
    shelly = Shelly("gw")
    heard(shelly, [message("a/online", "true")])
    (refused,) = heard(shelly, [message("gw/rpc", {"id": 1, "src": "s", "result": {}})])
    assert isinstance(refused, Malformed)


def test_readings_are_not_commanded() -> None:
    device = Device(temperature_0={"tC": 20})
    with pytest.raises(CommandRefusedError, match="cannot do turn on"):
        device.ordered("turn_on")


def test_devices_that_somebody_makes_up_have_a_bound() -> None:
    device = Device(switch_0=SWITCH)
    for number in range(MAX_BOXES):
        (question,) = heard(device.shelly, [message(f"x{number}/online", "true")])
        last = device.answers(question.message, {"mac": f"{number:012x}"})
    assert isinstance(last[-1], Malformed)
    assert device.ordered("turn_on").messages
