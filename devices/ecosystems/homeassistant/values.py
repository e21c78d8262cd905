"""Named values and buttons: number, select, text, button, scene, and such pieces of others."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from devices.contract.capability import Kind
from devices.contract.command import Scalar
from devices.contract.errors import PayloadError
from devices.contract.text import clean
from devices.ecosystems import payload
from devices.ecosystems.homeassistant.entity import Entity, amount, word, wording
from devices.ecosystems.homeassistant.part import Order, Part, State, refused
from devices.ecosystems.payload import NAME_LENGTH

_MAX_TEXT_LENGTH = 255


def number(entity: Entity) -> Part:
    """A number within bounds."""
    fields = entity.fields
    low, high = fields.number("min", 1), fields.number("max", 100)
    return adjustable(
        entity,
        entity.label,
        "",
        bounds=(low, high),
        step=fields.number("step", 1),
        unit=fields.text("unit_of_measurement"),
    )


def select(entity: Entity) -> Part:
    """One of several options."""
    return choosable(entity, entity.label, "", entity.fields.words("options"))


def text(entity: Entity) -> Part:
    """A text; passwords are nothing for a voice."""
    fields, name = entity.fields, entity.label
    sender = entity.sender("command_topic", "command_template")
    if sender is None or fields.text("mode") == "password":
        return Part()
    low = max(0.0, fields.number("min", 0))
    high = min(fields.number("max", _MAX_TEXT_LENGTH), _MAX_TEXT_LENGTH)
    needs = entity.needs("state_topic")

    def change(value: Scalar) -> Order:
        if not isinstance(value, str) or not low <= len(value) <= high:
            raise refused(f"{name} must be a text of {low:g} to {high:g} characters.", "invalid")
        return Order((sender.message(value),), {name: payload.scalar(value)}, needs)

    return Part(
        (entity.capability(Kind.TEXT, name, minimum=low, maximum=high),),
        entity.sources("state_topic", "value_template", wording(name)),
        values={name: change},
    )


def button(entity: Entity) -> Part:
    """Something to press; nobody tells what came of it."""
    return _pressed(entity, Kind.BUTTON, entity.fields.text("payload_press", "PRESS"))


def scene(entity: Entity) -> Part:
    """A scene to run; nobody tells what came of it."""
    return _pressed(entity, Kind.SCENE, entity.fields.text("payload_on", "ON"))


def adjustable(
    entity: Entity,
    name: str,
    prefix: str,
    *,
    bounds: tuple[float, float],
    step: float = 1,
    unit: str = "",
) -> Part:
    """A number called `name`, on the topics `<prefix>command_topic` and `<prefix>state_topic`.

    Nothing when there is no topic for commands. Raises PayloadError.
    """
    sender = entity.sender(f"{prefix}command_topic", f"{prefix}command_template")
    if sender is None:
        return Part()
    low, high = bounds
    if low > high:
        raise PayloadError("the lowest value is above the highest")
    needs = entity.needs(f"{prefix}state_topic")

    def change(value: Scalar) -> Order:
        asked = payload.number(value)
        if asked is None or not low <= asked <= high:
            raise refused(f"{name} must be a number from {low:g} to {high:g}.", "invalid")
        return Order((sender.message(asked),), {name: asked}, needs)

    capability = entity.capability(
        Kind.NUMBER,
        name,
        minimum=low,
        maximum=high,
        step=step if step > 0 else None,
        unit=clean(unit, NAME_LENGTH) or None,
    )
    return Part(
        (capability,),
        entity.sources(f"{prefix}state_topic", _value_template(entity, prefix), amount(name)),
        values={name: change},
    )


def choosable(entity: Entity, name: str, prefix: str, options: Mapping[str, str]) -> Part:
    """A choice called `name` between `options` (shown to wire), on topics as in `adjustable`."""
    sender = entity.sender(f"{prefix}command_topic", f"{prefix}command_template")
    if sender is None or not options:
        return Part()
    needs = entity.needs(f"{prefix}state_topic")

    def change(value: Scalar) -> Order:
        if not isinstance(value, str) or value not in options:
            raise refused(f"{name} must be one of the announced options.", "invalid")
        return Order((sender.message(options[value]),), {name: value}, needs)

    return Part(
        (entity.capability(Kind.SELECT, name, options=tuple(options)),),
        entity.sources(f"{prefix}state_topic", _value_template(entity, prefix), _of(name, options)),
        values={name: change},
    )


def _of(name: str, options: Mapping[str, str]) -> Callable[[str], State]:
    return word(name, {wire: shown for shown, wire in options.items()})


def _value_template(entity: Entity, prefix: str) -> str:
    """Components do not agree on how the template of a state is called."""
    names = (f"{prefix}state_template", f"{prefix}value_template", "value_template")
    return next((name for name in names if name in entity.fields), names[-1])


def _pressed(entity: Entity, kind: Kind, wire: str) -> Part:
    sender = entity.sender("command_topic", "command_template")
    if sender is None:
        return Part()
    return Part(
        (entity.capability(kind, entity.label),),
        presses={entity.label: lambda: Order((sender.message(wire),))},
    )
