from __future__ import annotations

from typing import Any

import pytest

from devices.contract.capability import Kind, Risk
from devices.contract.command import Evidence
from devices.contract.errors import CommandRefusedError, PayloadError
from devices.ecosystems.homeassistant.covers import cover
from tests.devices.ecosystems.homeassistant.building import (
    ECHOED,
    PUBLISHED,
    SETTLED,
    entity,
    ordered,
    part,
    told,
    unpacked,
)

pytestmark = pytest.mark.unit

WORDS: dict[str, Any] = {"cmd_t": "c/set", "stat_t": "c"}
PLACES: dict[str, Any] = {"pos_t": "c/pos", "set_pos_t": "c/pos/set"}


def test_words_for_the_ends_and_positions_between() -> None:
    made = part("cover", **WORDS, **PLACES)
    assert ordered(made, "set_cover", position=100) == (
        [("c/set", "OPEN")],
        {"position": 100},
        SETTLED,
    )
    assert ordered(made, "set_cover", position=0)[0] == [("c/set", "CLOSE")]
    assert ordered(made, "set_cover", position=40) == (
        [("c/pos/set", "40")],
        {"position": 40},
        SETTLED,
    )
    assert ordered(made, "stop") == ([("c/set", "STOP")], {"moving": False}, SETTLED)


def test_states_say_whether_it_moves_and_positions_where_it_is() -> None:
    made = part("cover", **WORDS, **PLACES)
    words = ("opening", "closing", "open", "closed", "stopped", "broken")
    assert [told(made, "c", word) for word in words] == [
        {"moving": True},
        {"moving": True},
        {"moving": False},
        {"moving": False},
        {"moving": False},
        {},
    ]
    assert told(made, "c/pos", "41.0") == {"position": 41}
    assert {s.evidence for s in made.sources} == {Evidence.REPORTED}


def test_without_positions_the_words_are_all_there_is() -> None:
    made = part("cover", **WORDS)
    assert told(made, "c", "open") == {"moving": False, "position": 100}
    assert told(made, "c", "closed") == {"moving": False, "position": 0}
    assert told(made, "c", "stopped") == {"moving": False, "position": None}
    with pytest.raises(CommandRefusedError, match="opened or closed"):
        ordered(made, "set_cover", position=40)


def test_a_cover_that_counts_the_wrong_way_round() -> None:
    made = part("cover", **PLACES, pos_open=0, pos_clsd=100)
    assert ordered(made, "set_cover", position=30)[0] == [("c/pos/set", "70")]
    assert told(made, "c/pos", "70") == {"position": 30}


def test_a_coarse_cover_is_proved_by_what_it_can_show() -> None:
    made = part("cover", **PLACES, pos_open=10, pos_clsd=0)
    messages, state, _ = ordered(made, "set_cover", position=37)
    assert (messages, state) == ([("c/pos/set", "4")], {"position": 40})


def test_only_positions() -> None:
    made = part("cover", **PLACES)
    assert ordered(made, "set_cover", position=0) == (
        [("c/pos/set", "0")],
        {"position": 0},
        SETTLED,
    )
    with pytest.raises(CommandRefusedError, match="stopped"):
        ordered(made, "stop")


def test_a_payload_that_is_null_is_switched_off() -> None:
    made = part("cover", **WORDS, **PLACES, pl_stop=None, pl_open=None)
    with pytest.raises(CommandRefusedError):
        ordered(made, "stop")
    assert ordered(made, "set_cover", position=100)[0] == [("c/pos/set", "100")]


def test_an_optimistic_cover_is_never_sure() -> None:
    assert ordered(part("cover", cmd_t="c/set"), "set_cover", position=0)[2] is PUBLISHED
    assert ordered(part("cover", cmd_t="c/set", **PLACES), "stop")[2] is PUBLISHED


def test_a_template_for_positions_sees_both_ends() -> None:
    template = "{{ position }}/{{ position_open }}/{{ position_closed }}"
    made = part("cover", **PLACES, set_pos_tpl=template)
    assert ordered(made, "set_cover", position=5)[0] == [("c/pos/set", "5/100/0")]


def test_what_opens_the_house_is_guarded() -> None:
    garage = cover(entity("cover", "Garage door", **WORDS))
    assert garage.capabilities[0].risk is Risk.GUARDED
    assert part("cover", **WORDS).capabilities[0].risk is Risk.NORMAL


def test_tilt_is_a_named_number() -> None:
    made = part("cover", **WORDS, tilt_cmd_t="t/set", tilt_status_t="t", tilt_min=0, tilt_max=50)
    assert made.capabilities[1].name == "tilt"
    assert unpacked(made.values["tilt"](40)) == ([("t/set", "20")], {"tilt": 40}, ECHOED)
    assert told(made, "t", "20") == {"tilt": 40}
    with pytest.raises(CommandRefusedError):
        made.values["tilt"](101)


def test_ends_that_are_the_same_make_no_sense() -> None:
    with pytest.raises(PayloadError):
        part("cover", **PLACES, pos_open=5, pos_clsd=5)


def test_no_position_outside_the_range() -> None:
    made = part("cover", **PLACES)
    for wrong in (-1, 101, None, "half"):
        with pytest.raises(CommandRefusedError):
            ordered(made, "set_cover", position=wrong)


def test_a_valve_by_words() -> None:
    made = part("valve", **WORDS, pl_stop="STOP")
    assert [(c.kind, c.risk) for c in made.capabilities] == [(Kind.COVER, Risk.GUARDED)]
    assert ordered(made, "set_cover", position=100) == (
        [("c/set", "OPEN")],
        {"position": 100},
        SETTLED,
    )
    assert ordered(made, "stop")[0] == [("c/set", "STOP")]
    assert told(made, "c", "opening") == {"moving": True}
    assert told(made, "c", '{"state": "closed"}') == {"moving": False, "position": 0}
    with pytest.raises(CommandRefusedError):
        ordered(made, "set_cover", position=50)
    with pytest.raises(CommandRefusedError):
        ordered(part("valve", **WORDS), "stop")


def test_a_valve_by_position() -> None:
    made = part("valve", **WORDS, pos=True, pos_open=10)
    assert ordered(made, "set_cover", position=50) == ([("c/set", "5")], {"position": 50}, SETTLED)
    assert told(made, "c", "5") == {"position": 50}
    assert told(made, "c", '{"state": "opening", "position": 3}') == {
        "moving": True,
        "position": 30,
    }
