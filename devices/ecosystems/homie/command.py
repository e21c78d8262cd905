"""Commands as Homie devices take them, and the values that will prove them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from devices.contract.command import Command, Evidence, Scalar
from devices.contract.errors import CommandRefusedError
from devices.ecosystems import units
from devices.ecosystems.base import Delivery, Proof
from devices.ecosystems.homie.announce import buttons, is_button
from devices.ecosystems.homie.model import DataType, Property
from devices.ecosystems.homie.parts import Part, Role
from devices.ecosystems.homie.state import (
    CLOSED,
    OPEN,
    STOPPED,
    from_celsius,
    of_plain,
    of_role,
)
from devices.ecosystems.homie.values import as_number, fitted, from_percent, write
from devices.link.base import Publish

Sent = tuple[Property, bytes]
"""A property and what it is set to."""

Args = Mapping[str, Scalar]

_SETTLES = frozenset({Role.POSITION, Role.DRIVE, Role.LOCK})


def encode(base: str, part: Part, command: Command, *, sleepy: bool) -> Delivery:
    """One attempt of `command` for the device at `base`. Raises CommandRefusedError.

    Never retained: a retained command would be obeyed again at each reconnect of the device.
    """
    writer = _WRITERS.get(command.command)
    if writer is None:
        raise _cannot(part, command.command)
    sent, proof = writer(part, command.args)
    expiry_s = max(1, -(-command.ttl_ms // 1000))
    messages = [
        # As the convention advises; what keeps no value is an event, which may not come twice.
        Publish(f"{base}/{p.path}/set", data, qos=2 if p.retained else 0, expiry_s=expiry_s)
        for p, data in sent
    ]
    return Delivery(messages, Proof(proof.needs, proof.state, sleepy=sleepy))


Plan = tuple[list[Sent], Proof]


def _turn_on(part: Part, args: Args) -> Plan:
    wanted = list(_light(part, args))
    power = part.roles.get(Role.POWER)
    if power is not None:
        # Last: while it is off, some lamps keep a colour or level for later, none forget it.
        wanted.append((Role.POWER, write(power, True)))
    elif Role.BRIGHTNESS in part.roles and "brightness" not in args:
        wanted.append((Role.BRIGHTNESS, _share(part, Role.BRIGHTNESS, 100)))
    return _by_roles(part, wanted)


def _light(part: Part, args: Args) -> Iterator[tuple[Role, bytes]]:
    if "color" in args:
        yield Role.COLOR, write(_property(part, Role.COLOR), args["color"])
    if "color_temperature" in args:
        prop, kelvin = _property(part, Role.WARMTH), as_number(args["color_temperature"])
        counted = kelvin if prop.unit.casefold() == "k" else units.mired(max(kelvin, 1))
        yield Role.WARMTH, write(prop, counted)
    if "brightness" in args:
        percent = as_number(args["brightness"])
        yield Role.BRIGHTNESS, _share(part, Role.BRIGHTNESS, percent)


def _turn_off(part: Part, _: Args) -> Plan:
    if Role.POWER in part.roles:
        return _by_roles(part, [(Role.POWER, write(part.roles[Role.POWER], False))])
    return _by_roles(part, [(Role.BRIGHTNESS, _share(part, Role.BRIGHTNESS, 0))])


def _set_cover(part: Part, args: Args) -> Plan:
    percent = as_number(args.get("position"))
    if Role.POSITION in part.roles:
        return _by_roles(part, [(Role.POSITION, _share(part, Role.POSITION, percent))])
    if percent not in {0, 100}:
        message = f"{part.name} can only be opened and closed."
        raise CommandRefusedError("invalid_arguments", message)
    return _by_roles(part, [(Role.DRIVE, _word(part, Role.DRIVE, OPEN if percent else CLOSED))])


def _stop(part: Part, _: Args) -> Plan:
    drive = _property(part, Role.DRIVE)
    sent = [(drive, _word(part, Role.DRIVE, STOPPED))]
    told = Role.MOTION in part.roles
    return sent, Proof(Evidence.REPORTED, {"moving": False}) if told else _NEVER_KNOWN


def _lock(part: Part, locked: bool) -> Plan:
    prop = _property(part, Role.LOCK)
    if prop.datatype is DataType.BOOLEAN:
        return _by_roles(part, [(Role.LOCK, write(prop, locked))])
    words = {"lock", "locked"} if locked else {"unlock", "unlocked"}
    return _by_roles(part, [(Role.LOCK, _word(part, Role.LOCK, words))])


def _set_climate(part: Part, args: Args) -> Plan:
    wanted: list[tuple[Role, bytes]] = []
    # The mode first: a change of it may bring a target of its own.
    if "mode" in args:
        wanted.append((Role.MODE, write(_property(part, Role.MODE), args["mode"])))
    if "temperature" in args:
        prop = _property(part, Role.SETPOINT)
        degrees = from_celsius(prop, as_number(args["temperature"]))
        wanted.append((Role.SETPOINT, write(prop, degrees)))
    return _by_roles(part, wanted)


def _set_fan(part: Part, args: Args) -> Plan:
    wanted: list[tuple[Role, bytes]] = []
    if "mode" in args:
        wanted.append((Role.FAN_MODE, write(_property(part, Role.FAN_MODE), args["mode"])))
    if "percent" in args:
        wanted.append((Role.SPEED, _share(part, Role.SPEED, as_number(args["percent"]))))
    return _by_roles(part, wanted)


def _set_value(part: Part, args: Args) -> Plan:
    label, value = str(args.get("name", "")), args.get("value")
    prop = part.plain.get(label)
    if prop is None or not prop.settable or is_button(prop):
        raise _cannot(part, f"set {label}")
    if prop.datatype is DataType.BOOLEAN:
        value = value == prop.options[1]
    data = write(prop, value)
    return [(prop, data)], Proof(Evidence.REPORTED, of_plain(label, prop, data))


def _press(part: Part, args: Args) -> Plan:
    named = {
        name: (prop, data)
        for label, prop in part.plain.items()
        if is_button(prop)
        for name, data in buttons(label, prop).items()
    }
    pressed = named.get(str(args.get("name", next(iter(named), ""))))
    if pressed is None:
        raise _cannot(part, "press that")
    return [pressed], _NEVER_KNOWN


_NEVER_KNOWN = Proof(Evidence.PUBLISHED)


def _by_roles(part: Part, wanted: list[tuple[Role, bytes]]) -> Plan:
    """What to send, and as proof what each value means when the device says it back."""
    state: dict[str, Scalar] = {}
    for role, data in wanted:
        state |= of_role(part, role, data)
    if not wanted:
        raise _cannot(part, "do that")
    settles = any(role in _SETTLES for role, _ in wanted)
    needs = Evidence.SETTLED if settles else Evidence.REPORTED
    return [(part.roles[role], data) for role, data in wanted], Proof(needs, state)


def _share(part: Part, role: Role, percent: float) -> bytes:
    prop = _property(part, role)
    return write(prop, fitted(prop, from_percent(prop, percent)))


def _word(part: Part, role: Role, words: frozenset[str] | set[str]) -> bytes:
    """The option of the property that is one of `words`. Raises CommandRefusedError."""
    for option in _property(part, role).options:
        if option.casefold() in words:
            return option.encode()
    raise _cannot(part, "do that")


def _property(part: Part, role: Role) -> Property:
    if role not in part.roles:
        raise _cannot(part, "do that")
    return part.roles[role]


def _cannot(part: Part, what: str) -> CommandRefusedError:
    return CommandRefusedError("unknown_command", f"{part.name} cannot {what.replace('_', ' ')}.")


_WRITERS: Mapping[str, Callable[[Part, Args], Plan]] = {
    "turn_on": _turn_on,
    "turn_off": _turn_off,
    "set_cover": _set_cover,
    "stop": _stop,
    "lock": lambda part, _: _lock(part, True),
    "unlock": lambda part, _: _lock(part, False),
    "set_climate": _set_climate,
    "set_fan": _set_fan,
    "set_value": _set_value,
    "press": _press,
}
