from __future__ import annotations

from typing import Any

import pytest

from gateway.tools.choices import MAX_TARGETS, targets
from gateway.tools.target import House

pytestmark = pytest.mark.unit


def test_names_areas_and_kinds_are_listed(home: Any) -> None:
    home.add("Ceiling light", "Kitchen", "power")
    home.add("Counter lamp", "Kitchen", "power")
    home.add("Coffee machine", "Kitchen", "power")
    home.add("Front door", "Hall", "lock")
    house = House(home.directory)
    assert targets(house, "turn_on") == (
        *("Ceiling light", "Coffee machine", "Counter lamp"),
        *("Kitchen", "Kitchen lights", "all lights"),
    )
    assert targets(house, "unlock") == ("Front door", "Hall")
    assert targets(house, "set_cover") == ()


def test_equal_names_are_listed_in_a_form_that_is_understood(home: Any) -> None:
    home.add("Lamp", "Hall", "power")
    home.add("Lamp", "Bath", "power", device_id="bath-1")
    home.add("Lamp", "Bath", "power", device_id="bath-2")
    listed = targets(House(home.directory), "turn_on")
    assert listed[:3] == ("bath-1", "bath-2", "Hall Lamp")


def test_too_many_are_not_listed(home: Any) -> None:
    for n in range(MAX_TARGETS - 1):
        home.add(f"Lamp {n}", "", "power")
    assert len(targets(House(home.directory), "turn_on")) == MAX_TARGETS
    home.add("One more lamp", "", "power")
    assert targets(House(home.directory), "turn_on") == ()
