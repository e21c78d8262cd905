"""Lights that speak by templates of their own, in both directions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from devices.contract.capability import Kind
from devices.contract.command import Evidence, Scalar
from devices.ecosystems.homeassistant import colors
from devices.ecosystems.homeassistant.colors import FORMS, Brightness, Warmth
from devices.ecosystems.homeassistant.entity import Entity, Sender, amount, on_off
from devices.ecosystems.homeassistant.part import Args, Order, Part, Source, State


def template_light(entity: Entity) -> Part:
    """Nothing without a command topic and both templates. Raises PayloadError."""
    fields = entity.fields
    sender = entity.sender("command_topic", "command_on_template")
    off = entity.sender("command_topic", "command_off_template")
    if sender is None or off is None or not (sender.template and off.template):
        return Part()
    has = {
        Kind.BRIGHTNESS: bool(fields.template("brightness_template")),
        Kind.COLOR: all(fields.template(f"{part}_template") for part in ("red", "green", "blue")),
        Kind.COLOR_TEMPERATURE: bool(fields.template("color_temp_template")),
    }
    able = [kind for kind, announced in has.items() if announced]
    names = frozenset(kind.value for kind in able)
    verbs = _Templated(entity, sender, off, names, Brightness(), colors.warmth(fields))
    return Part(
        colors.capabilities(fields, able),
        verbs.sources(),
        {"turn_on": verbs.turn_on, "turn_off": verbs.turn_off},
    )


@dataclass(frozen=True, slots=True)
class _Templated:
    """The verbs and the sources of a light that speaks by templates."""

    entity: Entity
    on: Sender
    off: Sender
    able: frozenset[str]
    scale: Brightness
    warmth: Warmth

    def turn_on(self, args: Args) -> Order:
        """What the template makes of all that is asked."""
        variables: dict[str, Any] = {"state": "on"}
        shown: dict[str, Scalar] = {"on": True}
        for key in colors.wanted(args, self.able):
            found, shown[key] = self._variables(key, args[key])
            variables |= found
        return Order((self.on.message("on", **variables),), shown, self._needs())

    def turn_off(self, _: Args) -> Order:
        """What the template makes of off."""
        return Order((self.off.message("off", state="off"),), {"on": False}, self._needs())

    def sources(self) -> tuple[Source, ...]:
        """One for each template, all on the one state topic; colour takes three at once."""
        fields, entity = self.entity.fields, self.entity
        readers = {
            "state_template": on_off("on", "on", "off"),
            "brightness_template": amount("brightness", self.scale.percent),
            "color_temp_template": amount("color_temperature", self.warmth.kelvin),
        }
        found = [
            source
            for template, read in readers.items()
            if fields.template(template)
            for source in entity.sources("state_topic", template, read)
        ]
        topic = fields.state_topic("state_topic")
        if "color" in self.able and topic:
            parts = (fields.template(f"{part}_template") for part in ("red", "green", "blue"))
            found.append(Source(topic, ",".join(parts), _rgb))
        return tuple(found)

    def _variables(self, key: str, value: Scalar) -> tuple[dict[str, Any], Scalar]:
        if key == "brightness":
            return {"brightness": self.scale.wire(value)}, self.scale.shown(value)
        if key == "color_temperature":
            return {"color_temp": self.warmth.wire(value)}, self.warmth.shown(value)
        red, green, blue = FORMS["rgb"].parts(value)
        hue, saturation = FORMS["hs"].parts(value)
        rgb = {"red": red, "green": green, "blue": blue}
        return {**rgb, "hue": hue, "sat": saturation}, FORMS["rgb"].shown(value)

    def _needs(self) -> Evidence:
        told = bool(self.entity.fields.template("state_template"))
        return self.entity.needs("state_topic") if told else Evidence.PUBLISHED


def _rgb(text: str) -> State:
    found = FORMS["rgb"].color(part.strip() for part in text.split(",", 8))
    return {} if found is None else {"color": found}
