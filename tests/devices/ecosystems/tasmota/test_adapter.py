from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.contract.capability import Kind, Risk
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
from devices.ecosystems.tasmota.adapter import Tasmota
from devices.link.base import Message
from tests.devices.ecosystems.transcripts import heard, message, messages

pytestmark = pytest.mark.unit

RECORDED = messages("tasmota/2026-11-24-firmware-14.2.jsonl")
CONFIG: dict[str, Any] = json.loads(RECORDED[0].payload)
PLUG = "tasmota-a0b1c2d3e4f5-switch-1"
STRIP = "tasmota-a0b1c2d3e4f5-light-2"
BLIND = "tasmota-a0b1c2d3e4f5-shutter-1"


def config(**changes: Any) -> Message:
    return message("tasmota/discovery/A0B1C2D3E4F5/config", CONFIG | changes, retained=True)


def known(**changes: Any) -> Tasmota:
    tasmota = Tasmota()
    heard(tasmota, [config(**changes)])
    return tasmota


def sent(tasmota: Tasmota, device_id: str, command: str, /, **args: Any) -> list[tuple[str, str]]:
    delivery = tasmota.encode(device_id, Command("c1", command, args, 3000))
    return [(m.topic.rpartition("/")[2], m.payload.decode()) for m in delivery.messages]


def test_the_recorded_box() -> None:
    sightings = heard(Tasmota(), RECORDED)
    announced = {s.description.id: s for s in sightings if isinstance(s, Announced)}
    names = {device_id: s.description.name for device_id, s in announced.items()}
    assert names == {PLUG: "Hall plug", STRIP: "Hall strip", BLIND: "Hall blind"}
    kinds = {c.kind for c in announced[STRIP].description.capabilities}
    assert kinds == {Kind.POWER, Kind.BRIGHTNESS, Kind.COLOR, Kind.COLOR_TEMPERATURE}
    sensors = announced[PLUG].description.of_kind(Kind.SENSOR)
    assert {(c.name, c.unit) for c in sensors} >= {("temperature", "°C"), ("power", "W")}
    assert Listen("stat/tasmota_D3E4F5/+") in sightings
    presence = [s for s in sightings if isinstance(s, Availability) and s.device_id == PLUG]
    assert [s.online for s in presence] == [True, False]
    assert [s.message.topic for s in sightings if isinstance(s, Say)] == [
        "cmnd/tasmota_D3E4F5/Status"
    ] * 2


def test_the_recorded_states() -> None:
    reports = [s for s in heard(Tasmota(), RECORDED) if isinstance(s, StateReport)]
    strip = next(r for r in reports if r.device_id == STRIP)
    assert strip.state == {
        "on": True,
        "brightness": 40,
        "color": "#00ff00",
        "color_temperature": 4000,
    }
    plug = [(r.state, r.evidence) for r in reports if r.device_id == PLUG and "on" in r.state]
    assert plug == [
        ({"on": False}, Evidence.REPORTED),
        ({"on": True}, Evidence.ECHOED),
        ({"on": True}, Evidence.ECHOED),
    ]
    blind = [r.state for r in reports if r.device_id == BLIND]
    # The option says that this one counts the other way round.
    assert blind == [{"position": 0, "moving": True}, {"position": 100, "moving": False}]
    measured = [r.state for r in reports if "temperature" in r.state]
    assert measured[-1]["temperature"] == 21.6


def test_what_was_retained_is_the_past() -> None:
    (report,) = known().decode(message("stat/tasmota_D3E4F5/POWER1", "ON", retained=True))
    assert isinstance(report, StateReport)
    assert not report.live


def test_a_relay_is_switched() -> None:
    assert sent(known(), PLUG, "turn_on") == [("Power1", "ON")]
    assert sent(known(), PLUG, "turn_off") == [("Power1", "OFF")]


def test_a_light_gets_its_colour_and_level_before_it_is_switched_on() -> None:
    lines = sent(known(), STRIP, "turn_on", brightness=30, color="#ff0000", color_temperature=4000)
    assert lines == [("Color2", "255,0,0"), ("CT", "250"), ("Dimmer", "30"), ("Power2", "ON")]


def test_an_inverted_shutter() -> None:
    delivery = known().encode(BLIND, Command("c1", "set_cover", {"position": 30}, 3000))
    (message_,) = delivery.messages
    assert (message_.topic, message_.payload) == ("cmnd/tasmota_D3E4F5/ShutterPosition1", b"70")
    assert delivery.proof.needs is Evidence.SETTLED
    assert delivery.proof.state == {"position": 30}


def test_nothing_is_retained_and_everything_expires() -> None:
    delivery = known().encode(STRIP, Command("c1", "turn_on", {"brightness": 5}, 1500))
    assert all(not m.retain and m.expiry_s == 2 for m in delivery.messages)


def test_localised_words() -> None:
    tasmota = known(state=["AUS", "AN", "UM", "HALT"])
    assert sent(tasmota, PLUG, "turn_on") == [("Power1", "AN")]
    (report,) = tasmota.decode(message("stat/tasmota_D3E4F5/RESULT", {"POWER1": "AUS"}))
    assert isinstance(report, StateReport)
    assert report.state == {"on": False}


def test_another_full_topic() -> None:
    tasmota = known(ft="house/%topic%/%prefix%")
    assert Listen("house/tasmota_D3E4F5/tele/+") in heard(
        Tasmota(), [config(ft="house/%topic%/%prefix%")]
    )
    (report,) = tasmota.decode(message("house/tasmota_D3E4F5/stat/POWER1", "ON"))
    assert isinstance(report, StateReport)


@pytest.mark.parametrize("topic", ["a/+/b", "#", "", 7, "x" * 200])
def test_a_topic_that_would_hear_everything_is_refused(topic: Any) -> None:
    (refused,) = Tasmota().decode(config(t=topic))
    assert isinstance(refused, Malformed)


def test_an_error_is_that_of_the_last_command() -> None:
    tasmota = known()
    assert heard(tasmota, [message("stat/tasmota_D3E4F5/RESULT", {"Command": "Error"})]) == []
    sent(tasmota, PLUG, "turn_on")
    (trouble,) = tasmota.decode(message("stat/tasmota_D3E4F5/RESULT", {"Command": "Error"}))
    assert isinstance(trouble, Trouble)
    assert (trouble.device_id, trouble.rejected) == (PLUG, True)


def test_a_box_that_is_taken_away() -> None:
    tasmota = known()
    gone = heard(tasmota, [message("tasmota/discovery/A0B1C2D3E4F5/config", b"", retained=True)])
    assert {s.device_id for s in gone if isinstance(s, Removed)} == {PLUG, STRIP, BLIND}
    assert Listen("stat/tasmota_D3E4F5/+", wanted=False) in gone
    with pytest.raises(CommandRefusedError):
        sent(tasmota, PLUG, "turn_on")


def test_a_box_that_changes_keeps_what_stays() -> None:
    changed = heard(known(), [config(rl=[1, 0, 0, 0])])
    assert {s.device_id for s in changed if isinstance(s, Removed)} == {PLUG, STRIP, BLIND}
    named = [s.description.name for s in changed if isinstance(s, Announced)]
    assert named == ["Hall box"]
    assert heard(known(), [config()]) == []


def test_a_garage_relay_is_guarded() -> None:
    (announced,) = [
        s for s in heard(Tasmota(), [config(rl=[1], dn="Garage door")]) if isinstance(s, Announced)
    ]
    assert announced.description.capabilities[0].risk is Risk.GUARDED


def test_a_fan_with_a_lamp() -> None:
    tasmota = Tasmota()
    sightings = heard(tasmota, [config(**{"if": 1, "rl": [1, 0, 0, 0], "fn": ["Fan lamp"]})])
    names = [s.description.name for s in sightings if isinstance(s, Announced)]
    assert names == ["Fan lamp", "Hall box fan"]
    fan = "tasmota-a0b1c2d3e4f5-fan-1"
    assert sent(tasmota, fan, "set_fan", percent=60) == [("FanSpeed", "2")]
    (report,) = tasmota.decode(message("stat/tasmota_D3E4F5/RESULT", {"FanSpeed": 2}))
    assert isinstance(report, StateReport)
    assert report.state == {"on": True, "fan_percent": 67}


def test_colour_and_white_apart() -> None:
    sightings = heard(Tasmota(), [config(rl=[2, 2], lt_st=5, lk=0)])
    found = [
        {c.kind.value for c in s.description.capabilities}
        for s in sightings
        if isinstance(s, Announced)
    ]
    assert found == [{"power", "brightness", "color"}, {"power", "brightness", "color_temperature"}]


def test_a_box_of_sensors_only_comes_with_its_first_sensors() -> None:
    tasmota = Tasmota()
    assert not [s for s in heard(tasmota, [config(rl=[0])]) if isinstance(s, Announced)]
    (announced,) = heard(tasmota, [RECORDED[1]])
    assert isinstance(announced, Announced)
    assert {c.kind for c in announced.description.capabilities} == {Kind.SENSOR}


@given(
    st.sampled_from(
        [
            "tasmota/discovery/A0B1C2D3E4F5/config",
            "stat/tasmota_D3E4F5/RESULT",
            "tele/tasmota_D3E4F5/LWT",
            "tasmota/discovery/A0B1C2D3E4F5/sensors",
            "x",
        ]
    ),
    st.binary(max_size=200),
)
def test_any_bytes_are_heard_without_an_error(topic: str, data: bytes) -> None:
    heard(known(), [Message(topic, data)])


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(sorted(CONFIG)), JSON, max_size=4))
def test_any_types_in_a_configuration(changes: dict[str, Any]) -> None:
    sightings = heard(Tasmota(), [config(**changes)])
    assert all(not isinstance(s, Listen) or "#" not in s.filter for s in sightings)


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "POWER1",
                "Dimmer",
                "HSBColor",
                "CT",
                "Shutter1",
                "FanSpeed",
                "StatusSTS",
                "Command",
                "AM2301",
            ]
        ),
        JSON,
        max_size=4,
    )
)
def test_any_types_in_a_reply(body: dict[str, Any]) -> None:
    for leaf in ("RESULT", "SENSOR", "STATUS10"):
        for sighting in heard(known(), [message(f"stat/tasmota_D3E4F5/{leaf}", body)]):
            if isinstance(sighting, StateReport):
                json.dumps(dict(sighting.state), allow_nan=False)


@pytest.mark.parametrize("tiny", [5e-324, 1e308, "1e400"])
def test_a_number_out_of_this_world_breaks_nothing(tiny: Any) -> None:
    lamp = known(rl=[2, *[0] * 31], lt_st=5, lk=1)
    said = {"POWER": "ON", "Dimmer": tiny, "CT": tiny, "HSBColor": f"{tiny},{tiny},1"}
    sightings = heard(lamp, [message("stat/tasmota_D3E4F5/RESULT", said)])
    assert any(isinstance(s, StateReport) and s.state["on"] is True for s in sightings)
