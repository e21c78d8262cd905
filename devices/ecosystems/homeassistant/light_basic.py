"""Lights with a topic for each attribute: each is sent, told and proved by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from devices.contract.capability import Kind
from devices.contract.command import Evidence, Scalar
from devices.ecosystems.homeassistant import colors
from devices.ecosystems.homeassistant.colors import FORMS
from devices.ecosystems.homeassistant.entity import Entity, Sender, amount, on_off
from devices.ecosystems.homeassistant.part import (
    Args,
    Order,
    Part,
    Source,
    State,
    merged,
    together,
)
from devices.ecosystems.homeassistant.values import choosable


@dataclass(frozen=True, slots=True)
class _Attribute:
    """One attribute of a basic light: how it is sent, and what will be reported."""

    kind: Kind
    key: str
    send: Callable[[Scalar], tuple[str, str]]
    shown: Callable[[Scalar], Scalar]
    needs: Evidence
    sources: tuple[Source, ...]

    def order(self, value: Scalar) -> Order:
        """Set it to `value`."""
        return Order((self.send(value),), {self.key: self.shown(value)}, self.needs)


def basic_light(entity: Entity) -> Part:
    """Nothing when there is no command topic. Raises PayloadError."""
    sender = entity.sender("command_topic")
    if sender is None:
        return Part()
    found = (_brightness(entity), _warmth(entity), _color(entity))
    attributes = {each.key: each for each in found if each is not None}
    basic = _Basic(entity, sender, attributes, entity.fields.text("on_command_type", "last"))
    on, off = entity.fields.text("payload_on", "ON"), entity.fields.text("payload_off", "OFF")
    named = "state_value_template" in entity.fields
    template = "state_value_template" if named else "value_template"
    own = Part(
        colors.capabilities(entity.fields, (each.kind for each in attributes.values())),
        (
            *entity.sources("state_topic", template, on_off("on", on, off)),
            *(source for each in attributes.values() for source in each.sources),
        ),
        {"turn_on": basic.turn_on, "turn_off": basic.turn_off},
    )
    return merged(own, choosable(entity, "effect", "effect_", entity.fields.words("effect_list")))


@dataclass(frozen=True, slots=True)
class _Basic:
    """The verbs of a basic light."""

    entity: Entity
    sender: Sender
    attributes: Mapping[str, _Attribute]
    order: str

    def turn_on(self, args: Args) -> Order:
        """The attributes, and the word for on before, after or (by brightness) instead of them."""
        wanted = colors.wanted(args, self.attributes)
        given = [self.attributes[key].order(args[key]) for key in wanted]
        if self.order == "brightness" and "brightness" in self.attributes:
            bright = "brightness" in args
            last = given if bright else [*given, self.attributes["brightness"].order(100)]
            return together(*last, Order((), {"on": True}, self._needs()))
        word = self._switch("payload_on", "ON", shown=True)
        return together(*([word, *given] if self.order == "first" else [*given, word]))

    def turn_off(self, _: Args) -> Order:
        """The word for off."""
        return self._switch("payload_off", "OFF", shown=False)

    def _switch(self, key: str, default: str, *, shown: bool) -> Order:
        wire = self.entity.fields.text(key, default)
        return Order((self.sender.message(wire),), {"on": shown}, self._needs())

    def _needs(self) -> Evidence:
        return self.entity.needs("state_topic")


def _brightness(entity: Entity) -> _Attribute | None:
    scale = colors.brightness(entity.fields)
    sender = entity.sender("brightness_command_topic", "brightness_command_template")
    if sender is None:
        return None
    read = amount("brightness", scale.percent)
    return _Attribute(
        Kind.BRIGHTNESS,
        "brightness",
        lambda value: sender.message(scale.wire(value)),
        scale.shown,
        entity.needs("brightness_state_topic"),
        entity.sources("brightness_state_topic", "brightness_value_template", read),
    )


def _warmth(entity: Entity) -> _Attribute | None:
    sender = entity.sender("color_temp_command_topic", "color_temp_command_template")
    if sender is None:
        return None
    warmth = colors.warmth(entity.fields)
    return _Attribute(
        Kind.COLOR_TEMPERATURE,
        "color_temperature",
        lambda value: sender.message(warmth.wire(value)),
        warmth.shown,
        entity.needs("color_temp_state_topic"),
        entity.sources(
            "color_temp_state_topic",
            "color_temp_value_template",
            amount("color_temperature", warmth.kelvin),
        ),
    )


_LONG_NAMES = {"r": "red", "g": "green", "b": "blue", "w": "white", "h": "hue", "s": "sat"}
_LONG_NAMES_WW = {**_LONG_NAMES, "c": "cold_white", "w": "warm_white"}


def _color(entity: Entity) -> _Attribute | None:
    announced = (name for name in FORMS if entity.fields.topic(f"{name}_command_topic"))
    name = next(announced, "")
    sender = entity.sender(f"{name}_command_topic", f"{name}_command_template")
    if sender is None:
        return None
    form = FORMS[name]
    long_names = _LONG_NAMES_WW if name == "rgbww" else _LONG_NAMES

    def send(value: Scalar) -> tuple[str, str]:
        parts = form.parts(value)
        named = {long_names.get(n, n): p for n, p in zip(form.names, parts, strict=True)}
        return sender.message(",".join(str(part) for part in parts), **named)

    def read(text: str) -> State:
        found = form.color(text.split(",", 8))
        return {} if found is None else {"color": found}

    return _Attribute(
        Kind.COLOR,
        "color",
        send,
        form.shown,
        entity.needs(f"{name}_state_topic"),
        entity.sources(f"{name}_state_topic", f"{name}_value_template", read),
    )
