from __future__ import annotations

from typing import Any

import pytest

from devices.ecosystems.homie.parts import Role
from devices.ecosystems.homie.state import of_plain, of_role
from tests.devices.ecosystems.homie.test_model import made
from tests.devices.ecosystems.homie.test_parts import PERCENT, SWITCH, parts

pytestmark = pytest.mark.unit


def said(role: Role, data: bytes, **properties: Any) -> dict[str, Any]:
    (part,) = parts(node=properties)
    return of_role(part, role, data)


def test_a_lamp_without_a_switch_is_on_while_it_shines() -> None:
    assert said(Role.BRIGHTNESS, b"0", dimmer=PERCENT) == {"on": False, "brightness": 0}
    assert said(Role.BRIGHTNESS, b"40", dimmer=PERCENT, on=SWITCH) == {"brightness": 40}


def test_mired_and_kelvin() -> None:
    warmth = {"datatype": "integer", "settable": True, "format": "153:500", "unit": "mired"}
    assert said(Role.WARMTH, b"250", on=SWITCH, ct=warmth) == {"color_temperature": 4000}
    assert said(Role.WARMTH, b"0", on=SWITCH, ct=warmth) == {}
    assert said(Role.WARMTH, b"4000", on=SWITCH, ct=warmth | {"unit": "K"}) == {
        "color_temperature": 4000
    }


@pytest.mark.parametrize(
    ("word", "state"),
    [
        (b"locked", {"locked": True}),
        (b"unlocked", {"locked": False}),
        (b"locking", {"moving": True}),
        (b"jammed", {}),
        (b"nonsense", {}),
    ],
)
def test_what_a_lock_says(word: bytes, state: dict[str, Any]) -> None:
    options = "locked,unlocked,locking,jammed"
    assert said(Role.LOCK, word, s={**SWITCH, "datatype": "enum", "format": options}) == state


def test_a_door_that_only_knows_open_and_closed() -> None:
    door = {"datatype": "enum", "format": "open,close,stop", "settable": True}
    assert said(Role.DRIVE, b"open", door=door) == {"position": 100}
    assert said(Role.DRIVE, b"stop", door=door) == {}
    assert said(Role.DRIVE, b"open", door=door, pos=PERCENT) == {}


def test_fahrenheit() -> None:
    target = {"datatype": "float", "unit": "°F", "settable": True}
    assert said(Role.SETPOINT, b"68", setpoint=target) == {"target_temperature": 20.0}


def test_plain_values() -> None:
    assert of_plain("co2", made("float", settable=False), b"412.0") == {"co2": 412}
    assert of_plain("child lock", made("boolean", "free,locked"), b"true") == {
        "child lock": "locked"
    }
    assert of_plain("door", made("boolean", settable=False), b"true") == {"door": True}
    assert of_plain("co2", made("float"), b"") == {}
