"""Entities and whole ecosystems for the tests of this folder."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from devices.contract.command import Command, Evidence
from devices.ecosystems.base import Announced, Delivery, Sighting
from devices.ecosystems.homeassistant import abbreviations, components
from devices.ecosystems.homeassistant.adapter import HomeAssistant
from devices.ecosystems.homeassistant.entity import Entity
from devices.ecosystems.homeassistant.fields import Fields
from devices.ecosystems.homeassistant.part import Order, Part, State
from devices.ecosystems.homeassistant.templates import Templates, Text
from tests.devices.ecosystems.transcripts import heard, message

PUBLISHED, ECHOED, SETTLED = Evidence.PUBLISHED, Evidence.ECHOED, Evidence.SETTLED


def now() -> datetime:
    return datetime(2026, 11, 24, 10, 30, tzinfo=UTC)


TEMPLATES = Templates(now)


def entity(component: str, *words: str, label: str = "Thing", **fields: Any) -> Entity:
    """An announced entity; short keys are understood."""
    return Entity(component, label, Fields(abbreviations.expand(fields)), words, TEMPLATES)


def part(component: str, **fields: Any) -> Part:
    """What an entity can do."""
    return components.part_of(entity(component, **fields), "nobody/.+")


def told(made: Part, topic: str, text: str) -> dict[str, Any]:
    """What the part makes of a message."""
    state: dict[str, Any] = {}
    for source in made.sources:
        if source.topic == topic:
            state |= source.read(TEMPLATES.value(source.template, Text(text)))
    return state


def ordered(made: Part, verb: str, **args: Any) -> tuple[list[tuple[str, str]], State, Evidence]:
    """The messages of a verb, the state that proves it, the level that counts."""
    return unpacked(made.verbs[verb](args))


def unpacked(order: Order) -> tuple[list[tuple[str, str]], State, Evidence]:
    """The same of an order."""
    return list(order.messages), dict(order.state), order.needs


def house(**options: Any) -> HomeAssistant:
    """An ecosystem that has heard nothing."""
    return HomeAssistant(now=now, **options)


def announce(
    ecosystem: HomeAssistant, component: str, object_id: str, /, **fields: Any
) -> list[Sighting]:
    """What an announcement in the single form brings."""
    return heard(
        ecosystem,
        [message(f"homeassistant/{component}/{object_id}/config", fields, retained=True)],
    )


def described(sightings: list[Sighting]) -> list[Announced]:
    """The announcements among sightings."""
    return [s for s in sightings if isinstance(s, Announced)]


def encode(ecosystem: HomeAssistant, device_id: str, verb: str, /, **args: Any) -> Delivery:
    """One attempt of a command."""
    return ecosystem.encode(device_id, Command("c1", verb, args, 3000))


def sent(
    ecosystem: HomeAssistant, device_id: str, verb: str, /, **args: Any
) -> list[tuple[str, str]]:
    """The topics and payloads of a command."""
    found = encode(ecosystem, device_id, verb, **args).messages
    return [(m.topic, m.payload.decode()) for m in found]
