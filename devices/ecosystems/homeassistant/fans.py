"""Fans: on and off, a speed within the device's own range, presets, and which way they turn."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from devices.contract.capability import Kind
from devices.contract.command import Evidence
from devices.contract.errors import PayloadError
from devices.ecosystems import payload
from devices.ecosystems.homeassistant.entity import Entity, Sender, amount, word
from devices.ecosystems.homeassistant.part import Args, Order, Part, merged, refused, together
from devices.ecosystems.homeassistant.switches import power
from devices.ecosystems.homeassistant.values import choosable


@dataclass(frozen=True, slots=True)
class Speeds:
    """The device's speeds, from `slowest` to `fastest`; 0 % is off and has none."""

    slowest: int
    fastest: int

    def wire(self, percent: float) -> int:
        """The speed for a percentage above 0, rounded up."""
        return self.slowest - 1 + math.ceil(percent * self._count / 100)

    def percent(self, speed: float) -> int | None:
        """A speed as percent; None for one outside the range."""
        if speed == 0:
            return 0
        if not self.slowest <= speed <= self.fastest:
            return None
        return math.floor((speed - self.slowest + 1) * 100 / self._count)

    @property
    def _count(self) -> int:
        return self.fastest - self.slowest + 1


def fan(entity: Entity) -> Part:
    """A fan with what it announces."""
    switch = power(entity, "state_value_template")
    if not switch.capabilities:
        return Part()
    fields = entity.fields
    turns = {
        "on": fields.text("payload_oscillation_on", "oscillate_on"),
        "off": fields.text("payload_oscillation_off", "oscillate_off"),
    }
    ways = {"forward": "forward", "reverse": "reverse"}
    return merged(
        switch,
        _speed(entity, switch),
        choosable(entity, "oscillation", "oscillation_", turns),
        choosable(entity, "direction", "direction_", ways),
    )


def _speed(entity: Entity, switch: Part) -> Part:
    fields = entity.fields
    speeds = _speeds(entity)
    percent = entity.sender("percentage_command_topic", "percentage_command_template")
    preset = entity.sender("preset_mode_command_topic", "preset_mode_command_template")
    presets = fields.words("preset_modes") if preset is not None else {}
    if percent is None and not presets:
        return Part()
    verbs = _Fan(entity, switch, speeds, percent, preset, presets)
    told = {wire: shown for shown, wire in presets.items()}
    return Part(
        (entity.capability(Kind.FAN, options=tuple(presets)),),
        (
            *entity.sources(
                "percentage_state_topic",
                "percentage_value_template",
                amount("fan_percent", speeds.percent),
            ),
            *entity.sources(
                "preset_mode_state_topic", "preset_mode_value_template", word("mode", told)
            ),
        ),
        {"set_fan": verbs.set},
    )


def _speeds(entity: Entity) -> Speeds:
    low, high = (
        round(entity.fields.number(f"speed_range_{end}", default))
        for end, default in (("min", 1), ("max", 100))
    )
    if not 1 <= low < high:
        raise PayloadError("the range of speeds is no range")
    return Speeds(low, high)


@dataclass(frozen=True, slots=True)
class _Fan:
    """Speed and preset of a fan."""

    entity: Entity
    switch: Part
    speeds: Speeds
    percent: Sender | None
    preset: Sender | None
    presets: Mapping[str, str]

    def set(self, args: Args) -> Order:
        """A speed, a preset, or both; 0 % switches off."""
        orders = []
        if args.get("percent") is not None:
            orders.append(self._set_percent(args["percent"]))
        if args.get("mode") is not None:
            orders.append(self._set_preset(args["mode"]))
        if not orders:
            raise refused("A speed or a mode is needed.", "invalid")
        return together(*orders)

    def _set_percent(self, value: object) -> Order:
        asked = payload.number(value)
        if asked is None or not 0 <= asked <= 100:  # noqa: PLR2004 -- percent
            raise refused("A speed is a number from 0 to 100 percent.", "invalid")
        if asked == 0:
            return self.switch.verbs["turn_off"]({})
        if self.percent is None:
            raise refused("It has no speeds to set.")
        wire = self.speeds.wire(asked)
        needs = self.entity.needs("percentage_state_topic")
        shown = self.speeds.percent(wire)
        speed = Order((self.percent.message(wire),), {"fan_percent": shown}, needs)
        on = self.switch.verbs["turn_on"]({})
        if on.needs <= Evidence.PUBLISHED:
            # Who never tells whether it is on tells by its speed.
            return Order((*on.messages, *speed.messages), speed.state, needs)
        return together(on, speed)

    def _set_preset(self, value: object) -> Order:
        if self.preset is None or value not in self.presets:
            raise refused("It has no such mode.", "invalid")
        needs = self.entity.needs("preset_mode_state_topic")
        return Order((self.preset.message(self.presets[str(value)]),), {"mode": str(value)}, needs)
