from __future__ import annotations

from typing import Any

import pytest

from devices.contract.capability import Kind
from tests.devices.ecosystems.homeassistant.building import (
    ECHOED,
    PUBLISHED,
    ordered,
    part,
    told,
)

pytestmark = pytest.mark.unit

ON = (
    "on{% if brightness is defined %},{{ brightness }}{% endif %}"
    "{% if red is defined %},{{ red }}-{{ green }}-{{ blue }}{% endif %}"
)
FULL: dict[str, Any] = {
    "schema": "template",
    "cmd_t": "l/set",
    "stat_t": "l",
    "cmd_on_tpl": ON,
    "cmd_off_tpl": "off",
    "stat_tpl": "{{ value.split(',')[0] }}",
    "bri_tpl": "{{ value.split(',')[1] }}",
    "r_tpl": "{{ value.split(',')[2].split('-')[0] }}",
    "g_tpl": "{{ value.split(',')[2].split('-')[1] }}",
    "b_tpl": "{{ value.split(',')[2].split('-')[2] }}",
}


def test_both_directions() -> None:
    made = part("light", **FULL)
    kinds = [c.kind for c in made.capabilities]
    assert kinds == [Kind.POWER, Kind.BRIGHTNESS, Kind.COLOR]
    messages, state, needs = ordered(made, "turn_on", brightness=50, color="#ff0080")
    assert messages == [("l/set", "on,128,255-0-128")]
    assert (state, needs) == ({"on": True, "brightness": 50, "color": "#ff0080"}, ECHOED)
    assert told(made, "l", "on,128,255-0-128") == state
    assert ordered(made, "turn_off")[0] == [("l/set", "off")]


def test_without_a_template_for_the_state_nothing_is_sure() -> None:
    made = part("light", **{**FULL, "stat_tpl": None})
    assert ordered(made, "turn_on")[2] is PUBLISHED


def test_without_both_commands_it_is_no_light() -> None:
    assert part("light", **{**FULL, "cmd_off_tpl": None}).capabilities == ()


def test_warmth() -> None:
    made = part("light", **FULL, clr_temp_tpl="{{ value_json.ct }}")
    assert told(made, "l", '{"ct": 370}')["color_temperature"] == 2703
