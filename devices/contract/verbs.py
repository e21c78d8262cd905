"""The standard verbs: the commands that every ecosystem understands, in one table.

A verb's name is both the tool that the model calls and the native command on the wire.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from devices.contract.capability import Description, Kind
from devices.contract.command import Scalar

_COLOR = re.compile(r"#[0-9A-Fa-f]{6}")
_NEAR_COLOR = 40
# Half a degree is what a person can ask for and a thermostat can hold.
_NEAR_DEGREES = 0.3
_NEAR_PERCENT = 1.0
_PERCENTAGES = frozenset({"brightness", "position", "fan_percent"})
# What a number that is sent and comes back as text may lose.
_NEAR_SHARE = 0.001
_NEAR_SHARE_OF_KELVIN = 0.01

# What a verb makes pointless beside what it writes: "off" replaces a waiting "dim to 40 %",
# after "stop" nothing that waited may start to move, and no "stop" may end a later movement.
_REPLACED: Mapping[str, frozenset[str]] = {
    "turn_off": frozenset({"brightness", "color", "color_temperature"}),
    "stop": frozenset({"position", "vacuum:"}),
    "set_cover": frozenset({"moving"}),
    "vacuum": frozenset({"moving"}),
}


@dataclass(frozen=True, slots=True)
class Verb:
    """One standard verb.

    `kinds`: a device with a capability of any of them supports the verb. `writes`: state
    keys it always sets; its arguments `also` set the key of the same or the mapped name.
    `makes_safe`: stopping and locking are never held back for a confirmation.
    `completes_within_s`: how long a device may take after it accepted.
    """

    name: str
    kinds: frozenset[Kind]
    sets: Mapping[str, Scalar]
    also: Mapping[str, str]
    idempotent: bool = True
    makes_safe: bool = False
    completes_within_s: float = 10.0


def _verb(
    name: str,
    *kinds: Kind,
    sets: Mapping[str, Scalar] | None = None,
    also: Mapping[str, str] | None = None,
    idempotent: bool = True,
    makes_safe: bool = False,
    completes_within_s: float = 10.0,
) -> Verb:
    return Verb(
        name, frozenset(kinds), sets or {}, also or {}, idempotent, makes_safe, completes_within_s
    )


_LIGHT_ARGUMENTS = {k: k for k in ("brightness", "color", "color_temperature")}

VERBS: Mapping[str, Verb] = {
    v.name: v
    for v in (
        _verb(
            "turn_on",
            *(Kind.POWER, Kind.BRIGHTNESS, Kind.COLOR, Kind.COLOR_TEMPERATURE),
            sets={"on": True},
            also=_LIGHT_ARGUMENTS,
        ),
        _verb(
            "turn_off",
            *(Kind.POWER, Kind.BRIGHTNESS, Kind.COLOR, Kind.COLOR_TEMPERATURE),
            sets={"on": False},
        ),
        # Garage doors take 15 to 25 s, long blinds more.
        _verb("set_cover", Kind.COVER, also={"position": "position"}, completes_within_s=60.0),
        _verb("stop", Kind.COVER, Kind.VACUUM, sets={"moving": False}, makes_safe=True),
        _verb("lock", Kind.LOCK, sets={"locked": True}, makes_safe=True),
        _verb("unlock", Kind.LOCK, sets={"locked": False}),
        _verb(
            "set_climate", Kind.CLIMATE, also={"temperature": "target_temperature", "mode": "mode"}
        ),
        _verb("set_fan", Kind.FAN, also={"percent": "fan_percent", "mode": "mode"}),
        _verb("set_value", Kind.NUMBER, Kind.SELECT, Kind.TEXT),
        _verb("press", Kind.BUTTON, Kind.SCENE, idempotent=False),
        _verb("vacuum", Kind.VACUUM, completes_within_s=30.0),
        _verb("alarm", Kind.ALARM, completes_within_s=90.0),
    )
}


def expected_state(verb: str, args: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """The state keys and values that prove `verb` with `args` done; {} when none can."""
    if verb == "set_value":
        return {str(args["name"]): args["value"]} if {"name", "value"} <= args.keys() else {}
    known = VERBS.get(verb)
    if known is None:
        return {}
    state = dict(known.sets)
    state.update({key: args[name] for name, key in known.also.items() if name in args})
    return state


def written_attributes(verb: str, args: Mapping[str, Scalar]) -> frozenset[str]:
    """What a command writes: two commands that share one of these must not overlap.

    State keys where the verb has them, else the verb's own name (with what it presses).
    """
    keys = expected_state(verb, args)
    if keys:
        return frozenset(keys)
    return frozenset({f"{verb}:{args.get('name', '')}"})


def replaced_attributes(verb: str, args: Mapping[str, Scalar]) -> frozenset[str]:
    """What a newer command makes pointless: a waiting command that writes only these is dropped."""
    return written_attributes(verb, args) | _REPLACED.get(verb, frozenset())


def supports(description: Description, verb: str) -> bool:
    """Whether a device understands `verb`, standard or its own."""
    known = VERBS.get(verb)
    if known is None:
        return description.own_command(verb) is not None
    return bool(description.of_kind(*known.kinds))


def contradicts(state: Mapping[str, Scalar], expected: Mapping[str, Scalar]) -> str | None:
    """The first key of `expected` that `state` reports with another value, None when none does.

    Percentages agree within 1, colour temperatures within 1 % (both pass through coarser
    scales on the device); temperatures to reach within 0.3 degrees, other numbers within
    0.1 %; colours when no part of #rrggbb is more than 40 of 255 off (lamps show the nearest
    that they can); other texts whatever their case. A key that is not reported, or reported
    as null (not known), contradicts nothing.
    """
    for key, wanted in expected.items():
        value = state.get(key)
        if value is not None and not _agree(key, value, wanted):
            return key
    return None


def _agree(key: str, value: Scalar, wanted: Scalar) -> bool:
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    if isinstance(value, int | float) and isinstance(wanted, int | float):
        return abs(value - wanted) <= _near(key, wanted)
    if isinstance(value, str) and isinstance(wanted, str):
        if _COLOR.fullmatch(value) and _COLOR.fullmatch(wanted):
            parts = zip(bytes.fromhex(value[1:]), bytes.fromhex(wanted[1:]), strict=True)
            return all(abs(one - other) <= _NEAR_COLOR for one, other in parts)
        return value.casefold() == wanted.casefold()
    return value == wanted


def _near(key: str, wanted: float) -> float:
    """How far apart two numbers of `key` may be that mean the same."""
    if key in _PERCENTAGES:
        return _NEAR_PERCENT
    if key == "target_temperature":
        return _NEAR_DEGREES
    return abs(wanted) * (_NEAR_SHARE_OF_KELVIN if key == "color_temperature" else _NEAR_SHARE)
