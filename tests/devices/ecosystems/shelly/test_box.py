from __future__ import annotations

import pytest

from devices.ecosystems.shelly.box import Box, by_id
from devices.ecosystems.shelly.parts import Config, Part, PartKind

pytestmark = pytest.mark.unit


def box(*kinds: PartKind) -> Box:
    parts = by_id("a0b1c2d3e4f5", tuple(Part(kind, n, "P") for n, kind in enumerate(kinds)))
    return Box("p", "s", "a0b1c2d3e4f5", "Plus2PM", parts=parts)


def test_the_only_part_is_the_whole_device() -> None:
    (device_id,) = box(PartKind.COVER).parts
    announced = box(PartKind.COVER).announced(device_id)
    assert device_id == "shelly-a0b1c2d3e4f5"
    assert announced.identity == {"mac:a0b1c2d3e4f5"}


def test_several_parts_are_devices_of_their_own() -> None:
    made = box(PartKind.SWITCH, PartKind.SWITCH)
    identities = [made.announced(device_id).identity for device_id in made.parts]
    assert list(made.parts) == ["shelly-a0b1c2d3e4f5-switch-0", "shelly-a0b1c2d3e4f5-switch-1"]
    assert identities == [{"mac:a0b1c2d3e4f5/switch/0"}, {"mac:a0b1c2d3e4f5/switch/1"}]


def test_a_device_that_nobody_named() -> None:
    made = box()
    assert made.name == "Shelly Plus2PM e4f5"
    made.config = Config("Cellar")
    assert made.name == "Cellar"
