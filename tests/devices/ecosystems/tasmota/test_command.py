from __future__ import annotations

import pytest

from devices.contract.command import Command
from devices.contract.errors import CommandRefusedError
from devices.contract.verbs import contradicts
from devices.ecosystems.tasmota.box import Part, PartKind
from devices.ecosystems.tasmota.command import encode, questions
from tests.devices.ecosystems.tasmota.test_box import box

pytestmark = pytest.mark.unit

FAN = Part(PartKind.FAN, 1, "Fan")


@pytest.mark.parametrize(
    ("percent", "speed"), [(0, "0"), (1, "1"), (40, "1"), (50, "2"), (100, "3")]
)
def test_a_fan_has_three_speeds(percent: int, speed: str) -> None:
    delivery = encode(box(), FAN, Command("c", "set_fan", {"percent": percent}, 3000))
    assert [m.payload.decode() for m in delivery.messages] == [speed]


def test_the_proof_is_what_the_lamp_can_show() -> None:
    (_, strip, _) = box(so={"82": 1}).parts
    asked = {"color_temperature": 6500, "color": "#800000"}
    delivery = encode(box(so={"82": 1}), strip, Command("c", "turn_on", asked, 3000))
    assert delivery.proof.state["color_temperature"] == 5000
    assert contradicts({"color": "#ff0000"}, {"color": delivery.proof.state["color"]}) is None


def test_what_a_part_cannot_do_is_refused() -> None:
    (plug, _, _) = box().parts
    with pytest.raises(CommandRefusedError, match="cannot do lock"):
        encode(box(), plug, Command("c", "lock", {}, 3000))


def test_a_shutter_is_asked_for_its_position_and_a_relay_for_its_state() -> None:
    (plug, _, blind) = box().parts
    assert [m.payload for m in questions(box(), plug)] == [b"11"]
    assert [m.payload for m in questions(box(), blind)] == [b"10"]
