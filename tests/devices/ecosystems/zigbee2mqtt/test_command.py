from __future__ import annotations

import json
from typing import Any

import pytest

from devices.contract.command import Command, Evidence
from devices.contract.errors import CommandRefusedError
from devices.contract.verbs import contradicts
from devices.ecosystems.base import Delivery
from devices.ecosystems.zigbee2mqtt.command import Target, encode
from devices.ecosystems.zigbee2mqtt.exposes import Part, parts
from tests.devices.ecosystems.zigbee2mqtt.definitions import STATE, generic, wrapper

pytestmark = pytest.mark.unit

LEVEL = generic("numeric", "brightness", 7, value_min=0, value_max=254)
WARMTH = generic("numeric", "color_temp", 7, value_min=153, value_max=500)
POSITION = generic("numeric", "position", 7, value_min=0, value_max=100)
MOVES = generic("enum", "state", 3, values=["OPEN", "CLOSE", "STOP"])
BOLT = generic("binary", "state", 7, value_on="LOCK", value_off="UNLOCK")


def part(*exposes: dict[str, Any]) -> Part:
    (made,) = parts(list(exposes), "Thing")
    return made


def told(made: Part, command: str, /, *, sleepy: bool = False, **args: Any) -> Delivery:
    return encode(Target("z/thing", "Thing", sleepy), made, Command("c", command, args, 3000))


def body(delivery: Delivery) -> Any:
    (message,) = delivery.messages
    assert message.topic == "z/thing/set"
    return json.loads(message.payload)


@pytest.mark.parametrize("form", ["color_xy", "color_hs"])
def test_a_dark_colour_is_shown_as_bright_as_the_lamp_is(form: str) -> None:
    names = {"color_xy": ("x", "y"), "color_hs": ("hue", "saturation")}[form]
    parts_of = [generic("numeric", name, 7) for name in names]
    color = {"type": "composite", "name": form, "property": "color", "access": 7}
    delivery = told(
        part(wrapper("light", STATE, {**color, "features": parts_of})),
        "turn_on",
        color="#008000",
    )
    assert contradicts({"color": "#00ff00"}, {"color": delivery.proof.state["color"]}) is None


def test_all_that_is_asked_of_a_lamp_is_one_message() -> None:
    delivery = told(
        part(wrapper("light", STATE, LEVEL, WARMTH)),
        "turn_on",
        brightness=50,
        color_temperature=2700,
    )
    assert body(delivery) == {"state": "ON", "brightness": 127, "color_temp": 370}
    assert delivery.proof.needs is Evidence.REPORTED
    assert delivery.proof.state == {"on": True, "brightness": 50, "color_temperature": 2703}
    (back,) = delivery.proof.read_back
    assert (back.topic, json.loads(back.payload)) == (
        "z/thing/get",
        {"state": "", "brightness": "", "color_temp": ""},
    )


def test_where_nothing_can_be_asked_the_echo_is_all_there_is() -> None:
    delivery = told(part(wrapper("switch", STATE | {"access": 3})), "turn_off")
    assert delivery.proof.needs is Evidence.ECHOED
    assert delivery.proof.read_back == []


def test_what_is_never_reported_cannot_be_confirmed() -> None:
    effect = generic("enum", "effect", 2, values=["blink", "breathe"])
    delivery = told(part(effect), "set_value", name="effect", value="blink")
    assert body(delivery) == {"effect": "blink"}
    assert delivery.proof.needs is Evidence.PUBLISHED


def test_a_cover_must_arrive() -> None:
    delivery = told(part(wrapper("cover", MOVES, POSITION)), "set_cover", position=40)
    assert body(delivery) == {"position": 40}
    assert delivery.proof.needs is Evidence.SETTLED


def test_a_cover_that_is_told_where_it_cannot_be_asked() -> None:
    blind = part(wrapper("cover", MOVES, POSITION | {"access": 3}))
    assert told(blind, "set_cover", position=40).proof.needs is Evidence.PUBLISHED


def test_a_cover_without_positions_opens_and_closes() -> None:
    gate = part(wrapper("cover", MOVES))
    assert body(told(gate, "set_cover", position=100)) == {"state": "OPEN"}
    assert body(told(gate, "stop")) == {"state": "STOP"}
    with pytest.raises(CommandRefusedError):
        told(gate, "set_cover", position=40)


def test_a_lock_is_asked_even_when_it_sleeps() -> None:
    delivery = told(part(wrapper("lock", BOLT)), "lock", sleepy=True)
    assert body(delivery) == {"state": "LOCK"}
    assert delivery.proof.needs is Evidence.SETTLED
    assert [json.loads(question.payload) for question in delivery.proof.read_back] == [
        {"state": ""}
    ]


def test_a_button() -> None:
    feeder = part(generic("enum", "feed", 2, values=["START"]))
    assert body(told(feeder, "press", name="feed")) == {"feed": "START"}
    with pytest.raises(CommandRefusedError):
        told(feeder, "press", name="other")


def test_a_sleeper_is_not_asked() -> None:
    delivery = told(part(wrapper("light", STATE)), "turn_on", sleepy=True)
    assert delivery.proof.sleepy
    assert delivery.proof.read_back == []


@pytest.mark.parametrize(
    ("name", "value"), [("level", 11), ("level", -1), ("level", True), ("level", "5")]
)
def test_what_is_out_of_range_is_refused(name: str, value: Any) -> None:
    dial = part(generic("numeric", "level", 7, value_min=0, value_max=10))
    with pytest.raises(CommandRefusedError):
        told(dial, "set_value", name=name, value=value)


def test_what_it_has_no_word_for_is_refused() -> None:
    with pytest.raises(CommandRefusedError):
        told(part(wrapper("light", STATE)), "vacuum", action="start")
