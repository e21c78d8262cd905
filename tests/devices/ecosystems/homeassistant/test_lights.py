from __future__ import annotations

import pytest

from devices.contract.capability import Kind, Risk
from devices.ecosystems.homeassistant.lights import light
from tests.devices.ecosystems.homeassistant.building import entity

pytestmark = pytest.mark.unit


def test_each_schema_makes_a_light() -> None:
    for schema, fields in {
        "basic": {},
        "json": {},
        "template": {"cmd_on_tpl": "on", "cmd_off_tpl": "off"},
        "unheard_of": {},
    }.items():
        made = light(entity("light", schema=schema, cmd_t="a", **fields))
        assert [c.kind for c in made.capabilities] == [Kind.POWER], schema


def test_a_light_in_the_garage_is_still_a_light() -> None:
    made = light(entity("light", "Garage light", cmd_t="a", schema="json", brightness=True))
    assert {c.risk for c in made.capabilities} == {Risk.NORMAL}
