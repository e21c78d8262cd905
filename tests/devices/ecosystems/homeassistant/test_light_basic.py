from __future__ import annotations

from typing import Any

import pytest

from devices.contract.capability import Kind
from devices.contract.errors import CommandRefusedError
from tests.devices.ecosystems.homeassistant.building import (
    ECHOED,
    PUBLISHED,
    ordered,
    part,
    told,
    unpacked,
)

pytestmark = pytest.mark.unit

BASE: dict[str, Any] = {"cmd_t": "l/set", "stat_t": "l"}
BRIGHT: dict[str, Any] = {"bri_cmd_t": "l/bri/set", "bri_stat_t": "l/bri", "bri_scl": 100}


def test_attributes_first_then_on() -> None:
    made = part("light", **BASE, **BRIGHT)
    messages, state, needs = ordered(made, "turn_on", brightness=40)
    assert messages == [("l/bri/set", "40"), ("l/set", "ON")]
    assert (state, needs) == ({"brightness": 40, "on": True}, ECHOED)
    assert ordered(made, "turn_off")[0] == [("l/set", "OFF")]


def test_on_first_where_that_is_asked() -> None:
    made = part("light", **BASE, **BRIGHT, on_cmd_type="first")
    assert ordered(made, "turn_on", brightness=40)[0] == [("l/set", "ON"), ("l/bri/set", "40")]


def test_brightness_instead_of_on() -> None:
    made = part("light", **BASE, **BRIGHT, on_cmd_type="brightness")
    assert ordered(made, "turn_on", brightness=40)[0] == [("l/bri/set", "40")]
    messages, state, needs = ordered(made, "turn_on")
    assert (messages, state["on"], needs) == ([("l/bri/set", "100")], True, ECHOED)


def test_an_attribute_without_a_state_makes_the_whole_unsure() -> None:
    made = part("light", **BASE, bri_cmd_t="l/bri/set")
    assert ordered(made, "turn_on")[2] is ECHOED
    assert ordered(made, "turn_on", brightness=40)[2] is PUBLISHED


@pytest.mark.parametrize(
    ("form", "payload", "echo"),
    [
        ("rgb", "255,0,0", "254,1,1"),
        ("rgbw", "255,0,0,0", "254,1,1,0"),
        ("rgbww", "255,0,0,0,0", "254,1,1,0,0"),
        ("hs", "0.0,100.0", "0,99"),
    ],
)
def test_colours(form: str, payload: str, echo: str) -> None:
    made = part("light", **BASE, **{f"{form}_cmd_t": "l/c/set", f"{form}_stat_t": "l/c"})
    messages, state, _ = ordered(made, "turn_on", color="#ff0000")
    assert messages[0] == ("l/c/set", payload)
    assert state["color"] == "#ff0000"
    assert told(made, "l/c", echo)["color"].startswith("#f")
    assert told(made, "l/c", "junk") == {}


def test_a_colour_template_sees_its_parts() -> None:
    made = part(
        "light",
        **BASE,
        rgb_cmd_t="c",
        rgb_cmd_tpl="{{ '#%02x%02x%02x' | format(red, green, blue) }}",
    )
    assert ordered(made, "turn_on", color="#10a0ff")[0][0] == ("c", "#10a0ff")


def test_warmth_in_mired_and_in_kelvin() -> None:
    fields = {"clr_temp_cmd_t": "l/ct/set", "clr_temp_stat_t": "l/ct"}
    mired, kelvin = (
        part("light", **BASE, **fields),
        part("light", **BASE, **fields, clr_temp_k=True),
    )
    assert ordered(mired, "turn_on", color_temperature=2700)[0][0] == ("l/ct/set", "370")
    assert ordered(kelvin, "turn_on", color_temperature=2700)[0][0] == ("l/ct/set", "2700")
    assert told(mired, "l/ct", "370") == {"color_temperature": 2703}
    assert told(kelvin, "l/ct", "2700") == {"color_temperature": 2700}


def test_effects_are_a_choice() -> None:
    made = part("light", **BASE, fx_cmd_t="l/fx/set", fx_stat_t="l/fx", fx_list=["rainbow"])
    assert [c.kind for c in made.capabilities] == [Kind.POWER, Kind.SELECT]
    assert unpacked(made.values["effect"]("rainbow"))[0] == [("l/fx/set", "rainbow")]


def test_what_it_has_not_got_is_refused() -> None:
    with pytest.raises(CommandRefusedError):
        ordered(part("light", **BASE), "turn_on", brightness=40)


def test_states_go_through_their_template() -> None:
    made = part("light", **BASE, stat_val_tpl="{{ value_json.power }}")
    assert told(made, "l", '{"power": "OFF"}') == {"on": False}
