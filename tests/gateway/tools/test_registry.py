from __future__ import annotations

import json
import logging
import re
from typing import Any

import pytest

from devices.contract.capability import Capability, Kind, OwnCommand, Parameter, ParameterType, Risk
from gateway.outcome import Status
from gateway.tools.python import tool
from gateway.tools.registry import RegistrySettings, ToolRegistry
from gateway.tools.target import House

pytestmark = pytest.mark.unit

CUPS = Parameter("cups", ParameterType.INTEGER, "How many cups.", minimum=1, maximum=4)
WARMTH = Capability(Kind.COLOR_TEMPERATURE, minimum=2200, maximum=6500)
HEATING = Capability(Kind.CLIMATE, minimum=5, maximum=30, options=("heat", "cool", "off"))
TYPES: tuple[tuple[str, tuple[Any, ...]], ...] = (
    ("ceiling light", ("power", "brightness", WARMTH)),
    ("floor lamp", ("power",)),
    ("blind", ("cover",)),
    ("socket", ("power",)),
    ("lock", (Capability(Kind.LOCK, risk=Risk.GUARDED),)),
    ("thermostat", (HEATING, Capability(Kind.SENSOR, name="humidity"))),
    ("motion sensor", (Capability(Kind.SENSOR, name="motion"),)),
    ("fan", ("power", Capability(Kind.FAN, options=("auto", "night")))),
    ("scene switch", ("button",)),
    ("dimmer", ("power", "brightness", Capability(Kind.NUMBER, name="fade", maximum=10))),
    ("robot", ("vacuum",)),
    ("siren", ("alarm",)),
)
ROOMS = ("Kitchen", "Living room", "Bedroom", "Hall", "Bathroom", "Garage", "Office", "Garden")


def mixed(home: Any, count: int) -> None:
    """A house as houses are: many kinds, some own commands."""
    for n in range(count):
        word, capabilities = TYPES[n % len(TYPES)]
        room = f"{ROOMS[n % len(ROOMS)]}{'' if count <= 60 else f' {n // 80}'}"
        name = f"{room} {word} {n}" if count > 60 else f"{room} {word}"
        commands = ()
        if n % 13 == 5:
            commands = (OwnCommand(f"special_{n}", "Do what only this one can do.", (CUPS,)),)
        home.add(name, room, *capabilities, commands=commands)


@pytest.mark.parametrize(("count", "limit"), [(10, 6000), (50, 6000), (1000, 8000)])
def test_definitions_stay_small(home: Any, count: int, limit: int) -> None:
    mixed(home, count)
    tools = home.registry.current()
    assert len(json.dumps(list(tools.definitions)).encode()) <= limit
    assert len(tools.names) <= 30
    assert len(tools.instructions.encode()) < 4000


def test_every_definition_is_what_providers_take(home: Any) -> None:
    mixed(home, 50)
    tools = home.registry.current()
    assert [d["name"] for d in tools.definitions] == list(tools.names)
    for definition in tools.definitions:
        assert definition["type"] == "function"
        assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", definition["name"])
        assert definition["description"]
        parameters = definition["parameters"]
        assert parameters["type"] == "object"
        assert set(parameters["required"]) <= parameters["properties"].keys()
        for schema in parameters["properties"].values():
            assert schema["type"] in {"string", "integer", "number", "boolean"}
            assert "enum" not in schema or schema["type"] == "string"


async def test_every_listed_target_is_understood(home: Any) -> None:
    mixed(home, 24)
    for definition in home.registry.current().definitions:
        targets = definition["parameters"]["properties"].get("target", {}).get("enum", [])
        assert len(targets) <= 40
        for text in targets:
            tool_ = home.registry.current().get(definition["name"])
            match = tool_.house.resolve(text, "" if tool_.name == "get_state" else tool_.name)
            assert getattr(match, "entries", ()), (definition["name"], text)


def test_names_that_are_too_many_are_searched(home: Any) -> None:
    mixed(home, 200)
    tools = home.registry.current()
    assert "find_devices" in tools.names
    turn_on = next(d for d in tools.definitions if d["name"] == "turn_on")
    target = turn_on["parameters"]["properties"]["target"]
    assert "enum" not in target
    assert "find_devices" in target["description"]
    assert "find_devices" in tools.instructions


def test_the_same_set_is_kept_while_only_states_change(home: Any) -> None:
    light = home.add("Light", "Hall", "power")
    before = home.registry.current()
    home.reports(light, on=True)
    home.online(light, True)
    assert home.registry.current() is before
    home.add("Lock", "Hall", "lock")
    after = home.registry.current()
    assert "unlock" in after.names
    assert "unlock" not in before.names


async def test_a_call_is_bound_to_the_tools_that_were_in_force(home: Any) -> None:
    light = home.add("Light", "Hall", "power")
    before = home.registry.current()
    home.remove(light)
    assert home.registry.current().get("turn_on") is None
    plan = before.get("turn_on").plan({"target": "light"})
    assert [act.device_id for act in plan.acts] == [light]


def test_an_empty_house_offers_nothing(home: Any) -> None:
    tools = home.registry.current()
    assert tools.names == ()
    assert "No device is known yet." in tools.instructions


async def test_tools_without_devices_are_offered_too(home: Any) -> None:
    @tool
    def weather(city: str) -> str:
        """Tell the weather."""
        return f"Sun in {city}."

    home.extra = [weather]
    assert home.registry.current().names == ("weather", "confirm")
    outcome = await home.call("weather", city="Rome")
    assert (outcome.status, outcome.message) == (Status.ANSWER, "Sun in Rome.")


def test_no_extra_tool_replaces_one_of_ours(home: Any, caplog: pytest.LogCaptureFixture) -> None:
    @tool(name="unlock")
    def mine() -> None:
        """Mine."""

    @tool(name="recent_actions")
    def journal() -> None:
        """Read the journal."""

    home.extra = [mine, journal]
    assert home.registry.current().names == ()
    assert "unlock is left out" in caplog.text
    assert "recent_actions is left out" in caplog.text


def test_the_past_is_asked_about_the_house_of_now(home: Any) -> None:
    houses: list[House] = []

    @tool(name="recent_actions")
    def recent() -> None:
        """Tell what was done."""

    def make(house: House) -> Any:
        houses.append(house)
        return recent

    registry = ToolRegistry(home.directory, home.carrier, home.holds, recent=make)
    assert registry.current().names == ("recent_actions", "confirm")
    home.add("Light", "Hall", "power")
    assert "recent_actions" in registry.current().names
    assert [len(house.entries) for house in houses] == [0, 1]


def test_own_commands_make_room_for_verbs(home: Any, caplog: pytest.LogCaptureFixture) -> None:
    home.settings = RegistrySettings(max_tools=6)
    commands = tuple(OwnCommand(f"command_{n}", "Do it.") for n in range(10))
    home.add("Machine", "Hall", "power", commands=commands)
    with caplog.at_level(logging.WARNING):
        names = home.registry.current().names
    assert names == ("turn_on", "turn_off", "get_state", "confirm", "command_0", "command_1")
    assert "commands are not offered" in caplog.text


def test_ten_thousand_devices_are_built_in_one_go(home: Any) -> None:
    mixed(home, 10_000)
    tools = home.registry.current()
    assert len(json.dumps(list(tools.definitions)).encode()) <= 8000
    plan = home.plan("turn_on", target="Kitchen 0 ceiling light 0")
    assert [act.device_id for act in plan.acts] == ["device-0"]
