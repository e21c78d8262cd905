from __future__ import annotations

import pytest

from devices.contract.capability import Kind, Risk
from tests.devices.ecosystems.homeassistant.building import (
    ECHOED,
    PUBLISHED,
    ordered,
    part,
    told,
)

pytestmark = pytest.mark.unit


def test_a_switch_with_the_usual_words() -> None:
    made = part("switch", cmd_t="a/set", stat_t="a")
    assert ordered(made, "turn_on") == ([("a/set", "ON")], {"on": True}, ECHOED)
    assert ordered(made, "turn_off") == ([("a/set", "OFF")], {"on": False}, ECHOED)
    assert told(made, "a", "OFF") == {"on": False}


def test_what_it_is_told_and_what_it_tells_may_differ() -> None:
    fields = {"pl_on": True, "pl_off": False, "stat_on": "1", "stat_off": "0"}
    made = part("switch", cmd_t="a/set", stat_t="a", **fields)
    assert ordered(made, "turn_on")[0] == [("a/set", "True")]
    assert told(made, "a", "1") == {"on": True}
    assert told(made, "a", "True") == {}


def test_a_python_word_leaks_through_a_template() -> None:
    made = part("switch", cmd_t="a/set", stat_t="a", pl_on=True, val_tpl="{{ value_json.on }}")
    assert told(made, "a", '{"on": true}') == {"on": True}


def test_nobody_tells_what_became_of_an_optimistic_switch() -> None:
    assert ordered(part("switch", cmd_t="a/set"), "turn_on")[2] is PUBLISHED
    assert ordered(part("switch", cmd_t="a/set", stat_t="a", opt=True), "turn_on")[2] is PUBLISHED


def test_a_switch_without_a_topic_is_none() -> None:
    assert part("switch", stat_t="a").capabilities == ()


def test_a_siren_is_guarded_and_speaks_json() -> None:
    made = part("siren", cmd_t="a/set", stat_t="a")
    assert [(c.kind, c.risk) for c in made.capabilities] == [(Kind.POWER, Risk.GUARDED)]
    assert ordered(made, "turn_on")[0] == [("a/set", '{"state": "ON"}')]
    assert told(made, "a", '{"state": "ON", "tone": "bell"}') == {"on": True}
    assert told(made, "a", "OFF") == {"on": False}
    assert told(made, "a", "[1]") == {}


def test_a_siren_with_a_template_of_its_own() -> None:
    made = part("siren", cmd_t="a/set", cmd_tpl="S:{{ value }}", cmd_off_tpl="Q:{{ value }}")
    assert ordered(made, "turn_on")[0] == [("a/set", "S:ON")]
    assert ordered(made, "turn_off")[0] == [("a/set", "Q:OFF")]
