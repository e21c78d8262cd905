"""Lights whose commands and states are JSON objects, as those of ESPHome and Zigbee2MQTT."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from devices.contract.capability import Capability, Kind
from devices.contract.command import Scalar
from devices.ecosystems import payload
from devices.ecosystems.homeassistant import colors
from devices.ecosystems.homeassistant.colors import FORMS, Brightness, ColorForm, Warmth
from devices.ecosystems.homeassistant.entity import Entity, Sender, json_object
from devices.ecosystems.homeassistant.part import Args, Order, Part, State, merged, refused


def json_light(entity: Entity) -> Part:
    """Nothing when there is no command topic. Raises PayloadError."""
    sender = entity.sender("command_topic")
    if sender is None:
        return Part()
    fields = entity.fields
    scale, warmth = colors.brightness(fields), colors.warmth(fields)
    body = _Json(entity, sender, colors.modes(fields), scale, warmth)
    own = Part(
        colors.capabilities(fields, colors.kinds(body.modes)),
        entity.sources("state_topic", "", body.read),
        {"turn_on": body.turn_on, "turn_off": body.turn_off},
    )
    return merged(own, body.effects())


@dataclass(frozen=True, slots=True)
class _Json:
    """The verbs and the state of a light whose messages are JSON objects."""

    entity: Entity
    sender: Sender
    modes: frozenset[str]
    scale: Brightness
    warmth: Warmth

    def turn_on(self, args: Args) -> Order:
        """One object with all that is asked."""
        body: dict[str, Any] = {"state": "ON"}
        shown: dict[str, Scalar] = {"on": True}
        for key in colors.wanted(args, self._able()):
            name, wire, shown[key] = self._attribute(key, args[key])
            body[name] = wire
        return self._order(body, shown)

    def turn_off(self, _: Args) -> Order:
        """The state alone."""
        return self._order({"state": "OFF"}, {"on": False})

    def read(self, text: str) -> State:
        """What a state object tells; a colour mode says whether colour or warmth holds."""
        body = json_object(text)
        state = dict(_switched(body))
        mode, steps = body.get("color_mode"), payload.number(body.get("brightness"))
        if steps is not None and steps > 0:
            state["brightness"] = self.scale.percent(steps)
        warm = payload.number(body.get("color_temp"))
        if warm is not None and mode in (None, "color_temp"):
            state["color_temperature"] = self.warmth.kelvin(warm)
        color = colors.color_in(body.get("color"))
        if color is not None and mode not in ("color_temp", "white", "brightness", "onoff"):
            state["color"] = color
        if isinstance(body.get("effect"), str):
            state["effect"] = payload.scalar(body["effect"])
        return state

    def effects(self) -> Part:
        """The choice of effects; it is reported with the rest."""
        fields = self.entity.fields
        options = fields.words("effect_list") if fields.flag("effect") else {}
        if not options:
            return Part()

        def change(value: Scalar) -> Order:
            if value not in options:
                raise refused("effect must be one of the announced options.", "invalid")
            return self._order({"state": "ON", "effect": options[str(value)]}, {"effect": value})

        capability = Capability(Kind.SELECT, "effect", options=tuple(options))
        return Part((capability,), values={"effect": change})

    def _attribute(self, key: str, value: Scalar) -> tuple[str, Any, Scalar]:
        """Its name in the object, its value there, and what will be reported."""
        if key == "brightness":
            return key, self.scale.wire(value), self.scale.shown(value)
        if key == "color_temperature":
            return "color_temp", self.warmth.wire(value), self.warmth.shown(value)
        form = self._form()
        parts = zip(form.names, form.parts(value), strict=True)
        return "color", dict(parts), form.shown(value)

    def _form(self) -> ColorForm:
        return next(form for name, form in FORMS.items() if name in self.modes)

    def _able(self) -> frozenset[str]:
        return frozenset(kind.value for kind in colors.kinds(self.modes))

    def _order(self, body: Mapping[str, Any], shown: State) -> Order:
        needs = self.entity.needs("state_topic")
        return Order(((self.sender.topic, json.dumps(body)),), shown, needs)


_STATES: Mapping[str | None, State] = {"ON": {"on": True}, "OFF": {"on": False}, None: {"on": None}}


def _switched(body: Mapping[str, Any]) -> State:
    word = body.get("state", "")
    return _STATES.get(word, {}) if word is None or isinstance(word, str) else {}
