from __future__ import annotations

from typing import Any

import pytest

from devices.contract.capability import Capability, Kind, Risk
from devices.ecosystems.homie.announce import buttons, describe, identity, is_button
from tests.devices.ecosystems.homie.test_model import made
from tests.devices.ecosystems.homie.test_parts import SWITCH, parts

pytestmark = pytest.mark.unit


def offered(**properties: Any) -> tuple[Capability, ...]:
    (part,) = parts(node=properties)
    return describe("homie-lamp", part).capabilities


def test_values_without_a_role() -> None:
    number, select, text, sensor = offered(
        volume={"datatype": "integer", "format": "0:10:2", "unit": "dB", "settable": True},
        scene={"datatype": "enum", "format": "day,night", "settable": True},
        message={"datatype": "string", "settable": True},
        rain={"datatype": "float", "unit": "mm"},
    )
    assert (number.kind, number.minimum, number.maximum, number.step, number.unit) == (
        *(Kind.NUMBER, 0, 10, 2),
        "dB",
    )
    assert (select.kind, select.options) == (Kind.SELECT, ("day", "night"))
    assert (text.kind, text.name) == (Kind.TEXT, "message")
    assert (sensor.kind, sensor.unit) == (Kind.SENSOR, "mm")


def test_events_are_buttons() -> None:
    bell = {"datatype": "enum", "settable": True, "retained": False}
    (ring,) = offered(ring={**bell, "format": "press"})
    assert (ring.kind, ring.name) == (Kind.BUTTON, "ring")
    both = offered(chime={**bell, "format": "short,long"})
    assert [c.name for c in both] == ["chime short", "chime long"]
    assert not is_button(made("enum", "a,b"))
    assert buttons("go", made("boolean", retained=False)) == {"go": b"true"}


def test_the_ends_of_a_warm_white() -> None:
    warmth = {"datatype": "integer", "settable": True, "unit": "mired"}
    (_, known) = offered(on=SWITCH, ct={**warmth, "format": "200:400"})
    assert (known.minimum, known.maximum) == (2500, 5000)
    (_, unknown) = offered(on=SWITCH, ct=warmth)
    assert (unknown.minimum, unknown.maximum) == (2000, 6500)


def test_a_thermostat_in_fahrenheit_is_offered_in_celsius() -> None:
    target = {"datatype": "float", "unit": "°F", "settable": True, "format": "50:86"}
    (climate,) = offered(setpoint=target)
    assert (climate.kind, climate.minimum, climate.maximum) == (Kind.CLIMATE, 10, 30)


@pytest.mark.parametrize(
    ("node", "properties"),
    [
        ("garage-door", {"position": {"datatype": "integer", "format": "0:100", "settable": True}}),
        ("valve", {"on": SWITCH}),
        ("front", {"locked": SWITCH}),
        ("heater", {"on": SWITCH}),
    ],
)
def test_what_opens_or_heats_is_guarded(node: str, properties: dict[str, Any]) -> None:
    (part,) = parts(**{node: properties})
    assert describe("homie-x", part).capabilities[0].risk is Risk.GUARDED


def test_identity() -> None:
    (left, _) = parts(left={"on": SWITCH}, right={"on": SWITCH})
    assert identity("homie/5/x", "a0b1c2d3e4f5", left) == {
        "mac:a0b1c2d3e4f5/left",
        "topic:homie/5/x/left/on/set",
    }


def test_more_values_than_a_device_may_have() -> None:
    many = {f"v{number}": {"datatype": "float"} for number in range(64)}
    assert len(offered(**many)) <= 64
