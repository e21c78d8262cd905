"""The topics of first-generation devices: what they say, and what they are told. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from devices.contract.command import Command, Evidence, Scalar
from devices.contract.errors import CommandRefusedError
from devices.contract.verbs import expected_state
from devices.ecosystems import payload, units
from devices.ecosystems.shelly.models import Gen1Kind, Layout
from devices.ecosystems.shelly.parts import reading_name

MAX_BODY_BYTES = 16 * 1024
State = dict[str, Scalar]
Measured = tuple[Scalar, str]
"""A value and its unit."""

THERMOSTAT_LEAVES = ("status", "info")
_TRUTH: Mapping[str, Scalar] = {"true": True, "false": False}
_SENSOR = re.compile(r"sensor/([a-z_]{1,32})")
_UNITS: Mapping[str, str] = {"temperature": "°C", "humidity": "%", "battery": "%", "lux": "lx"}
# About the device itself, or a second form of another one.
_NO_READINGS = frozenset({"act_reasons", "error", "charger", "self_test", "cfg_changed"})
_FAULTS = frozenset({"obstacle", "safety_switch", "overpower"})
_MOVES = frozenset({"open", "close"})
_ENDS: Mapping[int, bytes] = {0: b"close", 100: b"open"}
_LAMPS = frozenset({Gen1Kind.LIGHT, Gen1Kind.COLOR, Gen1Kind.WHITE})


@dataclass(frozen=True, slots=True)
class Gen1Part:
    """One thing of a device that can be commanded by itself, or what it measures."""

    kind: Gen1Kind
    number: int
    name: str
    kelvin: tuple[int, int] | None = None

    @property
    def topic(self) -> str:
        """Its topic below that of the device."""
        return f"{self.kind}/{self.number}"


@dataclass(frozen=True, slots=True)
class Roller:
    """What was last heard of a roller. `positions` is False when it is not calibrated."""

    moving: bool = False
    positions: bool = True


@dataclass(frozen=True, slots=True)
class Heard:
    """What a message says of a part.

    `ask` when it leaves open what must be known; `trouble` is a fault's word, "" when none.
    """

    state: State = field(default_factory=dict)
    evidence: Evidence = Evidence.ECHOED
    sensors: Mapping[str, Measured] = field(default_factory=dict)
    roller: Roller | None = None
    ask: bool = False
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """What is published for a command, and the state that it comes to; {} when none will show."""

    leaf: str
    data: bytes
    state: Mapping[str, Scalar]


def parts_of(name: str, layout: Layout) -> Iterator[Gen1Part]:
    """The parts of the device that calls itself `name`: only its topic has a name of the user's."""
    called = payload.name(re.sub(r"[_-]+", " ", name), "Shelly")
    for number in range(layout.count):
        own = called if layout.count == 1 else f"{called} {number + 1}"
        yield Gen1Part(layout.kind, number, payload.name(own, called), layout.kelvin)


# --- what they say ---------------------------------------------------------------------------


def hear(part: Gen1Part, leaf: str, data: bytes, roller: Roller) -> Heard | None:
    """What the message on `leaf` says of `part`, None when nothing. Raises PayloadError."""
    sensor = _SENSOR.fullmatch(leaf)
    if sensor is not None:
        return _sensed(sensor[1], data) if part.number == 0 else None
    if part.kind is Gen1Kind.THERMOSTAT:
        reports = leaf in THERMOSTAT_LEAVES
        return _thermostat(payload.read_object(data, MAX_BODY_BYTES)) if reports else None
    reader = _READERS.get((part.kind, leaf.removeprefix(part.topic)))
    return reader(part, data, roller) if reader and leaf.startswith(part.topic) else None


def _switched(_: Gen1Part, data: bytes, __: Roller) -> Heard | None:
    text = payload.read_text(data)
    if text == "overpower":
        return Heard({"on": False}, trouble=text)
    return Heard({"on": text == "on"}) if text in {"on", "off"} else None


def _power(_: Gen1Part, data: bytes, __: Roller) -> Heard | None:
    watts = payload.number(payload.read_text(data))
    return None if watts is None else Heard(sensors={"power": (watts, "W")})


def _direction(_: Gen1Part, data: bytes, roller: Roller) -> Heard | None:
    """A roller may say that it stopped before it says where: the two are told together."""
    text = payload.read_text(data)
    if text in _MOVES:
        moving = replace(roller, moving=True)
        return Heard({"moving": True}, Evidence.REPORTED, roller=moving)
    if text != "stop":
        return None
    still = replace(roller, moving=False)
    state: State = {} if roller.positions else {"moving": False}
    return Heard(state, Evidence.REPORTED, roller=still, ask=roller.moving and roller.positions)


def _position(_: Gen1Part, data: bytes, roller: Roller) -> Heard:
    position = payload.number(payload.read_text(data))
    known = position is not None and 0 <= position <= 100  # noqa: PLR2004 -- percent
    state: State = {"moving": roller.moving}
    if known:
        state["position"] = position
    return Heard(state, Evidence.REPORTED, roller=replace(roller, positions=known))


def _why(_: Gen1Part, data: bytes, __: Roller) -> Heard | None:
    reason = payload.read_text(data)
    return Heard(trouble=reason) if reason in _FAULTS else None


def _status(part: Gen1Part, data: bytes, _: Roller) -> Heard:
    return Heard(_lamp(part, payload.read_object(data, MAX_BODY_BYTES)))


def _lamp(part: Gen1Part, told: Mapping[str, Any]) -> State:
    state: State = {}
    if isinstance(told.get("ison"), bool):
        state["on"] = told["ison"]
    colored = part.kind is Gen1Kind.COLOR and told.get("mode", "color") == "color"
    level = payload.number(told.get("gain" if colored else "brightness"))
    if level is not None:
        state["brightness"] = level
    rgb = [payload.number(told.get(key)) for key in ("red", "green", "blue")]
    red, green, blue = rgb
    if colored and red is not None and green is not None and blue is not None:
        state["color"] = units.from_rgb(red, green, blue)
    warmth = payload.number(told.get("temp"))
    if part.kelvin is not None and not colored and warmth is not None:
        state["color_temperature"] = warmth
    return state


def _thermostat(told: Mapping[str, Any]) -> Heard | None:
    inner = told.get("thermostats")
    first = inner[0] if isinstance(inner, list) and inner else told
    if not isinstance(first, dict):
        return None
    state: State = {}
    for key, name in (("target_t", "target_temperature"), ("tmp", "temperature")):
        value = first.get(key)
        if isinstance(value, dict) and value.get("units", "C") == "C":
            degrees = payload.number(value.get("value"))
            if degrees is not None:
                state[name] = degrees
    # It reports when it wakes, long after the command: this is no echo.
    return Heard(state, Evidence.REPORTED) if state else None


def _sensed(name: str, data: bytes) -> Heard | None:
    if name in _NO_READINGS:
        return None
    text = payload.read_text(data)
    number = payload.number(text)
    value = _TRUTH.get(text, payload.scalar(text)) if number is None else number
    shown = "contact" if name == "state" else name.replace("_", " ")
    return Heard(sensors={reading_name(shown): (value, _UNITS.get(name, ""))})


_Reader = Callable[[Gen1Part, bytes, Roller], Heard | None]
_READERS: Mapping[tuple[Gen1Kind, str], _Reader] = {
    (Gen1Kind.RELAY, ""): _switched,
    (Gen1Kind.ROLLER, ""): _direction,
    (Gen1Kind.ROLLER, "/pos"): _position,
    (Gen1Kind.ROLLER, "/stop_reason"): _why,
    **{(kind, ""): _switched for kind in _LAMPS},
    **{(kind, "/status"): _status for kind in _LAMPS},
    **{(kind, "/power"): _power for kind in (Gen1Kind.RELAY, Gen1Kind.ROLLER, *_LAMPS)},
}


# --- what they are told ----------------------------------------------------------------------


def write(part: Gen1Part, command: Command, *, positions: bool) -> Line:
    """`command` for `part`; `positions` is whether a roller knows where it is.

    Raises CommandRefusedError.
    """
    writer = _WRITERS.get((part.kind, command.command))
    if writer is None:
        raise CommandRefusedError(
            "unknown_command", f"{part.name} cannot do {command.command.replace('_', ' ')}."
        )
    if part.kind is Gen1Kind.ROLLER and not positions:
        return _blind(part, command)
    leaf, data = writer(part, command.args)
    return Line(leaf, data, expected_state(command.command, command.args))


_Written = tuple[str, bytes]


def _blind(part: Gen1Part, command: Command) -> Line:
    """A roller that is not calibrated never tells where it is."""
    if command.command == "stop":
        return Line(f"{part.topic}/command", b"stop", {"moving": False})
    word = _ENDS.get(round(_number(command.args.get("position"))))
    if word is None:
        message = f"{part.name} is not calibrated: it can only open and close all the way."
        raise CommandRefusedError("not_calibrated", message)
    return Line(f"{part.topic}/command", word, {})


def _relay(part: Gen1Part, word: bytes) -> _Written:
    return f"{part.topic}/command", word


def _lamp_on(part: Gen1Part, args: Mapping[str, Scalar]) -> _Written:
    body: dict[str, Any] = {"turn": "on"}
    if "color" in args:
        if part.kind is not Gen1Kind.COLOR:
            raise CommandRefusedError("unknown_command", f"{part.name} has no colours.")
        red, green, blue = units.to_rgb(str(args["color"]))
        body |= {"mode": "color", "red": red, "green": green, "blue": blue}
    elif "color_temperature" in args:
        if part.kelvin is None:
            raise CommandRefusedError("unknown_command", f"{part.name} has no warmth.")
        mode = {"mode": "white"} if part.kind is Gen1Kind.COLOR else {}
        body |= {**mode, "temp": round(_number(args["color_temperature"]))}
    if "brightness" in args:
        level = round(_number(args["brightness"]))
        body["brightness"] = level
        if part.kind is Gen1Kind.COLOR:
            # Its level is called so while it shows a colour.
            body["gain"] = level
    return _json(part, body)


def _json(part: Gen1Part, body: Mapping[str, Any]) -> _Written:
    return f"{part.topic}/set", json.dumps(body, separators=(",", ":")).encode()


def _roll(part: Gen1Part, args: Mapping[str, Scalar]) -> _Written:
    position = round(_number(args.get("position")))
    return f"{part.topic}/command/pos", str(position).encode()


def _warm(part: Gen1Part, args: Mapping[str, Scalar]) -> _Written:
    degrees = _number(args.get("temperature"))
    return f"{part.topic}/command/target_t", f"{degrees:g}".encode()


_Writer = Callable[[Gen1Part, Mapping[str, Scalar]], _Written]
_WRITERS: Mapping[tuple[Gen1Kind, str], _Writer] = {
    (Gen1Kind.RELAY, "turn_on"): lambda part, _: _relay(part, b"on"),
    (Gen1Kind.RELAY, "turn_off"): lambda part, _: _relay(part, b"off"),
    **{(kind, "turn_on"): _lamp_on for kind in _LAMPS},
    **{(kind, "turn_off"): lambda part, _: _json(part, {"turn": "off"}) for kind in _LAMPS},
    (Gen1Kind.ROLLER, "set_cover"): _roll,
    (Gen1Kind.ROLLER, "stop"): lambda part, _: _relay(part, b"stop"),
    (Gen1Kind.THERMOSTAT, "set_climate"): _warm,
}


def _number(value: Scalar) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise CommandRefusedError("invalid_arguments", "That is no number.")
    return value
