from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.contract.command import AckStatus, Command
from devices.contract.errors import CommandRefusedError
from devices.ecosystems.base import (
    Acknowledged,
    Announced,
    Availability,
    Listen,
    Malformed,
    Removed,
    Sighting,
    StateReport,
    Trouble,
)
from devices.ecosystems.homie.adapter import MAX_DEVICES, Homie
from devices.link.base import Message
from tests.devices.ecosystems.transcripts import heard, message, messages

pytestmark = pytest.mark.unit

FIVE = messages("homie/2026-11-24-convention-5.0.jsonl")
FOUR = messages("homie/2026-11-24-convention-4.0.jsonl")
BASE = "homie/5/landing"
LIGHT, BLIND = "homie-5-landing-light", "homie-5-landing-shade"


def of(kind: type[Any], sightings: list[Sighting]) -> list[Any]:
    return [s for s in sightings if isinstance(s, kind)]


def known() -> Homie:
    homie = Homie()
    heard(homie, FIVE[:2])
    return homie


def told(homie: Homie, device_id: str, verb: str, /, **args: Any) -> None:
    homie.encode(device_id, Command("c1", verb, args, 3000))


def say(homie: Homie, path: str, payload: Any, *, retained: bool = False) -> list[Sighting]:
    return heard(homie, [message(f"{BASE}/{path}", payload, retained=retained)])


def test_the_recorded_device_of_version_5() -> None:
    sightings = heard(Homie(), FIVE)
    names = {s.description.id: s.description.name for s in of(Announced, sightings)}
    assert names == {LIGHT: "Landing light", BLIND: "Landing blind", "homie-5-landing": "Landing"}
    assert [s.filter for s in of(Listen, sightings)] == [f"{BASE}/+/+", f"{BASE}/+/+/$target"]
    reports = [(s.device_id, dict(s.state), s.live) for s in of(StateReport, sightings)]
    assert reports == [
        (LIGHT, {"on": False}, False),
        (LIGHT, {"brightness": 20}, False),
        (BLIND, {"position": 70}, False),
        ("homie-5-landing", {"temperature": 21.5}, False),
        (BLIND, {"moving": True}, True),
        (BLIND, {"position": 50}, True),
        (BLIND, {"position": 30}, True),
        (BLIND, {"moving": False}, True),
        (LIGHT, {"on": True}, True),
    ]
    light = [s.online for s in of(Availability, sightings) if s.device_id == LIGHT]
    assert light == [True, False]


def test_the_recorded_device_of_version_4() -> None:
    sightings = heard(Homie(), FOUR)
    announced = of(Announced, sightings)[-1]
    assert announced.description.name == "Bedroom thermostat"
    assert announced.description.id == "homie-thermo"
    assert "mac:deadbeeffeed" in announced.identity
    assert [c.kind.value for c in announced.description.capabilities] == ["climate", "sensor"]
    reports = [(dict(s.state), s.live) for s in of(StateReport, sightings)]
    assert reports == [
        ({"target_temperature": 20.0}, False),
        ({"temperature": 21.5}, False),
        ({"mode": "Heat"}, True),
    ]
    assert [s.online for s in of(Availability, sightings)] == [True, False]
    assert Listen("homie/thermo/#") in sightings


def test_a_device_that_is_not_ready_is_not_announced() -> None:
    homie = Homie()
    assert not of(Announced, heard(homie, [message(f"{BASE}/$state", "init"), FIVE[1]]))
    assert of(Announced, say(homie, "$state", "ready"))


def test_a_device_that_describes_itself_anew() -> None:
    homie = known()
    body = json.loads(FIVE[1].payload)
    del body["nodes"]["shade"]
    assert say(homie, "$state", "init") != []
    assert not say(homie, "$description", body)
    sightings = say(homie, "$state", "ready")
    assert {s.device_id for s in of(Removed, sightings)} == {LIGHT, BLIND}
    assert {s.description.id for s in of(Announced, sightings)} == {"homie-5-landing"}
    assert not of(Announced, say(homie, "$description", body))


def test_acceptance_is_the_very_bytes_on_the_target() -> None:
    homie = known()
    told(homie, BLIND, "set_cover", position=30)
    assert not say(homie, "shade/pos/$target", "30", retained=True)
    assert not say(homie, "shade/pos/$target", "31")
    (accepted,) = say(homie, "shade/pos/$target", "30")
    assert isinstance(accepted, Acknowledged)
    assert (accepted.ack.id, accepted.ack.status) == ("c1", AckStatus.ACCEPTED)
    assert not say(homie, "shade/pos/$target", "30")


def test_a_command_of_two_values_is_accepted_when_both_are() -> None:
    homie = known()
    told(homie, LIGHT, "turn_on", brightness=100)
    assert not say(homie, "light/brightness/$target", "255")
    assert of(Acknowledged, say(homie, "light/on/$target", "true"))


def test_a_line_of_the_log_is_about_what_was_told() -> None:
    homie = known()
    assert not say(homie, "$log/error", "no")
    told(homie, LIGHT, "turn_on")
    assert not say(homie, "$log/info", "fine")
    assert not say(homie, "$log/error", "old", retained=True)
    (failed,) = say(homie, "$log/error", "light/on \x1b broke")
    assert failed == Trouble(LIGHT, "reported", "light/on broke")


def test_what_was_never_taken_is_refused() -> None:
    homie = known()
    say(homie, "light/on/$target", "false", retained=True)
    told(homie, LIGHT, "turn_on")
    (refused,) = say(homie, "$log/warn", "no")
    assert isinstance(refused, Trouble)
    assert refused.rejected
    say(homie, "light/on/$target", "true")
    (failed,) = say(homie, "$log/warn", "no")
    assert isinstance(failed, Trouble)
    assert not failed.rejected


def test_an_alert_is_trouble_once() -> None:
    homie = known()
    told(homie, BLIND, "set_cover", position=30)
    assert not say(homie, "$alert/old", "Old.", retained=True)
    assert not say(homie, "$alert/old", "Old.")
    (stuck,) = say(homie, "$alert/stuck", "It is stuck.")
    assert isinstance(stuck, Trouble)
    assert (stuck.device_id, stuck.rejected) == (BLIND, False)


def test_an_alert_of_version_4() -> None:
    homie = Homie()
    heard(homie, FOUR[:-1])
    told(homie, "homie-thermo", "set_climate", temperature=21)
    sightings = heard(homie, [message("homie/thermo/$state", "alert")])
    assert of(Trouble, sightings)
    assert of(Availability, sightings)[0].online


def test_a_child_is_lost_with_its_root() -> None:
    homie = Homie()
    lamp = {"datatype": "boolean", "settable": True}
    body = {"homie": "5.0", "name": "Lamp", "root": "hub"}
    body["nodes"] = {"light": {"properties": {"on": lamp}}}
    heard(homie, [message("ebus/5/hub/$state", "ready"), message("ebus/5/lamp/$state", "ready")])
    announced = heard(homie, [message("ebus/5/lamp/$description", body)])
    assert of(Announced, announced)[0].description.id == "homie-ebus-5-lamp"
    assert of(Availability, announced) == [Availability("homie-ebus-5-lamp", online=True)]
    lost = heard(homie, [message("ebus/5/hub/$state", "lost")])
    assert lost == [Availability("homie-ebus-5-lamp", online=False)]
    again = heard(
        homie, [message("ebus/5/lamp/$state", "init"), message("ebus/5/lamp/$state", "ready")]
    )
    assert not any(s.online for s in of(Availability, again))
    assert heard(homie, [message("ebus/5/hub/$state", "ready")]) == [
        Availability("homie-ebus-5-lamp", online=True)
    ]


def test_a_device_that_is_taken_away() -> None:
    homie = known()
    gone = say(homie, "$state", b"", retained=True)
    assert {s.device_id for s in of(Removed, gone)} == {LIGHT, BLIND, "homie-5-landing"}
    assert {s.filter for s in of(Listen, gone) if not s.wanted} == {
        f"{BASE}/+/+",
        f"{BASE}/+/+/$target",
    }
    with pytest.raises(CommandRefusedError):
        told(homie, LIGHT, "turn_on")
    old = Homie()
    heard(old, FOUR)
    assert of(Removed, heard(old, [message("homie/thermo/$homie", b"", retained=True)]))


def test_a_device_that_sleeps_is_told_and_waited_for() -> None:
    homie = known()
    say(homie, "$state", "sleeping")
    assert homie.encode(LIGHT, Command("c1", "turn_on", {}, 3000)).proof.sleepy


def test_the_ids_of_two_devices_never_meet() -> None:
    homie = Homie()
    heard(homie, FIVE)
    lamp = [
        message(f"homie/5-landing-light/{path}", text)
        for path, text in {
            "$homie": "4.0",
            "$state": "ready",
            "$nodes": "a",
            "a/$properties": "on",
            "a/on/$datatype": "boolean",
            "a/on/$settable": "true",
        }.items()
    ]
    sightings = heard(homie, lamp)
    assert not of(Announced, sightings)
    assert not heard(homie, [message("homie/5-landing-light/a/on", "true")])


def test_only_as_many_devices_as_a_house_has() -> None:
    homie = Homie()
    crowd = [message(f"homie/5/d{n}/$state", "ready") for n in range(MAX_DEVICES + 10)]
    assert len(of(Malformed, heard(homie, crowd))) == 10


@pytest.mark.parametrize("path", ["$description", "$state", "light/on", "$log/error", "$alert/x"])
def test_a_megabyte_is_no_message(path: str) -> None:
    (refused,) = say(known(), path, b"x" * 1_000_000)
    assert isinstance(refused, Malformed)


PATHS = [
    "$state",
    "$description",
    "light/on",
    "light/color",
    "shade/pos/$target",
    "$log/error",
    "$alert/x",
]
TOPICS = [f"{BASE}/{path}" for path in PATHS] + [
    *("homie/thermo/$homie", "homie/thermo/$nodes", "homie/thermo/status/temperature"),
    *("homie/thermo/controls/heatsetpoint/$format", "a/5/b", "homie/", "homie/5/+/$state", "x"),
]


@given(st.sampled_from(TOPICS), st.binary(max_size=200), st.booleans())
def test_any_bytes_are_heard_without_an_error(topic: str, data: bytes, retained: bool) -> None:
    homie = Homie()
    heard(homie, [*FOUR, *FIVE])
    heard(homie, [Message(topic, data, retained)])


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
FIELDS = ["name", "datatype", "format", "unit", "settable", "retained"]


@given(st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=4), st.binary(max_size=40))
def test_any_types_in_a_property(changes: dict[str, Any], data: bytes) -> None:
    homie = Homie()
    prop = {"datatype": "float", "settable": True, "unit": "%"} | changes
    body = {"homie": "5.0", "nodes": {"dimmer": {"properties": {"dimmer": prop}}}}
    sightings = say(homie, "$state", "ready") + say(homie, "$description", body)
    assert all(len(s.description.name) <= 64 for s in of(Announced, sightings))
    for report in of(StateReport, say(homie, "dimmer/dimmer", data)):
        json.dumps(dict(report.state), allow_nan=False)
