"""From one announced entity to a member of the household: named, screened, built."""

from __future__ import annotations

import re

from devices.contract.command import Evidence
from devices.contract.text import clean
from devices.ecosystems import payload
from devices.ecosystems.homeassistant import components
from devices.ecosystems.homeassistant.availability import Presence, rule_of
from devices.ecosystems.homeassistant.discovery import Found
from devices.ecosystems.homeassistant.entity import Entity
from devices.ecosystems.homeassistant.groups import Member
from devices.ecosystems.homeassistant.part import Part
from devices.ecosystems.homeassistant.templates import Templates

_QOS = (0, 1, 2)


def member_of(
    found: Found, templates: Templates, prefix: str, before: Member | None
) -> Member | None:
    """The entity as a member; None when it is left out or can do nothing.

    `before` is what it was until now: what is known of its presence stays where the rule does.
    Raises PayloadError.
    """
    is_main = found.component in components.MAIN
    label = _label(found)
    entity = Entity(
        found.component,
        label or _plain_label(found),
        found.fields,
        _words(found, label),
        templates,
    )
    part = components.part_of(entity, _own_topics(prefix))
    if not part.capabilities:
        return None
    rule = rule_of(found.fields)
    kept = before.presence if before is not None and before.presence.rule == rule else None
    qos = found.fields.number("qos", 0)
    return Member(
        found.key,
        f"{found.component}.{found.unique_id}",
        found.object_id,
        label,
        is_main,
        part,
        int(qos) if qos in _QOS else 0,
        found.fields.command_topics(),
        _richness(found, part),
        kept or Presence(rule),
    )


def _label(found: Found) -> str:
    """Its own name without that of its device; "" when it has none."""
    name = payload.name(found.fields.raw("name"), "")
    device = found.device.name
    rest = name[len(device) :]
    if device and name.casefold().startswith(device.casefold()) and not rest[:1].isalnum():
        return rest.strip(" -_:/")
    return name


def _plain_label(found: Found) -> str:
    """What a thing without a name is called: by its class, else by its id."""
    device_class = found.fields.raw("device_class")
    text = device_class if isinstance(device_class, str) else found.object_id
    return clean(text.replace("_", " "), payload.NAME_LENGTH) or found.component


def _words(found: Found, label: str) -> tuple[str, ...]:
    device_class = found.fields.raw("device_class")
    told = device_class if isinstance(device_class, str) else ""
    return (label, found.object_id, found.device.name, told[: payload.NAME_LENGTH])


def _own_topics(prefix: str) -> str:
    """Home Assistant's own topic, and those of announcements."""
    return rf"{re.escape(prefix)}/(status|.+/config)"


def _richness(found: Found, part: Part) -> Evidence:
    told = part.sources and not found.fields.flag("optimistic")
    return Evidence.ECHOED if told else Evidence.PUBLISHED
