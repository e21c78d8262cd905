from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.contract.capability import Kind
from devices.contract.errors import CommandRefusedError, PayloadError
from devices.ecosystems.homeassistant.fans import Speeds
from tests.devices.ecosystems.homeassistant.building import (
    ECHOED,
    ordered,
    part,
    told,
    unpacked,
)

pytestmark = pytest.mark.unit

BASE: dict[str, Any] = {
    "cmd_t": "f/set",
    "stat_t": "f",
    "pct_cmd_t": "f/pct/set",
    "pct_stat_t": "f/pct",
    "spd_rng_max": 4,
    "pr_mode_cmd_t": "f/p/set",
    "pr_mode_stat_t": "f/p",
    "pr_modes": ["sleep"],
}


@given(st.integers(1, 100), st.integers(1, 20), st.integers(1, 100))
def test_a_speed_that_is_echoed_is_the_one_that_was_meant(
    percent: int, slowest: int, more: int
) -> None:
    speeds = Speeds(slowest, slowest + more)
    wire = speeds.wire(percent)
    assert slowest <= wire <= slowest + more
    assert speeds.wire(speeds.percent(wire) or 0) in (wire, wire - 1)


def test_speeds_of_a_range() -> None:
    speeds = Speeds(1, 4)
    assert [speeds.wire(p) for p in (1, 25, 26, 100)] == [1, 1, 2, 4]
    assert [speeds.percent(s) for s in (0, 1, 4, 5)] == [0, 25, 100, None]


def test_a_fan() -> None:
    made = part("fan", **BASE)
    assert [c.kind for c in made.capabilities] == [Kind.POWER, Kind.FAN]
    assert ordered(made, "turn_off")[0] == [("f/set", "OFF")]
    assert ordered(made, "set_fan", percent=60) == (
        [("f/set", "ON"), ("f/pct/set", "3")],
        {"on": True, "fan_percent": 75},
        ECHOED,
    )
    assert ordered(made, "set_fan", mode="sleep") == (
        [("f/p/set", "sleep")],
        {"mode": "sleep"},
        ECHOED,
    )
    assert told(made, "f/pct", "2") == {"fan_percent": 50}
    assert told(made, "f/p", "sleep") == {"mode": "sleep"}


def test_who_never_tells_whether_it_is_on_tells_by_its_speed() -> None:
    made = part("fan", **{**BASE, "stat_t": None})
    assert ordered(made, "set_fan", percent=100) == (
        [("f/set", "ON"), ("f/pct/set", "4")],
        {"fan_percent": 100},
        ECHOED,
    )


def test_no_speed_is_off() -> None:
    assert ordered(part("fan", **BASE), "set_fan", percent=0) == (
        [("f/set", "OFF")],
        {"on": False},
        ECHOED,
    )


@pytest.mark.parametrize("args", [{}, {"percent": 101}, {"percent": "fast"}, {"mode": "turbo"}])
def test_what_does_not_fit(args: dict[str, Any]) -> None:
    with pytest.raises(CommandRefusedError):
        ordered(part("fan", **BASE), "set_fan", **args)


def test_oscillation_and_direction_are_choices() -> None:
    made = part("fan", cmd_t="f/set", osc_cmd_t="o/set", osc_stat_t="o", dir_cmd_t="d/set")
    assert [c.name for c in made.capabilities] == [None, "oscillation", "direction"]
    assert unpacked(made.values["oscillation"]("on"))[0] == [("o/set", "oscillate_on")]
    assert told(made, "o", "oscillate_off") == {"oscillation": "off"}
    assert unpacked(made.values["direction"]("reverse"))[0] == [("d/set", "reverse")]


def test_a_range_without_speeds_makes_no_sense() -> None:
    with pytest.raises(PayloadError):
        part("fan", **{**BASE, "spd_rng_min": 9})
