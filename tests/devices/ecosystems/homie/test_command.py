from __future__ import annotations

from typing import Any

import pytest

from devices.contract.command import Command, Evidence
from devices.contract.errors import CommandRefusedError
from devices.ecosystems.base import Delivery
from devices.ecosystems.homie.command import encode
from tests.devices.ecosystems.homie.test_parts import PERCENT, SWITCH, parts

pytestmark = pytest.mark.unit

DRIVE = {"datatype": "enum", "format": "open,close,stop", "settable": True, "retained": False}
MOTION = {"datatype": "enum", "format": "opening,closing,stopped"}
COLOR = {"datatype": "color", "format": "hsv", "settable": True}


def told(properties: dict[str, Any], verb: str, /, **args: Any) -> Delivery:
    (part,) = parts(node=properties)
    return encode("homie/5/x", part, Command("c1", verb, args, 1500), sleepy=False)


def lines(delivery: Delivery) -> list[tuple[str, bytes]]:
    return [(m.topic.removeprefix("homie/5/x/node/"), m.payload) for m in delivery.messages]


def test_a_lamp_gets_colour_and_level_before_it_is_switched_on() -> None:
    lamp = {"on": SWITCH, "dimmer": PERCENT, "color": COLOR}
    delivery = told(lamp, "turn_on", brightness=30, color="#ff0000")
    assert lines(delivery) == [
        ("color/set", b"hsv,0,100,100"),
        ("dimmer/set", b"30"),
        ("on/set", b"true"),
    ]
    assert delivery.proof.state == {"color": "#ff0000", "brightness": 30, "on": True}
    assert delivery.proof.needs is Evidence.REPORTED


def test_a_lamp_that_is_only_dimmed() -> None:
    assert lines(told({"dimmer": PERCENT}, "turn_on")) == [("dimmer/set", b"100")]
    off = told({"dimmer": PERCENT}, "turn_off")
    assert (lines(off), off.proof.state) == (
        [("dimmer/set", b"0")],
        {"on": False, "brightness": 0},
    )


def test_nothing_is_retained_and_everything_expires() -> None:
    (message,) = told({"on": SWITCH}, "turn_on").messages
    assert (message.retain, message.expiry_s, message.qos) == (False, 2, 2)
    (event,) = told({"pos": PERCENT, "action": DRIVE}, "stop").messages
    assert event.qos == 0


def test_a_blind_settles() -> None:
    delivery = told({"pos": PERCENT | {"format": "0:100:5"}}, "set_cover", position=33)
    assert lines(delivery) == [("pos/set", b"35")]
    assert (delivery.proof.needs, delivery.proof.state) == (Evidence.SETTLED, {"position": 35})


def test_stopping_is_known_only_where_the_device_tells_of_movement() -> None:
    unknown = told({"pos": PERCENT, "action": DRIVE}, "stop")
    assert unknown.proof.needs <= Evidence.ACCEPTED
    known = told({"pos": PERCENT, "action": DRIVE, "motion": MOTION}, "stop")
    assert (lines(known), known.proof.state) == ([("action/set", b"stop")], {"moving": False})


def test_a_door_without_positions() -> None:
    assert lines(told({"door": DRIVE}, "set_cover", position=0)) == [("door/set", b"close")]
    with pytest.raises(CommandRefusedError, match="opened and closed"):
        told({"door": DRIVE}, "set_cover", position=50)


@pytest.mark.parametrize(("verb", "sent"), [("lock", b"locked"), ("unlock", b"unlocked")])
def test_a_lock(verb: str, sent: bytes) -> None:
    states = {**SWITCH, "datatype": "enum", "format": "locked,unlocked"}
    delivery = told({"state": states}, verb)
    assert lines(delivery) == [("state/set", sent)]
    assert delivery.proof.state == {"locked": verb == "lock"}
    assert lines(told({"lock": SWITCH}, verb))[0][1] == str(verb == "lock").lower().encode()


def test_a_thermostat() -> None:
    heating = {
        "setpoint": {"datatype": "float", "unit": "°F", "settable": True, "format": "50:86"},
        "mode": {"datatype": "enum", "format": "off,heat", "settable": True},
    }
    delivery = told(heating, "set_climate", temperature=20, mode="heat")
    assert lines(delivery) == [("mode/set", b"heat"), ("setpoint/set", b"68")]
    assert delivery.proof.state == {"mode": "heat", "target_temperature": 20.0}


def test_a_fan() -> None:
    assert lines(told({"speed": PERCENT}, "set_fan", percent=40)) == [("speed/set", b"40")]
    words = {"datatype": "enum", "format": "OFF,LOW", "settable": True}
    assert lines(told({"speed": words}, "set_fan", mode="LOW")) == [("speed/set", b"LOW")]
    with pytest.raises(CommandRefusedError):
        told({"speed": words}, "set_fan", percent=40)


def test_plain_values() -> None:
    volume = {"datatype": "integer", "format": "0:10", "settable": True}
    delivery = told({"volume": volume}, "set_value", name="volume", value=7)
    assert (lines(delivery), delivery.proof.state) == ([("volume/set", b"7")], {"volume": 7})
    child = told({"child": SWITCH}, "set_value", name="child", value="on")
    assert (lines(child), child.proof.state) == ([("child/set", b"true")], {"child": "on"})
    with pytest.raises(CommandRefusedError):
        told({"rain": {"datatype": "float"}}, "set_value", name="rain", value=1)


def test_what_is_pressed_is_never_known() -> None:
    bell = {"datatype": "enum", "format": "short,long", "settable": True, "retained": False}
    delivery = told({"bell": bell}, "press", name="bell long")
    assert lines(delivery) == [("bell/set", b"long")]
    assert delivery.proof.needs <= Evidence.ACCEPTED


@pytest.mark.parametrize("verb", ["lock", "set_fan", "press", "vacuum", "stop"])
def test_what_a_part_cannot_do_is_refused(verb: str) -> None:
    with pytest.raises(CommandRefusedError):
        told({"on": SWITCH}, verb, percent=1, name="x")
