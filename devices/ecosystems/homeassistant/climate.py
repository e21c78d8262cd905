"""Warmth and humidity: thermostats, water heaters, humidifiers. Degrees are Celsius here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from devices.contract.capability import Kind
from devices.contract.command import Evidence
from devices.contract.errors import PayloadError
from devices.ecosystems import payload
from devices.ecosystems.homeassistant.entity import Entity, Sender, amount, word
from devices.ecosystems.homeassistant.part import (
    Args,
    Order,
    Part,
    Source,
    merged,
    refused,
    together,
)
from devices.ecosystems.homeassistant.switches import power
from devices.ecosystems.homeassistant.values import adjustable, choosable

_CLIMATE_MODES = ("auto", "off", "cool", "heat", "dry", "fan_only")
_HEATER_MODES = ("off", "eco", "electric", "gas", "heat_pump", "high_demand", "performance")
_CLIMATE_RANGE_C = (7.0, 35.0)
_HEATER_RANGE_C = (43.3, 60.0)
_FAHRENHEIT = ("F", "°F", "fahrenheit")


def climate(entity: Entity) -> Part:
    """A thermostat with its modes; fan, swing and presets are named choices beside it."""
    words = entity.fields.words
    return merged(
        _thermostat(entity, words("modes", _CLIMATE_MODES), _CLIMATE_RANGE_C),
        choosable(entity, "fan mode", "fan_mode_", words("fan_modes", _FAN_MODES)),
        choosable(entity, "swing mode", "swing_mode_", words("swing_modes", ("on", "off"))),
        choosable(entity, "preset", "preset_mode_", words("preset_modes")),
        _humidity(entity, (30, 99)),
        _current_humidity(entity),
    )


_FAN_MODES = ("auto", "low", "medium", "high")


def water_heater(entity: Entity) -> Part:
    """A boiler: a thermostat that is always guarded."""
    modes = entity.fields.words("modes", _HEATER_MODES)
    return _thermostat(entity, modes, _HEATER_RANGE_C, guarded=True)


def humidifier(entity: Entity) -> Part:
    """On and off, a target, and modes."""
    switch = power(entity, "state_value_template")
    if not switch.capabilities:
        return Part()
    modes = choosable(entity, "operating mode", "mode_", entity.fields.words("modes"))
    return merged(switch, _humidity(entity, (0, 100)), modes, _current_humidity(entity))


def _humidity(entity: Entity, default: tuple[float, float]) -> Part:
    fields = entity.fields
    low, high = fields.number("min_humidity", default[0]), fields.number("max_humidity", default[1])
    return adjustable(entity, "target humidity", "target_humidity_", bounds=(low, high), unit="%")


def _current_humidity(entity: Entity) -> Part:
    sources = entity.sources(
        "current_humidity_topic", "current_humidity_template", amount("humidity")
    )
    sensors = (entity.capability(Kind.SENSOR, "humidity", unit="%"),) if sources else ()
    return Part(sensors, sources)


def _thermostat(
    entity: Entity,
    modes: Mapping[str, str],
    default_range: tuple[float, float],
    *,
    guarded: bool = False,
) -> Part:
    warm = entity.sender("temperature_command_topic", "temperature_command_template")
    mode = entity.sender("mode_command_topic", "mode_command_template")
    if warm is None and mode is None:
        return Part()
    options = modes if mode is not None else {}
    scale = _degrees(entity)
    low, high = _range(entity, scale, default_range)
    verbs = _Thermostat(entity, warm, mode, options, scale, low, high)
    capability = entity.capability(
        Kind.CLIMATE,
        guarded=guarded,
        minimum=low,
        maximum=high,
        step=max(0.0, entity.fields.number("temp_step", 1)) or None,
        unit="°C",
        options=tuple(options),
    )
    return Part((capability,), _sources(entity, options, scale), {"set_climate": verbs.set})


def _sources(entity: Entity, options: Mapping[str, str], scale: _Degrees) -> tuple[Source, ...]:
    told = {wire: shown for shown, wire in options.items()}
    readers = (
        ("temperature_state", "temperature_state", amount("target_temperature", scale.celsius)),
        ("mode_state", "mode_state", word("mode", told)),
        ("current_temperature", "current_temperature", amount("temperature", scale.celsius)),
    )
    return tuple(
        source
        for topic, template, read in readers
        for source in entity.sources(f"{topic}_topic", _template(entity, template), read)
    )


def _template(entity: Entity, name: str) -> str:
    key = f"{name}_template"
    return key if key in entity.fields else "value_template"


@dataclass(frozen=True, slots=True)
class _Degrees:
    """The device's degrees."""

    fahrenheit: bool

    def celsius(self, degrees: float) -> float:
        """The device's degrees as Celsius."""
        return round((degrees - 32) / 1.8, 1) if self.fahrenheit else degrees

    def wire(self, celsius: float) -> float:
        """Celsius as the device's degrees."""
        return round(celsius * 1.8 + 32, 1) if self.fahrenheit else celsius


def _degrees(entity: Entity) -> _Degrees:
    return _Degrees(entity.fields.text("temperature_unit") in _FAHRENHEIT)


def _range(entity: Entity, scale: _Degrees, default_c: tuple[float, float]) -> tuple[float, float]:
    default = [scale.wire(end) for end in default_c]
    low, high = (
        scale.celsius(entity.fields.number(key, end))
        for key, end in zip(("min_temp", "max_temp"), default, strict=True)
    )
    if low > high:
        raise PayloadError("the lowest temperature is above the highest")
    return low, high


@dataclass(frozen=True, slots=True)
class _Thermostat:
    """The one verb of a thermostat."""

    entity: Entity
    warm: Sender | None
    mode: Sender | None
    modes: Mapping[str, str]
    scale: _Degrees
    low: float
    high: float

    def set(self, args: Args) -> Order:
        """A mode, a temperature, or both; the mode first, as it may bring its own temperature."""
        wanted: tuple[tuple[str, Callable[[object], Order]], ...] = (
            ("mode", self._set_mode),
            ("temperature", self._set_temperature),
        )
        orders = [change(args[key]) for key, change in wanted if args.get(key) is not None]
        if not orders:
            raise refused("A temperature or a mode is needed.", "invalid")
        return together(*orders)

    def _set_mode(self, mode: object) -> Order:
        if self.mode is None or mode not in self.modes:
            raise refused("It has no such mode.", "invalid")
        wire = self.modes[str(mode)]
        needs = self.entity.needs("mode_state_topic", Evidence.ECHOED)
        return Order((self.mode.message(wire),), {"mode": str(mode)}, needs)

    def _set_temperature(self, celsius: object) -> Order:
        asked = payload.number(celsius)
        if self.warm is None:
            raise refused("It has no temperature to set.")
        if asked is None or not self.low <= asked <= self.high:
            raise refused(f"The range is {self.low:g} to {self.high:g} degrees.", "invalid")
        wire = payload.number(self.scale.wire(asked))
        needs = self.entity.needs("temperature_state_topic", Evidence.ECHOED)
        return Order((self.warm.message(wire),), {"target_temperature": asked}, needs)
