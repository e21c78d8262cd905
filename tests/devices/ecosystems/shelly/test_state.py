from __future__ import annotations

from typing import Any

import pytest

from devices.ecosystems.shelly.parts import Part, PartKind, Sensor
from devices.ecosystems.shelly.state import lacks_position, read, readings, trouble

pytestmark = pytest.mark.unit

COVER = Part(PartKind.COVER, 0, "Blind")
BLIND = Part(PartKind.COVER, 0, "Blind", positions=False)


@pytest.mark.parametrize(
    ("kind", "told", "state"),
    [
        (PartKind.SWITCH, {"output": True, "brightness": 4}, {"on": True}),
        (PartKind.SWITCH, {"output": "yes"}, {}),
        (PartKind.LIGHT, {"output": False, "brightness": "40"}, {"on": False, "brightness": 40}),
        (PartKind.RGB, {"rgb": [255, 0, 16]}, {"color": "#ff0010"}),
        (PartKind.RGB, {"rgb": [255, None, 16]}, {}),
        (PartKind.RGB, {"rgb": [255]}, {}),
        (PartKind.CCT, {"ct": 4000}, {"color_temperature": 4000}),
        (PartKind.LIGHT, {"ct": 4000}, {}),
        (
            PartKind.THERMOSTAT,
            {"target_C": 21.5, "current_C": 20.1, "enable": False},
            {"target_temperature": 21.5, "temperature": 20.1, "mode": "off"},
        ),
        (PartKind.READINGS, {"output": True}, {}),
    ],
)
def test_states(kind: PartKind, told: dict[str, Any], state: dict[str, Any]) -> None:
    assert read(Part(kind, 0, "Part"), told, whole=True) == state


def test_a_lamp_that_fades_tells_where_to() -> None:
    told = {"output": True, "brightness": 12, "transition": {"target": {"output": False}}}
    assert read(Part(PartKind.LIGHT, 0, "Lamp"), told, whole=True) == {
        "on": False,
        "brightness": 12,
    }


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ({"state": "opening"}, {"moving": True}),
        ({"current_pos": 40}, {"position": 40}),
        ({"state": "stopped", "current_pos": 40}, {"moving": False, "position": 40}),
        ({"state": "stopped"}, {}),
        ({"state": "open"}, {"moving": False, "position": 100}),
        ({"state": "closed", "current_pos": None}, {"moving": False, "position": 0}),
        ({"state": "stopped", "current_pos": 240}, {}),
        ({"state": ["open"]}, {}),
    ],
)
def test_partial_words_of_a_cover(told: dict[str, Any], state: dict[str, Any]) -> None:
    assert read(COVER, told, whole=False) == state


def test_a_cover_without_positions_says_at_least_that_it_stands() -> None:
    assert read(BLIND, {"state": "stopped"}, whole=False) == {"moving": False}
    assert not lacks_position(BLIND, {"state": "stopped"})
    assert lacks_position(COVER, {"state": "stopped"})
    assert not lacks_position(COVER, {"state": "stopped", "current_pos": 3})
    assert read(COVER, {"state": "stopped"}, whole=True) == {"moving": False}


def test_readings() -> None:
    sensor = Sensor("temperature:100", ("tC",), "temperature", "°C")
    part = Part(PartKind.SWITCH, 0, "Plug", (sensor,))
    assert readings(part, {"temperature:100": {"tC": 20}}) == {"temperature": 20}
    assert readings(part, {"temperature:100": "x"}) == {}


def test_troubles() -> None:
    assert trouble({"errors": ["power_meter", "bad_feedback:both_directions_active"]}) == (
        "bad_feedback",
        "Its motor does not do what it is told.",
    )
    for harmless in ({}, {"errors": []}, {"errors": "obstruction"}, {"errors": [7, "fine"]}):
        assert trouble(harmless) is None
