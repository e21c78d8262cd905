"""Lights of the three schemas. A light is never guarded: whatever its name says, it shines."""

from __future__ import annotations

from devices.ecosystems.homeassistant.entity import Entity
from devices.ecosystems.homeassistant.light_basic import basic_light
from devices.ecosystems.homeassistant.light_json import json_light
from devices.ecosystems.homeassistant.light_template import template_light
from devices.ecosystems.homeassistant.part import Part

_SCHEMAS = {"json": json_light, "template": template_light}


def light(entity: Entity) -> Part:
    """A light of the schema that it names. Raises PayloadError."""
    return _SCHEMAS.get(entity.fields.text("schema"), basic_light)(entity)
