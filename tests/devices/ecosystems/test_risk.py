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
        (Kind.POWER, ["Heat lamp"]),
        (Kind.POWER, ["waterValve"]),
        (Kind.POWER, ["Hall light", "garage_door"]),
        (Kind.COVER, ["Garage door light"]),
        (Kind.COVER, ["Garagentor"]),
        (Kind.COVER, ["Hoftor"]),
        (Kind.POWER, ["Haustür"]),
        (Kind.POWER, ["Türschloss Keller"]),
        (Kind.POWER, ["Wasserventil"]),
        (Kind.POWER, ["Heizlüfter Bad"]),
        (Kind.POWER, ["Fußbodenheizung"]),
        (Kind.POWER, ["Alarmanlage"]),
        (Kind.POWER, ["Backofen"]),
        (Kind.COVER, ["Portail"]),
        (Kind.POWER, ["Serrure de l'entrée"]),
        (Kind.POWER, ["Vanne d'arrosage"]),
        (Kind.POWER, ["Sirène"]),
        (Kind.POWER, ["Chauffe-eau"]),
        (Kind.COVER, ["Puerta del garaje"]),
        (Kind.POWER, ["Válvula de agua"]),
        (Kind.POWER, ["Va\u0301lvula de agua"]),
        (Kind.POWER, ["Calefacción"]),
        (Kind.POWER, ["Sirena"]),
        (Kind.COVER, ["车库门"]),
        (Kind.POWER, ["浴室ヒーター"]),
        (Kind.COVER, ["ガレージ"]),
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
        (Kind.POWER, "Socket four"),
        (Kind.POWER, "Garage light"),
        (Kind.POWER, "Lampe Garagentor"),
        (Kind.POWER, "玄関の照明"),
        (Kind.POWER, "Ventilator"),
        (Kind.POWER, "Monitor"),
        (Kind.POWER, "Küchenlicht"),
        (Kind.POWER, "Doorbell"),
        (Kind.COVER, "Fenster"),
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
        "Werkseinstellungen",
        "Zurücksetzen",
        "Redémarrer",
        "Reiniciar",
        "Mise à jour",
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
