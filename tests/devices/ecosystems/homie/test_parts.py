from __future__ import annotations

from typing import Any

import pytest

from devices.ecosystems.homie.document import read_document
from devices.ecosystems.homie.parts import Part, parts_of
from tests.devices.ecosystems.homie.test_document import document

pytestmark = pytest.mark.unit

SWITCH = {"datatype": "boolean", "settable": True}
PERCENT = {"datatype": "integer", "format": "0:100", "unit": "%", "settable": True}


def parts(**nodes: dict[str, Any]) -> list[Part]:
    """The parts of a device called Lamp with these nodes."""
    described = {key: {"name": key, "properties": props} for key, props in nodes.items()}
    return parts_of(read_document(document(nodes=described), "lamp"))


def roles(**properties: Any) -> dict[str, str]:
    """The roles in the only part of a device with one node."""
    (part,) = parts(node=properties)
    return {role.value: prop.id for role, prop in part.roles.items()}


def test_a_dimmable_lamp() -> None:
    light = {
        "on": SWITCH,
        "dimmer": PERCENT,
        "color": {**SWITCH, "datatype": "color", "format": "rgb"},
    }
    assert roles(**light) == {"power": "on", "brightness": "dimmer", "color": "color"}


def test_a_blind() -> None:
    blind = {
        "pos": PERCENT,
        "action": {"datatype": "enum", "format": "open,close,stop", "settable": True},
        "state": {"datatype": "enum", "format": "opening,closing,stopped"},
    }
    assert roles(**blind) == {"position": "pos", "drive": "action", "motion": "state"}


@pytest.mark.parametrize(
    "lock",
    [
        {"locked": SWITCH},
        {"state": {"datatype": "enum", "format": "locked,unlocked,jammed", "settable": True}},
    ],
)
def test_a_lock(lock: dict[str, Any]) -> None:
    assert "lock" in roles(**lock)


def test_a_thermostat_has_its_own_measurement() -> None:
    degrees = {"datatype": "float", "unit": "°C"}
    (part,) = parts(
        control={
            "target-temperature": {**degrees, "settable": True, "format": "5:30:0.5"},
            "mode": {"datatype": "enum", "format": "off,heat", "settable": True},
        },
        status={"temperature": degrees, "humidity": {"datatype": "float", "unit": "%"}},
    )
    assert {role.value for role in part.roles} == {"setpoint", "mode"}
    assert list(part.plain) == ["temperature", "humidity"]


def test_a_fan() -> None:
    assert roles(speed=PERCENT) == {"speed": "speed"}
    words = {"datatype": "enum", "format": "OFF,LOW,HIGH", "settable": True}
    assert roles(speed=words) == {"fan_mode": "speed"}
    assert "speed" not in roles(position=PERCENT, speed=PERCENT)


def test_two_nodes_that_switch_are_two_devices() -> None:
    found = parts(
        left={"switch": SWITCH}, right={"switch": SWITCH}, air={"co2": {"datatype": "float"}}
    )
    assert [(p.key, p.name, list(p.plain)) for p in found] == [
        ("left", "Lamp left", []),
        ("right", "Lamp right", []),
        ("", "Lamp", ["co2"]),
    ]


def test_two_switches_in_one_node() -> None:
    found = parts(
        relays={"relay1": {**SWITCH, "name": "Left"}, "relay2": {**SWITCH, "name": "Right"}}
    )
    assert [(p.key, p.name) for p in found] == [
        ("relays/relay1", "Lamp Left"),
        ("relays/relay2", "Lamp Right"),
    ]


def test_what_nothing_is_known_of_is_a_plain_value() -> None:
    (part,) = parts(node={"child-lockout": SWITCH, "volume": PERCENT})
    assert not part.roles
    assert list(part.plain) == ["child-lockout", "volume"]


def test_what_is_about_the_device_itself_is_not_offered() -> None:
    (part,) = parts(node={"on": SWITCH, "reset": SWITCH, "firmware-update": SWITCH})
    assert not part.plain


def test_a_plain_value_never_passes_for_a_state_of_its_own() -> None:
    told = {"datatype": "boolean"}
    (part,) = parts(node={"power": SWITCH, "on": told, "position": told, "moving": told})
    assert list(part.plain) == ["node on", "node position", "node moving"]


def test_names_that_are_taken() -> None:
    value = {"name": "Level", "datatype": "float"}
    (part,) = parts(a={"x": value}, b={"y": value})
    assert list(part.plain) == ["Level", "b Level"]
