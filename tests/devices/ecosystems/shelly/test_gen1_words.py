from __future__ import annotations

import json
from typing import Any

import pytest

from devices.contract.command import Command, Evidence
from devices.contract.errors import CommandRefusedError
from devices.ecosystems.shelly.gen1_words import Gen1Part, Roller, hear, parts_of, write
from devices.ecosystems.shelly.models import Gen1Kind, Layout

pytestmark = pytest.mark.unit

BULB = Gen1Part(Gen1Kind.COLOR, 0, "Bulb", (3000, 6500))
DUO = Gen1Part(Gen1Kind.LIGHT, 0, "Duo", (2700, 6500))
ROLLER = Gen1Part(Gen1Kind.ROLLER, 0, "Blind")
VALVE = Gen1Part(Gen1Kind.THERMOSTAT, 0, "Valve")


def told(part: Gen1Part, leaf: str, body: Any, roller: Roller | None = None) -> Any:
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return hear(part, leaf, data, roller or Roller())


def sent(part: Gen1Part, verb: str, /, **args: Any) -> tuple[str, Any]:
    line = write(part, Command("c", verb, args, 3000), positions=True)
    return line.leaf, json.loads(line.data)


def test_names_of_parts() -> None:
    names = [p.name for p in parts_of("shellyswitch-B9", Layout(Gen1Kind.RELAY, 2))]
    assert names == ["shellyswitch B9 1", "shellyswitch B9 2"]


def test_a_bulb_in_colour_and_in_white() -> None:
    body = {"ison": True, "mode": "color", "red": 255, "green": 0, "blue": 1, "gain": 30}
    rest = {"brightness": 99, "temp": 4000}
    assert told(BULB, "color/0/status", body | rest).state == {
        "on": True,
        "brightness": 30,
        "color": "#ff0001",
    }
    white = body | rest | {"mode": "white"}
    assert told(BULB, "color/0/status", white).state == {
        "on": True,
        "brightness": 99,
        "color_temperature": 4000,
    }


def test_what_a_bulb_is_told() -> None:
    assert sent(BULB, "turn_on", color="#010203", brightness=40) == (
        "color/0/set",
        {"turn": "on", "mode": "color", "red": 1, "green": 2, "blue": 3}
        | {"brightness": 40, "gain": 40},
    )
    assert sent(BULB, "turn_on", color_temperature=3000)[1] == {
        "turn": "on",
        "mode": "white",
        "temp": 3000,
    }
    assert sent(DUO, "turn_on", color_temperature=3000)[1] == {"turn": "on", "temp": 3000}
    assert sent(DUO, "turn_off") == ("light/0/set", {"turn": "off"})


def test_a_stop_is_told_together_with_the_place() -> None:
    stopped = told(ROLLER, "roller/0", "stop", Roller(moving=True))
    assert (stopped.state, stopped.ask, stopped.roller) == ({}, True, Roller())
    again = told(ROLLER, "roller/0", "stop", Roller())
    assert not again.ask
    place = told(ROLLER, "roller/0/pos", "40", Roller())
    assert (place.state, place.evidence) == ({"moving": False, "position": 40}, Evidence.REPORTED)


def test_a_roller_that_does_not_know_where_it_is() -> None:
    lost = told(ROLLER, "roller/0/pos", "-1")
    assert lost.state == {"moving": False}
    assert not lost.roller.positions
    stopped = told(ROLLER, "roller/0", "stop", Roller(moving=True, positions=False))
    assert (stopped.state, stopped.ask) == ({"moving": False}, False)


def test_why_a_roller_stopped() -> None:
    assert told(ROLLER, "roller/0/stop_reason", "obstacle").trouble == "obstacle"
    assert told(ROLLER, "roller/0/stop_reason", "normal") is None


@pytest.mark.parametrize("wrap", [lambda body: body, lambda body: {"thermostats": [body]}])
def test_a_valve(wrap: Any) -> None:
    body = {"target_t": {"value": 21, "units": "C"}, "tmp": {"value": 19.5, "units": "C"}}
    heard = told(VALVE, "status", wrap(body))
    assert heard.state == {"target_temperature": 21, "temperature": 19.5}
    line = write(VALVE, Command("c", "set_climate", {"temperature": 20.5}, 3000), positions=True)
    assert (line.leaf, line.data) == ("thermostat/0/command/target_t", b"20.5")
    assert told(VALVE, "status", {"target_t": {"value": 70, "units": "F"}}) is None
    assert told(VALVE, "status", {"thermostats": ["x"]}) is None


@pytest.mark.parametrize(
    ("leaf", "text", "sensors"),
    [
        ("sensor/temperature", "21.5", {"temperature": (21.5, "°C")}),
        ("sensor/flood", "true", {"flood": (True, "")}),
        ("sensor/state", "open", {"contact": ("open", "")}),
        ("sensor/position", "7", {"position sensor": (7, "")}),
        ("relay/0/power", "8.5", {"power": (8.5, "W")}),
    ],
)
def test_readings(leaf: str, text: str, sensors: dict[str, Any]) -> None:
    assert told(Gen1Part(Gen1Kind.RELAY, 0, "Plug"), leaf, text).sensors == sensors


@pytest.mark.parametrize(
    ("leaf", "text"),
    [
        ("relay/0", "toggle"),
        ("relay/1", "on"),
        ("relay/01", "on"),
        ("relay/0/command", "on"),
        ("relay/0/power", "much"),
        ("sensor/act_reasons", "[]"),
        ("xrelay/0", "on"),
        ("", "on"),
    ],
)
def test_what_says_nothing(leaf: str, text: str) -> None:
    assert told(Gen1Part(Gen1Kind.RELAY, 0, "Plug"), leaf, text) is None


@pytest.mark.parametrize(
    ("part", "verb", "args"),
    [
        (Gen1Part(Gen1Kind.LIGHT, 0, "L"), "turn_on", {"color": "#000000"}),
        (Gen1Part(Gen1Kind.WHITE, 0, "L"), "turn_on", {"color_temperature": 3000}),
        (ROLLER, "turn_on", {}),
        (ROLLER, "set_cover", {"position": "up"}),
    ],
)
def test_what_a_part_cannot_be_told(part: Gen1Part, verb: str, args: dict[str, Any]) -> None:
    with pytest.raises(CommandRefusedError):
        write(part, Command("c", verb, args, 3000), positions=True)
