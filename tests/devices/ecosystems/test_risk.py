from __future__ import annotations

import pytest

from devices.contract.capability import Kind, Risk
from devices.ecosystems.risk import highest, is_forbidden, risk_of

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Kind.LOCK, ["Cat flap"]),
        (Kind.ALARM, [""]),
        (Kind.COVER, ["Garage door"]),
        (Kind.COVER, ["left", "garage"]),
        (Kind.POWER, ["water_valve"]),
        (Kind.POWER, ["Bathroom heater"]),
        (Kind.POWER, ["Siren"]),
    ],
)
def test_what_is_guarded(kind: Kind, words: list[str]) -> None:
    assert risk_of(kind, *words) is Risk.GUARDED


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        (Kind.POWER, "Kitchen light"),
        (Kind.COVER, "Bedroom blind"),
        (Kind.CLIMATE, "Heating"),
        (Kind.SENSOR, "Front door"),
        (Kind.POWER, "Gather"),
    ],
)
def test_what_is_normal(kind: Kind, word: str) -> None:
    assert risk_of(kind, word) is Risk.NORMAL


@pytest.mark.parametrize(
    "word",
    [
        "reset_to_factory_settings",
        "identify",
        "Permit join",
        "Restart",
        "trigger_selftest",
        "wifi_config",
        "pin_code",
        "Firmware update",
        "OTA",
        "Log level",
        "energy_reset",
    ],
)
def test_what_is_never_offered(word: str) -> None:
    assert is_forbidden(word)


@pytest.mark.parametrize("word", ["brightness", "effect", "Rota", "mode", "Repair café"])
def test_what_may_be_offered(word: str) -> None:
    assert not is_forbidden(word)


def test_the_highest_of_several() -> None:
    assert highest([Risk.NORMAL, Risk.FORBIDDEN, Risk.GUARDED]) is Risk.FORBIDDEN
    assert highest([]) is Risk.NORMAL
