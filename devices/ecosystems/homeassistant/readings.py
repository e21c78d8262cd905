"""What can only be read: sensors of numbers and words, and those of true and false."""

from __future__ import annotations

from devices.contract.capability import Kind
from devices.contract.command import Evidence
from devices.contract.text import clean
from devices.ecosystems import payload
from devices.ecosystems.homeassistant.entity import UNKNOWN, Entity, on_off
from devices.ecosystems.homeassistant.part import Part, Source, State
from devices.ecosystems.payload import NAME_LENGTH


def sensor(entity: Entity) -> Part:
    """A number where it is one, else a text."""
    name = entity.label

    def read(text: str) -> State:
        if text == UNKNOWN:
            return {name: None}
        found = payload.number(text)
        return {name: payload.scalar(text) if found is None else found}

    return _sensor(entity, entity.sources("state_topic", "value_template", read, evidence=_LEVEL))


def binary_sensor(entity: Entity) -> Part:
    """True or false."""
    fields = entity.fields
    on, off = fields.text("payload_on", "ON"), fields.text("payload_off", "OFF")
    read = on_off(entity.label, on, off)
    return _sensor(entity, entity.sources("state_topic", "value_template", read, evidence=_LEVEL))


_LEVEL = Evidence.REPORTED


def _sensor(entity: Entity, sources: tuple[Source, ...]) -> Part:
    if not sources:
        return Part()
    unit = clean(entity.fields.text("unit_of_measurement"), NAME_LENGTH)
    return Part((entity.capability(Kind.SENSOR, entity.label, unit=unit or None),), sources)
