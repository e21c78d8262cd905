"""What is on or off and nothing else: switches and sirens."""

from __future__ import annotations

import json

from devices.contract.capability import Kind
from devices.ecosystems.homeassistant.entity import Entity, Sender, json_object, on_off
from devices.ecosystems.homeassistant.part import Args, Order, Part


def switch(entity: Entity) -> Part:
    """A relay, a plug: on and off."""
    return power(entity, "value_template")


def power(entity: Entity, state_template_key: str) -> Part:
    """On and off by `command_topic` and `state_topic`: also a piece of fans and humidifiers."""
    fields = entity.fields
    sender = entity.sender("command_topic", "command_template")
    if sender is None:
        return Part()
    on, off = fields.text("payload_on", "ON"), fields.text("payload_off", "OFF")
    told_on, told_off = fields.text("state_on", on), fields.text("state_off", off)
    needs = entity.needs("state_topic")

    def turn(wire: str, shown: bool) -> Order:
        return Order((sender.message(wire),), {"on": shown}, needs)

    return Part(
        (entity.capability(Kind.POWER),),
        entity.sources("state_topic", state_template_key, on_off("on", told_on, told_off)),
        {"turn_on": lambda _: turn(on, True), "turn_off": lambda _: turn(off, False)},
    )


def siren(entity: Entity) -> Part:
    """On and off, always guarded; without a template its payload is JSON."""
    fields = entity.fields
    sender = entity.sender("command_topic", "command_template")
    if sender is None:
        return Part()
    quiet = Sender(
        sender.topic, fields.template("command_off_template") or sender.template, entity.templates
    )
    on, off = fields.text("payload_on", "ON"), fields.text("payload_off", "OFF")
    told_on, told_off = fields.text("state_on", on), fields.text("state_off", off)
    needs = entity.needs("state_topic")

    def turn_on(_: Args) -> Order:
        return Order((_siren_message(sender, on),), {"on": True}, needs)

    def turn_off(_: Args) -> Order:
        return Order((_siren_message(quiet, off),), {"on": False}, needs)

    read = on_off("on", told_on, told_off)
    return Part(
        (entity.capability(Kind.POWER, guarded=True),),
        entity.sources("state_topic", "state_value_template", lambda t: read(_siren_state(t))),
        {"turn_on": turn_on, "turn_off": turn_off},
    )


def _siren_message(sender: Sender, value: str) -> tuple[str, str]:
    if sender.template:
        return sender.message(value, state=value)
    return sender.topic, json.dumps({"state": value})


def _siren_state(text: str) -> str:
    """The state in a JSON object, or the text itself."""
    return str(json_object(text).get("state", text))
