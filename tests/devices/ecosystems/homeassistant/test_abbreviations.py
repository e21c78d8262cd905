from __future__ import annotations

import pytest

from devices.ecosystems.homeassistant.abbreviations import (
    expand,
    expand_device,
    expand_origin,
    resolve_base,
)

pytestmark = pytest.mark.unit


def test_short_names_are_understood_and_long_ones_stay() -> None:
    found = expand({"stat_t": "a", "cmd_t": "b", "name": "n", "uniq_id": "u", "unheard_of": 1})
    assert found == {
        "state_topic": "a",
        "command_topic": "b",
        "name": "n",
        "unique_id": "u",
        "unheard_of": 1,
    }


def test_devices_and_origins_have_short_names_of_their_own() -> None:
    assert expand_device({"ids": "1", "sa": "Hall", "cns": []}) == {
        "identifiers": "1",
        "suggested_area": "Hall",
        "connections": [],
    }
    assert expand_origin({"sw": "1", "url": "u"}) == {"sw_version": "1", "support_url": "u"}


def test_the_base_stands_at_either_end_of_a_topic_and_nowhere_else() -> None:
    raw = {"command_topic": "~/set", "state_topic": "x/~", "name": "~", "payload_on": "~on"}
    assert resolve_base(raw, "lamp") == {
        "command_topic": "lamp/set",
        "state_topic": "x/lamp",
        "name": "~",
        "payload_on": "~on",
    }
    assert resolve_base(raw, "") == raw


def test_the_base_reaches_into_a_list_of_availabilities() -> None:
    found = resolve_base({"availability": [{"t": "~/up"}, "junk"]}, "lamp")
    assert found == {"availability": [{"topic": "lamp/up"}, "junk"]}
