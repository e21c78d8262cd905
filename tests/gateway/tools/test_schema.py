from __future__ import annotations

from typing import Any

import pytest

from gateway.tools import schema

pytestmark = pytest.mark.unit


def test_a_short_list_of_targets_is_an_enum(home: Any) -> None:
    home.add("Kitchen light", "Kitchen", "power")
    home.add("Hall light", "Hall", "power")
    (turn_on, *_) = home.registry.current().definitions
    assert turn_on == {
        "type": "function",
        "name": "turn_on",
        "description": "Switch on, or set a light.",
        "parameters": {
            "type": "object",
            "properties": {
                "target": {
                    "type": "string",
                    "description": "Device, area or kind",
                    "enum": ["Hall light", "Kitchen light", "Hall", "Kitchen", "all lights"],
                },
                "brightness": {"type": "integer", "description": "%", "minimum": 0, "maximum": 100},
                "color": {"type": "string", "description": "Name or #rrggbb"},
                "color_temperature": {"type": "integer", "description": "Kelvin"},
            },
            "required": ["target"],
        },
    }


def test_the_longest_lists_go_first(home: Any) -> None:
    for n in range(36):
        home.add(
            f"A lamp with a name that nobody would ever want to say, {n}", "", "power", "brightness"
        )
    home.add("Blind", "", "cover")
    offered = home.registry.current().definitions
    listed = {
        d["name"] for d in offered if "enum" in d["parameters"]["properties"].get("target", {})
    }
    assert {"set_cover", "stop"} <= listed
    assert "get_state" not in listed
    assert schema.needs_search(offered)
    assert schema.size_bytes(offered) <= schema.LISTING_BUDGET_BYTES


def test_realtime_providers_take_the_definitions_as_they_are(home: Any) -> None:
    home.add("Light", "", "power")
    offered = home.registry.current().definitions
    assert schema.definitions_for("navtalk", offered) == list(offered)
    assert schema.definitions_for("openai", offered) == list(offered)


def test_elevenlabs_waits_for_the_answer_and_gets_no_ranges(home: Any) -> None:
    home.add("Light", "Hall", "power", "brightness")
    offered = home.registry.current().definitions
    turn_on = schema.definitions_for("elevenlabs", offered)[0]
    assert (turn_on["type"], turn_on["name"]) == ("client", "turn_on")
    assert turn_on["expects_response"] is True
    assert turn_on["tool_error_handling_mode"] == "passthrough"
    properties = turn_on["parameters"]["properties"]
    assert properties["brightness"] == {"type": "integer", "description": "% (0 to 100)"}
    assert properties["target"]["enum"]
    for definition in schema.definitions_for("elevenlabs", offered):
        for literal in definition["parameters"]["properties"].values():
            assert literal["description"]
            assert literal.keys() <= {"type", "description", "enum"}
