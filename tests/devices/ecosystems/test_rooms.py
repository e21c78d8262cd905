from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.ecosystems.rooms import room_in

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("name", "room"),
    [
        ("kitchen_lamp", "Kitchen"),
        ("Kitchen", "Kitchen"),
        ("Living Room Blind", "Living Room"),
        ("living-room/tv", "Living room"),
        ("hallway plug 2", "Hallway"),
        ("Küche Licht", "Küche"),
        ("Ku\u0308che Licht", "Küche"),
        ("BÜRO 1", "BÜRO"),
        ("salle de bain lampe", "Salle de bain"),
        ("Baño luz", "Baño"),
        ("客厅灯", "客厅"),
        ("リビングのライト", "リビング"),
        ("bedroom2_switch", "Bedroom"),
    ],
)
def test_a_name_that_begins_with_a_room(name: str, room: str) -> None:
    assert room_in(name) == room


@pytest.mark.parametrize(
    "name",
    ["0x00158d0001a2b3c4", "Lamp in the kitchen", "Hallo", "Badger cam", "Salonika", "Officer", ""],
)
def test_a_name_that_does_not(name: str) -> None:
    assert room_in(name) == ""


@given(st.text())
def test_any_name_begins_with_its_room_or_has_none(name: str) -> None:
    room_in(name)
