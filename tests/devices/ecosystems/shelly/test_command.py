from __future__ import annotations

from typing import Any

import pytest

from devices.contract.command import Command
from devices.contract.errors import CommandRefusedError
from devices.ecosystems.shelly.command import NAMESPACES, call
from devices.ecosystems.shelly.parts import Part, PartKind

pytestmark = pytest.mark.unit


def sent(part: Part, verb: str, /, **args: Any) -> tuple[str, dict[str, Any]]:
    made = call(part, Command("c", verb, args, 3000))
    return made.method, dict(made.params)


@pytest.mark.parametrize(
    ("kind", "verb", "args", "params"),
    [
        (PartKind.SWITCH, "turn_off", {}, {"on": False}),
        (PartKind.LIGHT, "turn_on", {"brightness": 39.6}, {"on": True, "brightness": 40}),
        (PartKind.RGBW, "turn_on", {"color": "#ff8000"}, {"on": True, "rgb": [255, 128, 0]}),
        (PartKind.CCT, "turn_on", {"color_temperature": 3000}, {"on": True, "ct": 3000}),
        (
            PartKind.RGBCCT,
            "turn_on",
            {"color_temperature": 3000},
            {"on": True, "ct": 3000, "mode": "cct"},
        ),
        (
            PartKind.RGBCCT,
            "turn_on",
            {"color": "#000001"},
            {"on": True, "rgb": [0, 0, 1], "mode": "rgb"},
        ),
    ],
)
def test_lamps(kind: PartKind, verb: str, args: dict[str, Any], params: dict[str, Any]) -> None:
    assert sent(Part(kind, 3, "Lamp"), verb, **args) == ("Set", {"id": 3, **params})


def test_covers() -> None:
    cover, blind = Part(PartKind.COVER, 0, "A"), Part(PartKind.COVER, 0, "B", positions=False)
    assert sent(cover, "set_cover", position=0) == ("GoToPosition", {"id": 0, "pos": 0})
    assert sent(cover, "stop") == ("Stop", {"id": 0})
    assert sent(blind, "set_cover", position=100) == ("Open", {"id": 0})
    assert sent(blind, "set_cover", position=0) == ("Close", {"id": 0})


def test_a_thermostat() -> None:
    part = Part(PartKind.THERMOSTAT, 0, "Room")
    assert sent(part, "set_climate", temperature=21.5, mode="heat") == (
        "SetConfig",
        {"id": 0, "config": {"target_C": 21.5, "enable": True}},
    )
    made = call(part, Command("c", "set_climate", {"mode": "off"}, 3000))
    assert made.state == {"mode": "off"}


@pytest.mark.parametrize(
    ("kind", "verb", "args"),
    [
        (PartKind.SWITCH, "turn_on", {"brightness": 5}),
        (PartKind.LIGHT, "turn_on", {"color": "#ffffff"}),
        (PartKind.RGB, "turn_on", {"color_temperature": 3000}),
        (PartKind.COVER, "turn_on", {}),
        (PartKind.LIGHT, "set_cover", {"position": 5}),
        (PartKind.LIGHT, "stop", {}),
        (PartKind.SWITCH, "set_climate", {"temperature": 5}),
        (PartKind.COVER, "set_cover", {}),
        (PartKind.COVER, "set_cover", {"position": True}),
        (PartKind.SWITCH, "unlock", {}),
    ],
)
def test_what_a_part_cannot_be_told(kind: PartKind, verb: str, args: dict[str, Any]) -> None:
    with pytest.raises(CommandRefusedError):
        sent(Part(kind, 0, "Part"), verb, **args)


def test_everything_but_readings_has_a_namespace() -> None:
    assert set(NAMESPACES) == set(PartKind) - {PartKind.READINGS}
