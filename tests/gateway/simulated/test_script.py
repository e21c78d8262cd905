from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.simulated.script import Model, Turn

pytestmark = pytest.mark.unit

LIGHTS = ["Kitchen light", "Living room lamp", "all lights", "kitchen"]


def tool(name: str, targets: list[str] | None = None, **properties: Any) -> dict[str, Any]:
    target = {"type": "string"} | ({"enum": targets} if targets else {})
    parameters = {"type": "object", "properties": {"target": target, **properties}, "required": []}
    return {"type": "function", "name": name, "description": name, "parameters": parameters}


TOOLS = [
    tool("turn_on", LIGHTS),
    tool("turn_off", LIGHTS),
    tool("set_cover", ["Bedroom blind", "Garage door"]),
    tool("stop", ["Bedroom blind"]),
    tool("lock", ["Front door"]),
    tool("unlock", ["Front door"]),
    tool("set_climate", ["Thermostat"]),
    tool("set_fan", ["Ceiling fan"]),
    tool("get_state", [*LIGHTS, "Front door", "Outdoor sensor"]),
    tool("vacuum"),
    tool("press"),
    tool("find_devices"),
    tool("recent_actions"),
    tool("confirm"),
    {
        "type": "function",
        "name": "brew_coffee",
        "parameters": {
            "type": "object",
            "properties": {
                "cups": {"type": "integer"},
                "strength": {"type": "string", "enum": ["mild", "strong"]},
            },
        },
    },
]


@pytest.fixture
def model() -> Model:
    made = Model()
    made.define(TOOLS)
    return made


def called(turn: Turn) -> list[tuple[str, dict[str, Any]]]:
    return [(ask.name, dict(ask.arguments)) for ask in turn.calls]


@pytest.mark.parametrize(
    ("said", "name", "arguments"),
    [
        ("Turn on the kitchen light.", "turn_on", {"target": "Kitchen light"}),
        ("please turn the kitchen light on", "turn_on", {"target": "Kitchen light"}),
        ("turn off all lights", "turn_off", {"target": "all lights"}),
        (
            "set the living room lamp to 30%",
            "turn_on",
            {"target": "Living room lamp", "brightness": 30},
        ),
        (
            "dim the kitchen light to forty five percent",
            "turn_on",
            {"target": "Kitchen light", "brightness": 45},
        ),
        (
            "make the living room lamp blue",
            "turn_on",
            {"target": "Living room lamp", "color": "blue"},
        ),
        (
            "make the living room lamp warm white",
            "turn_on",
            {"target": "Living room lamp", "color_temperature": 2700},
        ),
        (
            "set the kitchen light to 4000 kelvin",
            "turn_on",
            {"target": "Kitchen light", "color_temperature": 4000},
        ),
        ("open the bedroom blind", "set_cover", {"target": "Bedroom blind", "position": 100}),
        ("close the bedroom blind", "set_cover", {"target": "Bedroom blind", "position": 0}),
        ("set the blind to 40 percent", "set_cover", {"target": "Bedroom blind", "position": 40}),
        ("open the garage door to 20%", "set_cover", {"target": "Garage door", "position": 20}),
        ("stop the blind", "stop", {"target": "Bedroom blind"}),
        ("set the ceiling fan to 50%", "set_fan", {"target": "Ceiling fan", "percent": 50}),
        ("lock the front door", "lock", {"target": "Front door"}),
        ("unlock the front door", "unlock", {"target": "Front door"}),
        (
            "set the thermostat to 21.5 degrees",
            "set_climate",
            {"target": "Thermostat", "temperature": 21.5},
        ),
        ("is the front door locked?", "get_state", {"target": "Front door"}),
        ("what's the outdoor temperature?", "get_state", {"target": "Outdoor sensor"}),
        ("what is the state of the kitchen light", "get_state", {"target": "Kitchen light"}),
        ("start the vacuum", "vacuum", {"target": "vacuum", "action": "start"}),
        ("activate movie night", "press", {"target": "movie night"}),
        ("what devices are in the kitchen", "find_devices", {"area": "kitchen"}),
        ("what did you do last night?", "recent_actions", {}),
        ("brew two cups of coffee", "brew_coffee", {"cups": 2}),
        ("brew a strong coffee", "brew_coffee", {"strength": "strong"}),
    ],
)
def test_a_sentence_becomes_a_call(
    model: Model, said: str, name: str, arguments: dict[str, Any]
) -> None:
    assert called(model.turn(said)) == [(name, arguments)]


def test_a_target_that_is_not_in_the_list_goes_through_as_spoken(model: Model) -> None:
    (call,) = called(model.turn("turn on everything in the moon base"))
    assert call == ("turn_on", {"target": "everything in the moon base"})


@pytest.mark.parametrize(
    "said",
    [
        "turn on the kitchen light and close the bedroom blind",
        "close the bedroom blind and then turn on the kitchen light",
        "turn on the kitchen light and the living room lamp",
    ],
)
def test_two_commands_are_two_calls(model: Model, said: str) -> None:
    assert len(model.turn(said).calls) == 2


def test_and_in_something_not_understood_splits_nothing(model: Model) -> None:
    (call,) = called(model.turn("what is the weather and the news"))
    assert call[0] == "get_state"


def test_only_tools_that_were_defined_are_called(model: Model) -> None:
    model.define([tool("lock", ["Front door"])])
    turn = model.turn("turn on the kitchen light")
    assert turn.calls == ()
    assert "turn on the kitchen light" in turn.words


def test_what_is_not_understood_is_said(model: Model) -> None:
    assert model.turn("sing me a song").words.startswith("I do not know how")


def test_outcomes_are_spoken_in_their_own_words(model: Model) -> None:
    on = json.dumps({"ok": True, "message": "Kitchen light is on."})
    late = json.dumps({"ok": None, "message": "The blind did not answer."})
    assert model.speak([on, late]) == "Kitchen light is on. The blind did not answer."


@pytest.mark.parametrize("output", ["", "[]", "{}", '{"ok": true}'])
def test_an_outcome_without_words_is_never_spoken_as_done(model: Model, output: str) -> None:
    assert model.speak([output]).startswith("I ")


def held(model: Model) -> None:
    outcome = {"ok": False, "status": "needs_confirmation", "confirmation": "t-1", "message": "?"}
    model.speak([json.dumps(outcome)])


@pytest.mark.parametrize("yes", ["yes", "Yes please.", "confirm", "ok", "go ahead"])
def test_yes_confirms_what_was_held_once(model: Model, yes: str) -> None:
    held(model)
    assert called(model.turn(yes)) == [("confirm", {"confirmation": "t-1"})]
    assert model.turn(yes).calls == ()


def test_no_leaves_it_and_so_does_another_command(model: Model) -> None:
    held(model)
    assert model.turn("no").calls == ()
    assert model.turn("yes").calls == ()
    held(model)
    model.turn("turn on the kitchen light")
    assert model.turn("yes").calls == ()


@given(st.text(max_size=200))
def test_any_sentence_is_answered(text: str) -> None:
    model = Model()
    model.define(TOOLS)
    turn = model.turn(text)
    assert bool(turn.calls) != bool(turn.words)
