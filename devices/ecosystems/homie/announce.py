"""A part of a Homie device as the gateway describes devices. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from devices.contract.capability import Capability, Description, Kind
from devices.ecosystems.homie.model import NUMBERS, DataType, Property
from devices.ecosystems.homie.parts import MEASURED, Part, Role
from devices.ecosystems.homie.state import to_celsius, to_kelvin
from devices.ecosystems.risk import risk_of

MAX_CAPABILITIES = 64
_KELVIN = (2000.0, 6500.0)


def describe(device_id: str, part: Part) -> Description:
    """What is offered of `part`."""
    roles = [_ROLES[role](part, prop) for role, prop in part.roles.items() if role in _ROLES]
    if Role.DRIVE in part.roles and Role.POSITION not in part.roles:
        roles.append(_cover(part, part.roles[Role.DRIVE]))
    if Role.FAN_MODE in part.roles:
        roles.append(_guarded(part, Kind.FAN, part.roles[Role.FAN_MODE].options))
    plain = [c for label, prop in part.plain.items() for c in _plain(label, prop)]
    return Description(device_id, part.name, capabilities=(*roles, *plain)[:MAX_CAPABILITIES])


def identity(base: str, mac: str, part: Part) -> frozenset[str]:
    """What only this part has: its MAC address where it tells one, and its command topics."""
    texts = {f"topic:{base}/{prop.path}/set" for prop in part.roles.values()}
    if mac:
        texts.add(f"mac:{mac}/{part.key}" if part.key else f"mac:{mac}")
    return frozenset(texts)


def is_button(prop: Property) -> bool:
    """Whether the property is an event that can be caused, and keeps no value."""
    event = prop.datatype in {DataType.ENUM, DataType.BOOLEAN}
    return prop.settable and not prop.retained and event


def buttons(label: str, prop: Property) -> dict[str, bytes]:
    """The names of what can be pressed, and what to send for each."""
    if prop.datatype is DataType.BOOLEAN:
        return {label: b"true"}
    if len(prop.options) == 1:
        return {label: prop.options[0].encode()}
    return {f"{label} {option}": option.encode() for option in prop.options}


def _guarded(part: Part, kind: Kind, options: tuple[str, ...] = ()) -> Capability:
    return Capability(kind, options=options, risk=risk_of(kind, *part.words))


def _cover(part: Part, _: Property) -> Capability:
    return _guarded(part, Kind.COVER)


def _warmth(_: Part, prop: Property) -> Capability:
    ends = [end for end in (prop.low, prop.high) if end]
    kelvins = sorted(k for k in (to_kelvin(prop, end) for end in ends) if k is not None)
    low, high = kelvins if len(kelvins) == len(_KELVIN) else _KELVIN
    return Capability(Kind.COLOR_TEMPERATURE, minimum=low, maximum=high)


def _climate(part: Part, prop: Property) -> Capability:
    mode = part.roles.get(Role.MODE)
    low, high = (_degrees(prop, end) for end in (prop.low, prop.high))
    return Capability(
        Kind.CLIMATE,
        minimum=low,
        maximum=high,
        step=prop.step,
        options=mode.options if mode else (),
        risk=risk_of(Kind.CLIMATE, *part.words),
    )


def _degrees(prop: Property, end: float | None) -> float | None:
    degrees = None if end is None else to_celsius(prop, end)
    return None if isinstance(degrees, str) else degrees


def _plain(label: str, prop: Property) -> Iterator[Capability]:
    unit = "°C" if label == MEASURED else prop.unit or None
    words = (label, prop.id)
    if not prop.settable:
        yield Capability(Kind.SENSOR, name=label, unit=unit)
    elif is_button(prop):
        for name in buttons(label, prop):
            yield Capability(Kind.BUTTON, name=name, risk=risk_of(Kind.BUTTON, *words))
    elif prop.datatype in NUMBERS:
        yield Capability(
            Kind.NUMBER,
            name=label,
            minimum=prop.low,
            maximum=prop.high,
            step=prop.step,
            unit=unit,
            risk=risk_of(Kind.NUMBER, *words),
        )
    elif prop.options and prop.datatype is not DataType.COLOR:
        risk = risk_of(Kind.SELECT, *words)
        yield Capability(Kind.SELECT, name=label, options=prop.options, risk=risk)
    else:
        yield Capability(Kind.TEXT, name=label, risk=risk_of(Kind.TEXT, *words))


_ROLES: Mapping[Role, Callable[[Part, Property], Capability]] = {
    Role.POWER: lambda part, _: _guarded(part, Kind.POWER),
    Role.BRIGHTNESS: lambda _, __: Capability(Kind.BRIGHTNESS),
    Role.COLOR: lambda _, __: Capability(Kind.COLOR),
    Role.WARMTH: _warmth,
    Role.POSITION: _cover,
    Role.LOCK: lambda part, _: _guarded(part, Kind.LOCK),
    Role.SETPOINT: _climate,
    Role.SPEED: lambda part, _: _guarded(part, Kind.FAN),
}
