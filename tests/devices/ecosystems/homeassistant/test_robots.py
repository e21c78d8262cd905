from __future__ import annotations

from typing import Any

import pytest

from devices.contract.capability import Kind
from devices.contract.command import Evidence
from devices.contract.errors import CommandRefusedError
from tests.devices.ecosystems.homeassistant.building import (
    ECHOED,
    PUBLISHED,
    SETTLED,
    ordered,
    part,
    told,
    unpacked,
)

pytestmark = pytest.mark.unit

BASE: dict[str, Any] = {"cmd_t": "v/set", "stat_t": "v"}
ALL = ["start", "stop", "pause", "return_home", "clean_spot", "locate", "fan_speed"]


def test_cleaning_is_done_when_it_cleans_and_going_home_when_it_is_docked() -> None:
    made = part("vacuum", **BASE, sup_feat=ALL)
    found = {a: ordered(made, "vacuum", action=a) for a in made.capabilities[0].options}
    assert found["start"] == ([("v/set", "start")], {"mode": "cleaning"}, Evidence.REPORTED)
    assert found["return_to_base"] == ([("v/set", "return_to_base")], {"mode": "docked"}, SETTLED)
    assert found["pause"] == ([("v/set", "pause")], {"mode": "paused"}, SETTLED)
    assert found["locate"] == ([("v/set", "locate")], {}, PUBLISHED)
    assert ordered(made, "stop") == ([("v/set", "stop")], {"moving": False}, SETTLED)


def test_states() -> None:
    made = part("vacuum", **BASE)
    assert told(made, "v", '{"state": "returning"}') == {"mode": "returning", "moving": True}
    assert told(made, "v", '{"state": "docked"}') == {"mode": "docked", "moving": False}
    assert told(made, "v", '{"state": "cleaning"}') == {"mode": "cleaning", "moving": None}
    assert told(made, "v", '{"state": 7}') == {}
    assert told(made, "v", "gibberish") == {}


def test_an_error_is_a_failure_of_what_it_was_told() -> None:
    (source,) = part("vacuum", **BASE).sources
    trip = source.trip('{"state": "error"}')
    assert trip is not None
    assert trip.keys == {"vacuum:", "moving"}
    assert source.trip('{"state": "idle"}') is None


def test_only_what_it_can_do() -> None:
    made = part("vacuum", **BASE)
    assert made.capabilities[0].options == ("start", "stop", "return_to_base", "clean_spot")
    for wrong in ("locate", "fly", None):
        with pytest.raises(CommandRefusedError):
            ordered(made, "vacuum", action=wrong)


def test_how_hard_it_sucks() -> None:
    made = part("vacuum", **BASE, set_fan_spd_t="v/speed", fanspd_lst=["min", "max"])
    assert made.capabilities[1].kind is Kind.SELECT
    assert unpacked(made.values["fan speed"]("max")) == (
        [("v/speed", "max")],
        {"fan speed": "max"},
        ECHOED,
    )
    assert told(made, "v", '{"state": "idle", "fan_speed": "min"}')["fan speed"] == "min"
    with pytest.raises(CommandRefusedError):
        made.values["fan speed"]("huge")


def test_a_lawn_mower_has_a_topic_for_each_action() -> None:
    made = part(
        "lawn_mower",
        act_stat_t="m",
        strt_mw_cmd_t="m/start",
        dock_cmd_t="m/dock",
        pause_cmd_t="m/pause",
    )
    assert made.capabilities[0].options == ("start", "pause", "return_to_base")
    assert ordered(made, "vacuum", action="start") == (
        [("m/start", "start_mowing")],
        {"mode": "mowing"},
        Evidence.REPORTED,
    )
    assert ordered(made, "vacuum", action="return_to_base")[0] == [("m/dock", "dock")]
    assert ordered(made, "stop") == ([("m/pause", "pause")], {"moving": False}, SETTLED)
    assert told(made, "m", "mowing") == {"mode": "mowing", "moving": None}


def test_what_nobody_tells_is_not_sure() -> None:
    assert ordered(part("vacuum", cmd_t="v/set"), "vacuum", action="start")[2] is PUBLISHED
    assert part("lawn_mower", act_stat_t="m").capabilities == ()
