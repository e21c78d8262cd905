from __future__ import annotations

import pytest

from devices.contract.capability import Capability, Description, Kind, OwnCommand
from devices.ecosystems.base import Traits
from gateway.directory import Device
from gateway.tools.entries import Entry, area_key, by_area, by_name, entry_of

pytestmark = pytest.mark.unit


def entry(device_id: str, name: str, area: str = "", *aliases: str) -> Entry:
    commands = (OwnCommand("blink", ""), OwnCommand("unlock", ""))
    capabilities = (Capability(Kind.POWER),)
    description = Description(device_id, name, area, aliases, capabilities, commands)
    return entry_of(Device(device_id, "native", Traits(True, False), description))


def test_an_entry_knows_its_verbs_and_pretends_no_other() -> None:
    assert entry("a", "Lamp").verbs == {"turn_on", "turn_off", "blink"}


def test_an_entry_stays_as_it_was_described() -> None:
    lamp = entry("a", "Lamp")
    lamp.device.description = Description("a", "Renamed")
    assert lamp.name == "Lamp"


def test_a_place_is_told_where_it_tells_more() -> None:
    assert entry("a", "Lamp", "Hall").place == "Lamp in Hall"
    assert entry("a", "Hall lamp", "Hall").place == "Hall lamp"


def test_names_and_aliases_lead_to_their_devices() -> None:
    first, second = entry("a", "Lamp", "", "Sun"), entry("b", "The lamp", "", "LAMP")
    table = by_name([first, second])
    assert table["lamp"] == (first, second)
    assert table["the lamp"] == (second,)
    assert table["sun"] == (first,)


def test_two_names_that_differ_by_an_article_only_are_both_meant_without_it() -> None:
    first, second = entry("a", "The lamp"), entry("b", "My lamp")
    assert by_name([first, second])["lamp"] == (first, second)


def test_spellings_of_an_area_are_one_area() -> None:
    first, second = entry("a", "Lamp", "Kitchen"), entry("b", "Kitchen spot", "the KITCHEN")
    areas = by_area([first, second, entry("c", "Lost")])
    assert list(areas) == ["kitchen"]
    assert areas["kitchen"].entries == (first, second)
    assert areas["kitchen"].by_name["spot"] == (second,)
    assert area_key("The Kitchen!") == "kitchen"
