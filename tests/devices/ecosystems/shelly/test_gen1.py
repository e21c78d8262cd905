from __future__ import annotations

from typing import Any

import pytest

from devices.contract.capability import Kind
from devices.contract.command import Command, Evidence
from devices.contract.errors import CommandRefusedError
from devices.ecosystems.base import (
    Announced,
    Availability,
    Listen,
    Malformed,
    Removed,
    Say,
    StateReport,
    Trouble,
)
from devices.ecosystems.shelly.adapter import Shelly
from devices.ecosystems.shelly.gen1 import MAX_BOXES
from tests.devices.ecosystems.transcripts import heard, message, messages

pytestmark = pytest.mark.unit

RECORDED = messages("shelly/gen1-2026-11-24-1.14.jsonl")
ROLLER, DIMMER, CLIMATE = "shelly-a0b1c2b929cc", "shelly-a0b1c2000001", "shelly-a0b1c2c0ffee"
PLUG = "shelly-a0b1c2d3e4f7"


def announcement(**changes: Any) -> Any:
    told = {"id": "plug", "model": "SHPLG-S", "mac": "A0B1C2D3E4F7"} | changes
    return message("shellies/announce", told)


def known(**changes: Any) -> Shelly:
    shelly = Shelly("gw")
    heard(shelly, [announcement(**changes)])
    return shelly


def sent(shelly: Shelly, device_id: str, verb: str, /, **args: Any) -> Any:
    return shelly.encode(device_id, Command("c1", verb, args, 1500))


def test_the_recorded_devices() -> None:
    sightings = heard(Shelly("gw"), RECORDED)
    announced = {s.description.id: s.description for s in sightings if isinstance(s, Announced)}
    assert {i: d.name for i, d in announced.items()} == {
        ROLLER: "shellyswitch25 B929CC",
        DIMMER: "landing dimmer",
        CLIMATE: "shellyht C0FFEE",
    }
    measured = [(c.name, c.unit) for c in announced[CLIMATE].of_kind(Kind.SENSOR)]
    assert measured == [("temperature", "°C"), ("humidity", "%"), ("battery", "%")]
    # The sensor sleeps: that it went says nothing.
    gone = [s.device_id for s in sightings if isinstance(s, Availability) and not s.online]
    assert gone == [DIMMER]
    assert Listen("shellies/landing-dimmer/light/#") in sightings


def test_the_recorded_roller() -> None:
    reports = [s for s in heard(Shelly("gw"), RECORDED) if isinstance(s, StateReport)]
    roller = [r.state for r in reports if r.device_id == ROLLER and "moving" in r.state]
    assert roller == [
        {"moving": False, "position": 0},
        {"moving": True},
        {"moving": True, "position": 48},
        {"moving": False, "position": 100},
    ]


def test_a_relay_is_told_and_asked() -> None:
    delivery = sent(known(), PLUG, "turn_on")
    (order,) = delivery.messages
    assert (order.topic, order.payload) == ("shellies/plug/relay/0/command", b"on")
    assert (order.retain, order.expiry_s) == (False, 2)
    (question,) = delivery.proof.read_back
    assert (question.topic, question.payload) == ("shellies/plug/command", b"update")
    # What it says by itself may be an echo.
    (report,) = known().decode(message("shellies/plug/relay/0", "on"))
    assert isinstance(report, StateReport)
    assert report.evidence is Evidence.ECHOED < delivery.proof.needs


def test_what_was_retained_is_the_past() -> None:
    (report,) = known().decode(message("shellies/plug/relay/0", "overpower", retained=True))
    assert isinstance(report, StateReport)
    assert not report.live
    assert heard(Shelly("gw"), [message("shellies/announce", {"id": "x"}, retained=True)]) == []


def test_too_much_power() -> None:
    trouble, report = known().decode(message("shellies/plug/relay/0", "overpower"))
    assert isinstance(trouble, Trouble)
    assert report == StateReport(PLUG, {"on": False}, live=True, evidence=Evidence.ECHOED)


def test_two_relays_are_two_devices_until_they_drive_a_roller() -> None:
    shelly = known(model="SHSW-25", mode="relay")
    sightings = heard(shelly, [announcement(model="SHSW-25", mode="roller")])
    gone = {s.device_id for s in sightings if isinstance(s, Removed)}
    assert gone == {f"{PLUG}-relay-0", f"{PLUG}-relay-1"}
    assert Listen("shellies/plug/relay/#", wanted=False) in sightings
    assert [s.description.id for s in sightings if isinstance(s, Announced)] == [PLUG]


def test_a_device_that_was_renamed_is_found_and_told_at_its_new_topic_only() -> None:
    shelly = known()
    sightings = heard(shelly, [announcement(id="toaster")])
    assert not [s for s in sightings if isinstance(s, Removed)]
    assert Listen("shellies/plug/relay/#", wanted=False) in sightings
    assert sent(shelly, PLUG, "turn_on").messages[0].topic == "shellies/toaster/relay/0/command"
    # What the broker still holds of its old name is not its word, nor is its old will.
    old = [message("shellies/plug/relay/0", "on"), message("shellies/plug/online", "false")]
    assert heard(shelly, old) == []


def test_one_that_comes_back_is_asked_for_its_state() -> None:
    shelly = known()
    (gone,) = shelly.decode(message("shellies/plug/online", "false"))
    assert gone == Availability(PLUG, online=False)
    back, question, who = shelly.decode(message("shellies/plug/online", "true"))
    assert back == Availability(PLUG, online=True)
    assert isinstance(question, Say)
    assert isinstance(who, Say)
    assert [question.message.payload, who.message.payload] == [b"update", b"announce"]


def test_a_roller_without_positions_opens_and_closes() -> None:
    shelly = known(model="SHSW-25", mode="roller")
    heard(shelly, [message("shellies/plug/roller/0/pos", "-1")])
    delivery = sent(shelly, PLUG, "set_cover", position=100)
    assert (delivery.messages[0].payload, delivery.proof.needs) == (b"open", Evidence.PUBLISHED)
    with pytest.raises(CommandRefusedError, match="not calibrated"):
        sent(shelly, PLUG, "set_cover", position=50)
    assert sent(shelly, PLUG, "stop").proof.state == {"moving": False}


@pytest.mark.parametrize(
    "changes",
    [{"model": "SHNEW-9"}, {"mac": "x"}, {"id": "a/b"}, {"id": "+"}, {"id": "x" * 99}],
)
def test_announcements_that_say_too_little_or_too_much(changes: dict[str, Any]) -> None:
    (refused,) = Shelly("gw").decode(announcement(**changes))
    assert isinstance(refused, Malformed)


def test_sensors_have_a_bound() -> None:
    shelly = known()
    names = [f"a{'b' * n}" for n in range(30)]
    heard(shelly, [message(f"shellies/plug/sensor/{name}", "1") for name in names])
    sightings = heard(shelly, [message("shellies/plug/sensor/zz", "1")])
    assert sightings == []


def test_devices_that_somebody_makes_up_have_a_bound() -> None:
    shelly = Shelly("gw")
    for number in range(MAX_BOXES):
        heard(shelly, [announcement(id=f"plug{number}", mac=f"{number:012x}")])
    (refused,) = shelly.decode(announcement(id="one-more", mac="ffffffffffff"))
    assert isinstance(refused, Malformed)
    # Those that are known go on.
    assert sent(shelly, "shelly-000000000007", "turn_on").messages
