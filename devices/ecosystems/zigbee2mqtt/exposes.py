"""What a device exposes, as parts that can be commanded and fields that can be read. Pure.

Shapes are those of Zigbee2MQTT's `definition.exposes`: generic ones (binary, numeric, enum,
text, composite, list) and wrappers (light, switch, cover, lock, climate, fan).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from devices.contract.capability import Capability, Kind
from devices.ecosystems import payload, units
from devices.ecosystems.risk import is_forbidden, risk_of
from devices.ecosystems.zigbee2mqtt.values import (
    Choice,
    Codec,
    Color,
    Mired,
    Number,
    Plain,
    Scale,
    Switch,
)

PUBLISHED, SETTABLE, GETTABLE = 1, 2, 4
MAX_CAPABILITIES = 64
MAX_OPTIONS = 64

Node = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Field:
    """One value: `wire` is its JSON key, `key` that in the state of the house."""

    wire: str
    key: str
    codec: Codec
    access: int

    @property
    def published(self) -> bool:
        """Whether its value is ever reported."""
        return bool(self.access & PUBLISHED)

    @property
    def settable(self) -> bool:
        """Whether it can be set."""
        return bool(self.access & SETTABLE)

    @property
    def gettable(self) -> bool:
        """Whether the device can be asked for it."""
        return bool(self.access & GETTABLE)


@dataclass(slots=True)
class Part:
    """One thing of a device that can be commanded by itself; `endpoint` "" when it is the only.

    `movement` is the property that takes OPEN, CLOSE and STOP, "" when there is none.
    """

    kind: str
    endpoint: str
    capabilities: list[Capability] = field(default_factory=list)
    fields: list[Field] = field(default_factory=list)
    movement: str = ""

    def add(self, capability: Capability | None, *fields: Field | None) -> None:
        """One more thing it can do, and the fields behind it."""
        if capability is not None and len(self.capabilities) < MAX_CAPABILITIES:
            self.capabilities.append(capability)
        self.fields.extend(f for f in fields if f is not None)

    def by_key(self, key: str) -> Field | None:
        """The field behind a state key that can be set; else the first that is read."""
        found = [f for f in self.fields if f.key == key]
        return next((f for f in found if f.settable), found[0] if found else None)


def parts(exposes: object, words: str) -> list[Part]:
    """The parts of a device; what it only tells rides along with the part of its endpoint.

    `words` are its names: they tell how dangerous it is. Never raises for any JSON.
    """
    nodes = [node for node in _list(exposes) if isinstance(node, dict)]
    mains = [main for node in nodes if (main := _main(node, words)) is not None]
    loose = [node for node in nodes if not isinstance(node.get("features"), list)]
    rest = Part("readings", "")
    for node in loose:
        # With several parts, what names none of their endpoints stands for itself.
        home = _home(node, mains) or rest
        _add_generic(home, node)
    return [*mains, rest] if rest.capabilities else mains


def _home(node: Node, mains: list[Part]) -> Part | None:
    if len(mains) == 1:
        return mains[0]
    endpoint = node.get("endpoint")
    return next((p for p in mains if endpoint and p.endpoint == endpoint), None)


def _main(node: Node, words: str) -> Part | None:
    build = _WRAPPERS.get(str(node.get("type")))
    if build is None or not isinstance(node.get("features"), list):
        return None
    part = Part(str(node["type"]), _text(node.get("endpoint")))
    features = {f["name"]: f for f in _features(node)}
    build(part, features, words)
    return part if part.capabilities else None


def _features(node: Node) -> Iterator[dict[str, Any]]:
    for feature in _list(node.get("features")):
        if isinstance(feature, dict) and isinstance(feature.get("name"), str):
            yield feature


# --- the wrappers ----------------------------------------------------------------------------


def _light(part: Part, features: Mapping[str, Node], _: str) -> None:
    part.add(Capability(Kind.POWER), _switch(features.get("state"), "on"))
    if (level := features.get("brightness")) is not None:
        top = payload.number(level.get("value_max")) or 254
        part.add(Capability(Kind.BRIGHTNESS), _field(level, "brightness", Scale(top)))
    if (warmth := features.get("color_temp")) is not None:
        _add_warmth(part, warmth)
    # Both forms may be there; x and y is what most lamps have natively.
    for name, by_hue in (("color_xy", False), ("color_hs", True)):
        if (color := features.get(name)) is not None:
            access = _shared_access(color)
            made = Field(_text(color.get("property")) or "color", "color", Color(by_hue), access)
            part.add(Capability(Kind.COLOR), made)
            break


def _add_warmth(part: Part, node: Node) -> None:
    low = payload.number(node.get("value_min")) or 153
    high = payload.number(node.get("value_max")) or 500
    if 0 < low < high:
        capability = Capability(
            Kind.COLOR_TEMPERATURE, minimum=units.kelvin(high), maximum=units.kelvin(low)
        )
        part.add(capability, _field(node, "color_temperature", Mired(low, high)))


def _plug(part: Part, features: Mapping[str, Node], words: str) -> None:
    state = _switch(features.get("state"), "on")
    if state is not None:
        part.add(Capability(Kind.POWER, risk=risk_of(Kind.POWER, words)), state)


def _cover(part: Part, features: Mapping[str, Node], words: str) -> None:
    position, state = features.get("position"), features.get("state")
    if state is not None and _access(state) & SETTABLE:
        part.movement = _text(state.get("property")) or "state"
    if position is None and not part.movement:
        return
    risk = risk_of(Kind.COVER, words)
    made = _field(position, "position", Number(0, 100)) if position is not None else None
    part.add(Capability(Kind.COVER, risk=risk), made)
    if (tilt := features.get("tilt")) is not None:
        _add_number(part, tilt)


def _lock(part: Part, features: Mapping[str, Node], words: str) -> None:
    state = _switch(features.get("state"), "locked")
    if state is None:
        return
    part.add(Capability(Kind.LOCK, risk=risk_of(Kind.LOCK, words)), state)
    if (told := features.get("lock_state")) is not None:
        part.add(None, _field(told, "locked", Switch("locked", "unlocked")))


def _climate(part: Part, features: Mapping[str, Node], _: str) -> None:
    setpoint = next((features[name] for name in _SETPOINTS if name in features), None)
    mode = features.get("system_mode")
    if setpoint is None and mode is None:
        return
    low = high = step = None
    fields: list[Field | None] = []
    if setpoint is not None:
        low, high, step = (payload.number(setpoint.get(f"value_{k}")) for k in _BOUNDS)
        fields.append(_field(setpoint, "target_temperature", Number(low, high)))
    modes = _options(mode) if mode is not None else ()
    if mode is not None and modes:
        fields.append(_field(mode, "mode", Choice(modes, modes)))
    part.add(Capability(Kind.CLIMATE, minimum=low, maximum=high, step=step, options=modes), *fields)
    if (measured := features.get("local_temperature")) is not None:
        part.add(
            Capability(Kind.SENSOR, name="temperature", unit="°C"),
            _field(measured, "temperature", Number(None, None)),
        )
    for name in ("preset", "fan_mode", "swing_mode", "running_state"):
        if name in features:
            _add_enum(part, features[name])


def _fan(part: Part, features: Mapping[str, Node], _: str) -> None:
    part.add(Capability(Kind.POWER), _switch(features.get("state"), "on"))
    mode, speed = features.get("mode"), features.get("speed")
    modes = _options(mode) if mode is not None else ()
    fields = [_field(mode, "mode", Choice(modes, modes)) if mode is not None and modes else None]
    if speed is not None:
        top = payload.number(speed.get("value_max")) or 100
        fields.append(_field(speed, "fan_percent", Scale(top)))
    part.add(Capability(Kind.FAN, options=modes), *fields)


_BOUNDS = ("min", "max", "step")
_SETPOINTS = ("occupied_heating_setpoint", "current_heating_setpoint", "occupied_cooling_setpoint")
_WRAPPERS: Mapping[str, Callable[[Part, Mapping[str, Node], str], None]] = {
    "light": _light,
    "switch": _plug,
    "cover": _cover,
    "lock": _lock,
    "climate": _climate,
    "fan": _fan,
}


# --- the generic ones ------------------------------------------------------------------------


def _add_generic(part: Part, node: Node) -> None:
    """What stands for itself. Settings of the device and its diagnostics are left out."""
    name = _text(node.get("name"))
    adder = _GENERIC.get(str(node.get("type")))
    if (
        adder is None
        or node.get("category")
        or is_forbidden(name)
        or not _text(node.get("property"))
    ):
        return
    if len(part.capabilities) < MAX_CAPABILITIES:
        adder(part, node)


def _add_binary(part: Part, node: Node) -> None:
    values = (node.get("value_on"), node.get("value_off"))
    key = _key(node)
    if _access(node) & SETTABLE:
        risk = risk_of(Kind.SELECT, key, _text(node.get("description")))
        select = Capability(Kind.SELECT, name=key, options=("on", "off"), risk=risk)
        part.add(select, _field(node, key, Choice(("on", "off"), values)))
    elif _access(node) & PUBLISHED:
        part.add(Capability(Kind.SENSOR, name=key), _field(node, key, Switch(*values)))


def _add_number(part: Part, node: Node) -> None:
    key = _key(node)
    low, high, step = (payload.number(node.get(f"value_{bound}")) for bound in _BOUNDS)
    unit = payload.name(node.get("unit"), "") or None
    made = _field(node, key, Number(low, high))
    if _access(node) & SETTABLE:
        risk = risk_of(Kind.NUMBER, key)
        capability = Capability(Kind.NUMBER, key, low, high, step, unit, risk=risk)
        part.add(capability, made)
    elif _access(node) & PUBLISHED:
        part.add(Capability(Kind.SENSOR, key, unit=unit), made)


def _add_enum(part: Part, node: Node) -> None:
    key, options = _key(node), _options(node)
    if not options or is_forbidden(*options[:1]):
        return
    made = _field(node, key, Choice(options, options))
    access = _access(node)
    if not access & SETTABLE:
        if access & PUBLISHED:
            part.add(Capability(Kind.SENSOR, name=key), _field(node, key, Plain()))
    elif len(options) == 1 and not access & PUBLISHED:
        part.add(Capability(Kind.BUTTON, name=key, risk=risk_of(Kind.BUTTON, key)), made)
    else:
        risk = risk_of(Kind.SELECT, key)
        part.add(Capability(Kind.SELECT, name=key, options=options, risk=risk), made)


def _add_text(part: Part, node: Node) -> None:
    key = _key(node)
    kind = Kind.TEXT if _access(node) & SETTABLE else Kind.SENSOR
    if _access(node) & (SETTABLE | PUBLISHED):
        part.add(Capability(kind, name=key, risk=risk_of(kind, key)), _field(node, key, Plain()))


_GENERIC: Mapping[str, Callable[[Part, Node], None]] = {
    "binary": _add_binary,
    "numeric": _add_number,
    "enum": _add_enum,
    "text": _add_text,
}


# --- small readers ---------------------------------------------------------------------------


def _switch(node: Node | None, key: str) -> Field | None:
    if node is None:
        return None
    return _field(node, key, Switch(node.get("value_on", "ON"), node.get("value_off", "OFF")))


def _field(node: Node, key: str, codec: Codec) -> Field | None:
    name = _text(node.get("property"))
    return Field(name, key, codec, _access(node)) if name else None


def _key(node: Node) -> str:
    return payload.name(node.get("property"), "value")


def _access(node: Node) -> int:
    value = node.get("access")
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _shared_access(node: Node) -> int:
    """A composite states its access, or its features do."""
    features = [_access(feature) for feature in _features(node)]
    return _access(node) or (features[0] if features else 0)


def _options(node: Node) -> tuple[str, ...]:
    """The words of an enum, each once; more than MAX_OPTIONS are more than anybody can say."""
    words = (w for w in _list(node.get("values")) if isinstance(w, str) and w)
    return tuple(dict.fromkeys(w[: payload.NAME_LENGTH] for w in words))[:MAX_OPTIONS]


def _text(value: object) -> str:
    return value[: payload.VALUE_LENGTH] if isinstance(value, str) else ""


def _list(value: object) -> Iterable[Any]:
    return value if isinstance(value, list) else ()
