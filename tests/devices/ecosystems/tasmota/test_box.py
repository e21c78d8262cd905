"""Discovery messages, also against a reader that others wrote."""

from __future__ import annotations

import json
from typing import Any

import pytest

from devices.contract.errors import PayloadError
from devices.ecosystems.tasmota.box import Box, PartKind, read_box
from tests.devices.ecosystems.transcripts import messages

pytestmark = pytest.mark.unit

CONFIG: dict[str, Any] = json.loads(messages("tasmota/2026-11-24-firmware-14.2.jsonl")[0].payload)


def box(**changes: Any) -> Box:
    return read_box(CONFIG | changes)


def parts(made: Box) -> list[tuple[str, int]]:
    return [(part.kind.value, part.number) for part in made.parts]


def test_one_relay_has_the_name_of_the_box() -> None:
    made = box(rl=[1, 0], fn=["Relay", None])
    assert [part.name for part in made.parts] == ["Hall box"]


def test_relays_without_names_are_counted() -> None:
    made = box(rl=[1, 1], fn=[None, "Hall box"])
    assert [part.name for part in made.parts] == ["Hall box 1", "Hall box 2"]


def test_half_a_shutter_is_none() -> None:
    assert parts(box(rl=[1, 3, 0])) == [("switch", 1)]


def test_relays_that_are_meant_as_lights() -> None:
    assert parts(box(rl=[1], so={"30": 1})) == [("light", 1)]


def test_channels_as_lights_of_their_own() -> None:
    made = box(rl=[2, 2], so={"68": 1})
    assert [part.dimmer for part in made.parts] == ["Channel1", "Channel2"]


def test_a_box_without_a_mac_is_none() -> None:
    with pytest.raises(PayloadError, match="MAC"):
        box(mac="x")


# --- the oracle ------------------------------------------------------------------------------

LAYOUTS: list[dict[str, Any]] = [
    {"rl": [1]},
    {"rl": [1, 1, 1, 1]},
    {"rl": [2], "lt_st": 1},
    {"rl": [2], "lt_st": 2},
    {"rl": [2], "lt_st": 3},
    {"rl": [2], "lt_st": 4, "lk": 1},
    {"rl": [2, 2], "lt_st": 4, "lk": 0},
    {"rl": [2], "lt_st": 5, "lk": 1},
    {"rl": [2, 2], "lt_st": 5, "lk": 0},
    {"rl": [2, 2, 2], "lt_st": 3, "68": 1},
    {"rl": [1, 2], "lt_st": 1},
    {"rl": [3, 3]},
    {"rl": [3, 3, 3, 3, 1], "sho": [0, 1]},
    {"rl": [1, 3, 3], "sho": [1]},
    {"rl": [2, 0, 0, 0], "if": 1},
    {"rl": [1, 1], "30": 1},
    {"rl": [2], "lt_st": 2, "82": 1},
    {"rl": [1], "ft": "%topic%/%prefix%/"},
    {"rl": [1], "ft": "home/%hostname%/%prefix%/"},
    {"rl": [1], "tp": ["set", "get", "info"]},
]


def padded(layout: dict[str, Any]) -> dict[str, Any]:
    """A whole discovery message, as the firmware sends it."""
    options = CONFIG["so"] | {key: value for key, value in layout.items() if key.isdigit()}
    given = {key: value for key, value in layout.items() if not key.isdigit()}
    relays = (given.pop("rl") + [0] * 32)[:32]
    names = (CONFIG["fn"] + [None] * 32)[:32]
    return CONFIG | {"so": options, "rl": relays, "fn": names, "swc": [-1] * 28} | given


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_a_reader_that_others_wrote_finds_the_same(layout: dict[str, Any]) -> None:
    hatasmota = pytest.importorskip("hatasmota.discovery", reason="hatasmota is not installed")
    message = padded(layout)
    theirs = hatasmota.TasmotaDiscoveryMsg(message)

    def found(platform: str) -> list[Any]:
        listed = hatasmota.get_entities_for_platform(theirs, platform)
        return [entity for entity, _ in listed if entity is not None]

    ours = read_box(message)
    of = {kind: [part for part in ours.parts if part.kind is kind] for kind in PartKind}
    assert len(of[PartKind.SWITCH]) == len(found("switch"))
    assert len(of[PartKind.LIGHT]) == len(found("light"))
    assert len(of[PartKind.FAN]) == len(found("fan"))
    covers = found("cover")
    assert [part.inverted for part in of[PartKind.SHUTTER]] == [
        bool(cover.inverted_shutter) for cover in covers
    ]
    for entity in [*found("switch"), *found("light"), *covers, *found("fan")]:
        topic = entity.command_topic
        assert topic.startswith(ours.command_topic)
    for part, light in zip(of[PartKind.LIGHT], found("light"), strict=True):
        mireds = getattr(light, "min_mireds", None)
        if part.warmth and mireds is not None:
            assert (light.min_mireds, light.max_mireds) == ours.mired
        assert part.number == light.idx + 1
