from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.contract.command import Command, Evidence
from devices.contract.errors import CommandRefusedError
from devices.ecosystems.base import (
    Announced,
    Availability,
    Listen,
    Malformed,
    Removed,
    Sighting,
    StateReport,
    Trouble,
)
from devices.ecosystems.zigbee2mqtt.adapter import Zigbee2Mqtt
from devices.link.base import Message
from tests.devices.ecosystems.transcripts import heard, message
from tests.devices.ecosystems.zigbee2mqtt.definitions import STATE, entries, entry, sample, wrapper

pytestmark = pytest.mark.unit

LAMP = "zigbee2mqtt-0x0000000000000001"
SWITCHED = [wrapper("light", STATE)]


def listed(*raw: Any) -> Message:
    return message("zigbee2mqtt/bridge/devices", list(raw), retained=True)


def known(**changes: Any) -> Zigbee2Mqtt:
    made = Zigbee2Mqtt()
    heard(made, [listed(entry(SWITCHED, friendly_name="Hall/lamp", **changes))])
    return made


def says(made: Zigbee2Mqtt, leaf: str, payload: Any, *, retained: bool = False) -> list[Sighting]:
    return heard(made, [message(f"zigbee2mqtt/{leaf}", payload, retained=retained)])


def test_what_to_listen_to() -> None:
    filters = [f.filter for f in Zigbee2Mqtt("z").filters()]
    assert filters[0] == "z/bridge/logging"
    assert filters[-1] == "z/bridge/devices"


def test_a_device_with_a_slash_in_its_name() -> None:
    sightings = heard(Zigbee2Mqtt(), [listed(entry(SWITCHED, friendly_name="Hall/lamp"))])
    (announced,) = [s for s in sightings if isinstance(s, Announced)]
    assert (announced.description.id, announced.description.name) == (LAMP, "Hall lamp")
    assert "ieee:0x0000000000000001" in announced.identity
    assert Listen("zigbee2mqtt/Hall/lamp") in sightings


def test_its_state_is_an_echo_until_it_was_asked() -> None:
    (report,) = says(known(), "Hall/lamp", {"state": "ON", "linkquality": 80})
    assert report == StateReport(LAMP, {"on": True}, live=True, evidence=Evidence.ECHOED)


def test_values_on_topics_of_their_own() -> None:
    (report,) = says(known(), "Hall/lamp/state", "ON")
    assert isinstance(report, StateReport)
    assert report.state == {"on": True}
    assert says(known(), "Hall/lamp/set", {"state": "ON"}) == []


def test_what_is_remembered_proves_nothing() -> None:
    made = known()
    (kept,) = says(made, "Hall/lamp", {"state": "ON"}, retained=True)
    assert isinstance(kept, StateReport)
    assert not kept.live
    says(made, "bridge/state", {"state": "offline"})
    says(made, "bridge/state", {"state": "online"})
    (replayed,) = says(made, "Hall/lamp", {"state": "ON"})
    assert isinstance(replayed, StateReport)
    assert not replayed.live
    (news,) = says(made, "Hall/lamp", {"state": "ON"})
    assert isinstance(news, StateReport)
    assert news.live


def test_a_device_that_is_renamed() -> None:
    made = known()
    sightings = heard(made, [listed(entry(SWITCHED, friendly_name="Attic"))])
    assert Listen("zigbee2mqtt/Hall/lamp", wanted=False) in sightings
    assert not [s for s in sightings if isinstance(s, Removed)]
    assert says(made, "Hall/lamp", {"state": "ON"}) == []
    assert len(says(made, "Attic", {"state": "ON"})) == 1
    delivery = made.encode(LAMP, Command("c", "turn_on", {}, 3000))
    assert delivery.messages[0].topic == "zigbee2mqtt/Attic/set"


def test_a_device_that_leaves() -> None:
    made = known()
    assert Removed(LAMP) in heard(made, [listed()])
    with pytest.raises(CommandRefusedError):
        made.encode(LAMP, Command("c", "turn_on", {}, 3000))


def test_the_same_list_again_says_nothing() -> None:
    assert heard(known(), [listed(entry(SWITCHED, friendly_name="Hall/lamp"))]) == []


def test_a_command_is_never_retained_and_expires() -> None:
    (publish,) = known().encode(LAMP, Command("c", "turn_on", {}, 1500)).messages
    assert (publish.retain, publish.expiry_s) == (False, 2)


def test_presence() -> None:
    made = known()
    assert says(made, "bridge/state", "online") == [Availability(LAMP, online=True)]
    assert says(made, "Hall/lamp/availability", {"state": "offline"}) == [
        Availability(LAMP, online=False)
    ]
    # The device's own word counts more than the bridge's.
    assert says(made, "bridge/state", "online") == []
    assert says(made, "bridge/state", "offline") == [Availability(LAMP, online=False)]


def test_a_failure_in_the_log_is_trouble() -> None:
    line = "z2m: Publish 'set' 'state' to 'Hall/lamp' failed: 'no answer'"
    (trouble,) = says(known(), "bridge/logging", {"level": "error", "message": line})
    assert isinstance(trouble, Trouble)
    assert (trouble.device_id, trouble.keys) == (LAMP, {"on"})
    past = {"level": "error", "message": line}
    assert says(known(), "bridge/logging", past, retained=True) == []


def test_a_folder_in_the_name_is_the_area() -> None:
    for name, area in (("Hall/lamp", "Hall"), ("Upstairs/Bath/lamp", "Bath"), ("lamp", "")):
        sightings = heard(Zigbee2Mqtt(), [listed(entry(SWITCHED, friendly_name=name))])
        (announced,) = [s for s in sightings if isinstance(s, Announced)]
        assert announced.description.area == area


def test_a_group_counts_as_an_area() -> None:
    made = Zigbee2Mqtt()
    heard(made, [listed(entry(SWITCHED, friendly_name="Lamp"))])
    group = [{"friendly_name": "Hall lights", "members": [{"ieee_address": "0x0000000000000001"}]}]
    (announced,) = says(made, "bridge/groups", group)
    assert isinstance(announced, Announced)
    assert announced.description.area == "Hall lights"
    assert says(made, "bridge/groups", group) == []


def test_two_gangs_are_two_devices() -> None:
    gangs = [
        wrapper("switch", STATE | {"property": f"state_{e}"}, endpoint=e) for e in ("l1", "l2")
    ]
    sightings = heard(Zigbee2Mqtt(), [listed(entry(gangs, friendly_name="Wall"))])
    names = [s.description.name for s in sightings if isinstance(s, Announced)]
    assert names == ["Wall l1", "Wall l2"]
    identities = [s.identity for s in sightings if isinstance(s, Announced)]
    assert not identities[0] & identities[1]


@pytest.mark.parametrize("payload", [b"{", b"7", b"{}", b"[" * 100_000], ids=["a", "b", "c", "d"])
def test_a_list_that_is_none(payload: bytes) -> None:
    (malformed,) = Zigbee2Mqtt().decode(Message("zigbee2mqtt/bridge/devices", payload))
    assert isinstance(malformed, Malformed)


def test_a_house_full_of_real_devices_is_read_quickly_and_once() -> None:
    made, whole = Zigbee2Mqtt(), listed(*entries(sample()))
    first = time.perf_counter()
    announced = [s for s in made.decode(whole) if isinstance(s, Announced)]
    second = time.perf_counter()
    assert not [s for s in made.decode(whole) if isinstance(s, Announced)]
    again_s = time.perf_counter() - second
    assert len({a.description.id for a in announced}) == len(announced) > 200
    assert again_s < second - first


TOPICS = ["bridge/devices", "bridge/groups", "bridge/state", "bridge/logging", "Hall/lamp",
          "Hall/lamp/availability", "Hall/lamp/state", "nobody"]  # fmt: skip


@given(st.sampled_from(TOPICS), st.binary(max_size=200))
def test_any_bytes_are_heard_without_an_error(leaf: str, data: bytes) -> None:
    heard(known(), [Message(f"zigbee2mqtt/{leaf}", data)])


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(
    st.sampled_from(TOPICS),
    JSON | st.dictionaries(st.sampled_from(["state", "level", "message"]), JSON),
)
def test_any_json_is_heard_without_an_error(leaf: str, body: Any) -> None:
    for sighting in says(known(), leaf, body):
        if isinstance(sighting, StateReport):
            json.dumps(dict(sighting.state), allow_nan=False)
