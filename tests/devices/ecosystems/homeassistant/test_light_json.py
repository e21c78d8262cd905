from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

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

BASE: dict[str, Any] = {"schema": "json", "cmd_t": "l/set", "stat_t": "l", "brightness": True}


def body(made: Any, **args: Any) -> dict[str, Any]:
    ((topic, payload),) = ordered(made, "turn_on", **args)[0]
    assert topic == "l/set"
    found: dict[str, Any] = json.loads(payload)
    return found


def test_one_object_with_all_that_is_asked() -> None:
    made = part("light", **BASE, sup_clrm=["rgb", "color_temp"])
    assert body(made) == {"state": "ON"}
    assert body(made, brightness=50, color="#ff8000") == {
        "state": "ON",
        "brightness": 128,
        "color": {"r": 255, "g": 128, "b": 0},
    }
    assert body(made, color_temperature=2700) == {"state": "ON", "color_temp": 370}
    assert ordered(made, "turn_off") == ([("l/set", '{"state": "OFF"}')], {"on": False}, ECHOED)


def test_the_proof_is_what_the_scales_leave_of_it() -> None:
    made = part("light", **{**BASE, "bri_scl": 10}, sup_clrm=["hs"])
    state = ordered(made, "turn_on", brightness=37, color="#000080")[1]
    assert state == {"on": True, "brightness": 40, "color": "#0000ff"}


def test_states() -> None:
    made = part("light", **BASE, sup_clrm=["xy", "color_temp"])
    state = {"state": "ON", "brightness": 128, "color_mode": "color_temp", "color_temp": 370}
    both = {**state, "color": {"x": 0.5, "y": 0.4}}
    assert told(made, "l", json.dumps(both)) == {
        "on": True,
        "brightness": 50,
        "color_temperature": 2703,
    }
    coloured = told(made, "l", json.dumps({**both, "color_mode": "xy"}))
    assert set(coloured) == {"on", "brightness", "color"}
    assert told(made, "l", '{"state": null}') == {"on": None}
    assert told(made, "l", '{"brightness": 128}') == {"brightness": 50}
    assert told(made, "l", '{"state": "ON", "brightness": 0}') == {"on": True}
    assert told(made, "l", "ON") == {}


def test_effects() -> None:
    made = part("light", **BASE, effect=True, fx_list=["rainbow"])
    messages, state, needs = unpacked(made.values["effect"]("rainbow"))
    assert json.loads(messages[0][1]) == {"state": "ON", "effect": "rainbow"}
    assert (state, needs) == ({"effect": "rainbow"}, ECHOED)
    assert told(made, "l", '{"state": "ON", "effect": "rainbow"}')["effect"] == "rainbow"
    with pytest.raises(CommandRefusedError):
        made.values["effect"]("disco")


def test_without_a_state_topic_nothing_is_sure() -> None:
    made = part("light", schema="json", cmd_t="l/set")
    assert [c.kind for c in made.capabilities] == [Kind.POWER]
    assert ordered(made, "turn_on")[2] is PUBLISHED


@given(
    st.dictionaries(
        st.sampled_from(["state", "brightness", "color_mode", "color", "color_temp", "effect"]),
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text(max_size=5)
        | st.dictionaries(
            st.sampled_from("rgbhsxy"), st.integers() | st.floats() | st.text(max_size=3)
        ),
    )
)
def test_any_state_is_read_without_an_error(state: dict[str, Any]) -> None:
    made = part("light", **BASE, sup_clrm=["xy", "color_temp"])
    told(made, "l", json.dumps(state))
