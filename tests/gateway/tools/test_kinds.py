from __future__ import annotations

import pytest

from devices.contract.capability import Capability, Description, Kind
from gateway.tools.kinds import KIND_WORDS, kinds_of, main_kind, plural
from gateway.tools.names import fold

pytestmark = pytest.mark.unit


def described(name: str, *kinds: str) -> Description:
    return Description("x", name, capabilities=tuple(Capability(Kind(k)) for k in kinds))


@pytest.mark.parametrize(
    ("name", "kinds", "expected"),
    [
        ("Ceiling", ("power", "brightness"), "light"),
        ("Desk lamp", ("power",), "light"),
        ("Desk lamp", ("power", "sensor"), "light"),
        ("Heater", ("power",), "switch"),
        ("Keypad light", ("lock", "brightness", "power"), "lock"),
        ("Fan light", ("fan", "power", "brightness"), "fan"),
        ("Bedroom", ("cover",), "blind"),
        ("Garage", ("cover",), "garage door"),
        ("Garage blind", ("cover",), "blind"),
        ("Left curtain", ("cover",), "curtain"),
        ("Water valve", ("cover",), "valve"),
        ("Weather", ("sensor",), "sensor"),
        ("Radiator", ("climate", "sensor"), "thermostat"),
        ("Thing", (), "device"),
        ("Stehlampe", ("power",), "light"),
        ("Lumière du salon", ("power",), "light"),
        ("客厅灯", ("power",), "light"),
        ("Motor", ("power",), "switch"),
        ("Wohnzimmerrollladen", ("cover",), "blind"),
        ("Garagentor", ("cover",), "garage door"),
        ("Motor", ("cover",), "blind"),
        ("Hoftor Motor", ("cover",), "gate"),
        ("Portail", ("cover",), "gate"),
        ("Volets", ("cover",), "shutter"),
        ("Puerta", ("cover",), "door"),
    ],
)
def test_a_device_has_one_main_kind(name: str, kinds: tuple[str, ...], expected: str) -> None:
    assert main_kind(described(name, *kinds)) == expected


def test_a_garage_door_is_no_blind() -> None:
    assert kinds_of(described("Garage door", "cover")) == {"garage door", "door", "cover", "device"}


def test_every_kind_can_be_said_in_singular_and_plural() -> None:
    for kind, _ in KIND_WORDS.values():
        assert KIND_WORDS[kind] == (kind, False)
        assert KIND_WORDS[plural(kind)] == (kind, True)
    assert all(fold(word) == word for word in KIND_WORDS)
