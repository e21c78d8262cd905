"""Which components there are, which of them are devices by themselves, and what is left out.

Left out is what changes the device rather than the house: configuration, diagnostics, the
bridge's own functions, firmware, pairing, reset.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from devices.contract.errors import PayloadError
from devices.ecosystems.homeassistant import (
    climate,
    covers,
    fans,
    lights,
    locks,
    readings,
    robots,
    switches,
    values,
)
from devices.ecosystems.homeassistant.entity import Entity
from devices.ecosystems.homeassistant.part import Part
from devices.ecosystems.risk import is_forbidden

Builder = Callable[[Entity], Part]

MAIN: Mapping[str, Builder] = {
    "alarm_control_panel": locks.alarm,
    "climate": climate.climate,
    "cover": covers.cover,
    "fan": fans.fan,
    "humidifier": climate.humidifier,
    "lawn_mower": robots.lawn_mower,
    "light": lights.light,
    "lock": locks.lock,
    "siren": switches.siren,
    "switch": switches.switch,
    "vacuum": robots.vacuum,
    "valve": covers.valve,
    "water_heater": climate.water_heater,
}
"""Each of these is something one talks of by its name: a device, or one of several."""

COMMANDED: Mapping[str, Builder] = {
    "button": values.button,
    "number": values.number,
    "scene": values.scene,
    "select": values.select,
    "text": values.text,
}
"""Named values and buttons, which ride along on the device that they belong to."""

READ: Mapping[str, Builder] = {
    "binary_sensor": readings.binary_sensor,
    "sensor": readings.sensor,
}
"""These ride along too."""

SILENT = frozenset(
    {"camera", "device_automation", "device_tracker", "event", "image", "notify", "tag", "update"}
)
"""Nothing that a voice could use, or nothing that it may."""

_BUILDERS: Mapping[str, Builder] = {**MAIN, **COMMANDED, **READ}
_BRIDGE = re.compile(r"(^|/)(bridge/(request|config|options|group|device)|_CLIENTS)(/|$)")
# A light is a light whatever it is called; a "Wi-Fi restart" may be any of these.
_COULD_BE_ANYTHING = frozenset({"switch", *COMMANDED})
_SECONDARY = frozenset({"config", "diagnostic"})


def part_of(entity: Entity, own_topic: str) -> Part:
    """What the entity can do; an empty part when it is left out or can do nothing.

    `own_topic` matches the topics that nobody may name as theirs. Raises PayloadError for an
    unknown component or fields that break the rules.
    """
    builder = _BUILDERS.get(entity.component)
    if builder is None:
        if entity.component in SILENT:
            return Part()
        raise PayloadError("there is no such component")
    if _is_secondary(entity) or (entity.component not in READ and _is_forbidden(entity, own_topic)):
        return Part()
    return builder(entity)


def _is_secondary(entity: Entity) -> bool:
    fields = entity.fields
    hidden = not fields.flag("enabled_by_default", default=True)
    return hidden or fields.raw("entity_category") in tuple(_SECONDARY)


def _is_forbidden(entity: Entity, own_topic: str) -> bool:
    """By what it is called, where it could be anything; and by where it is commanded."""
    fields = entity.fields
    if entity.component in _COULD_BE_ANYTHING:
        told = (fields.raw("device_class"), fields.raw("payload_press"))
        if is_forbidden(entity.label, *(word for word in told if isinstance(word, str))):
            return True
    topics = fields.command_topics()
    return any(_BRIDGE.search(topic) or re.fullmatch(own_topic, topic) for topic in topics)
