from __future__ import annotations

import json
from typing import Any

import pytest

from devices.contract.errors import PayloadError
from devices.ecosystems.homeassistant import discovery
from devices.ecosystems.homeassistant.discovery import Found, Place, place_of, read, read_device

pytestmark = pytest.mark.unit

SINGLE = Place("homeassistant/light/lamp/config", "light", "lamp")
DEVICE = Place("homeassistant/device/lamp/config", "device", "lamp")


def found(place: Place, body: dict[str, Any]) -> list[Found]:
    entities = read(place, json.dumps(body).encode())
    assert entities is not None
    return entities


def test_where_announcements_come() -> None:
    assert place_of("homeassistant/light/lamp/config", "homeassistant") == SINGLE
    deep = place_of("ha/x/light/node/lamp/config", "ha/x")
    assert deep == Place("ha/x/light/node/lamp/config", "light", "node/lamp")
    assert deep.object_id == "lamp"
    for other in ("homeassistant/status", "homeassistant/light/lamp/state", "x/light/lamp/config"):
        assert place_of(other, "homeassistant") is None
    with pytest.raises(PayloadError):
        place_of("homeassistant/light/a b/config", "homeassistant")


def test_the_single_form() -> None:
    (lamp,) = found(SINGLE, {"~": "lamp", "cmd_t": "~/set", "uniq_id": "u1", "dev": {"ids": "d1"}})
    assert (lamp.component, lamp.unique_id) == ("light", "u1")
    assert lamp.fields.topic("command_topic") == "lamp/set"
    assert lamp.device.identifiers == ("id:d1",)


def test_without_a_unique_id_the_topic_tells() -> None:
    (lamp,) = found(SINGLE, {"cmd_t": "a"})
    assert lamp.unique_id == "lamp"
    (other,) = found(SINGLE, {"cmd_t": "a", "uniq_id": ["x"]})
    assert other.unique_id == "lamp"


def test_the_device_form_hands_down() -> None:
    body = {
        "dev": {"ids": ["d1"]},
        "o": {"name": "x"},
        "~": "lamp",
        "avty_t": "~/up",
        "stat_t": "~/state",
        "cmps": {
            "a": {"p": "switch", "cmd_t": "~/a"},
            "b": {"p": "sensor", "stat_t": "b", "~": "other"},
            "gone": {"p": "switch"},
        },
    }
    a, b = found(DEVICE, body)
    assert (a.component, a.fields.topic("command_topic")) == ("switch", "lamp/a")
    assert a.fields.topic("state_topic") == "lamp/state"
    assert (b.fields.topic("state_topic"), b.fields.topic("availability_topic")) == (
        "b",
        "other/up",
    )
    assert (a.unique_id, b.key) == ("lamp/a", "homeassistant/device/lamp/config#b")


def test_nothing_left_and_handing_over() -> None:
    assert read(SINGLE, b"") == []
    assert read(SINGLE, b'{"migr_discvry": true}') is None


@pytest.mark.parametrize(
    "body",
    [
        b"no json",
        b"[]",
        b"7",
        b'{"cmps": {}',
        b"x" * (discovery.MAX_BYTES + 1),
        b"[" * 5000,
    ],
)
def test_what_is_no_announcement(body: bytes) -> None:
    with pytest.raises(PayloadError):
        read(SINGLE, body)


@pytest.mark.parametrize(
    "components",
    [None, [], {"a": 1}, {"a": {}}, {"a": {"p": 5}}, {str(i): {"p": "tag"} for i in range(300)}],
)
def test_what_are_no_components(components: object) -> None:
    with pytest.raises(PayloadError):
        read(DEVICE, json.dumps({"cmps": components}).encode())


def test_devices_are_known_by_their_addresses() -> None:
    mac = read_device({"ids": "A0:B1:C2:D3:E4:F5", "cns": [["mac", "a0-b1-c2-d3-e4-f6"]]})
    assert mac.identity == {"mac:a0b1c2d3e4f5", "mac:a0b1c2d3e4f6"}
    ieee = read_device({"ids": ["zigbee2mqtt_0x00158D0001A2B3C4"]})
    assert ieee.identity == {"ieee:0x00158d0001a2b3c4"}
    assert read_device({"ids": ["facade-decade-lamp"]}).identity == frozenset()


def test_a_device_block_is_bounded_and_clean() -> None:
    info = read_device({"ids": list(range(100)), "name": "x\x07" * 500, "sa": "Hall\nway"})
    assert len(info.identifiers) == discovery.MAX_IDENTIFIERS
    assert len(info.name) <= 64
    assert info.area == "Hall way"
    for junk in (None, [], "x", {"ids": {"a": 1}, "cns": 5, "name": 7}):
        assert read_device(junk).identifiers == ()
