"""Commands as Tasmota devices take them, and the reports that will prove them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from devices.contract.command import Command, Evidence, Scalar
from devices.contract.errors import CommandRefusedError
from devices.ecosystems import units
from devices.ecosystems.base import Delivery, Proof
from devices.ecosystems.tasmota.box import Box, Part, PartKind
from devices.ecosystems.tasmota.state import FAN_TOP
from devices.link.base import Publish

Lines = list[tuple[str, str]]
"""Firmware commands with their arguments, in the order in which they go out."""

State = dict[str, Scalar]


def encode(box: Box, part: Part, command: Command) -> Delivery:
    """One attempt of `command` for `part`. Raises CommandRefusedError."""
    writer = _WRITERS.get((part.kind, command.command))
    if writer is None:
        message = f"{part.name} cannot do {command.command.replace('_', ' ')}."
        raise CommandRefusedError("unknown_command", message)
    lines, state = writer(box, part, command.args)
    expiry_s = max(1, -(-command.ttl_ms // 1000))
    needs = Evidence.SETTLED if part.kind is PartKind.SHUTTER else Evidence.REPORTED
    return Delivery(
        [_publish(box, line, expiry_s) for line in lines],
        Proof(
            needs,
            state,
            read_back=questions(box, part),
            answers_apart=True,
            sleepy=box.deep_sleep,
        ),
    )


def questions(box: Box, part: Part | None = None) -> list[Publish]:
    """What makes the device tell its state: of `part`, or of everything."""
    lines: Lines = []
    if part is None or part.kind is not PartKind.SHUTTER:
        lines.append(("Status", "11"))
    if part is None or part.kind is PartKind.SHUTTER:
        # Shutters and sensors are in status 10 only.
        lines.append(("Status", "10"))
    return [_publish(box, line, 2) for line in lines]


def _turn_on(box: Box, part: Part, args: Mapping[str, Scalar]) -> tuple[Lines, State]:
    lines: Lines = []
    state: State = {"on": True}
    if "color" in args:
        red, green, blue = units.to_rgb(str(args["color"]))
        lines.append(("Color2", f"{red},{green},{blue}"))
        state["color"] = units.from_hs(*units.to_hs(str(args["color"])))
    if "color_temperature" in args:
        low, high = box.mired
        mired = min(max(units.mired(_number(args["color_temperature"])), low), high)
        lines.append(("CT", str(mired)))
        state["color_temperature"] = units.kelvin(mired)
    if "brightness" in args:
        percent = round(_number(args["brightness"]))
        lines.append((part.dimmer, str(percent)))
        state["brightness"] = percent
    # Last: with SetOption20 setting a colour or a level switches nothing on.
    return [*lines, (f"Power{part.number}", box.on)], state


def _turn_off(box: Box, part: Part, _: Mapping[str, Scalar]) -> tuple[Lines, State]:
    return [(f"Power{part.number}", box.off)], {"on": False}


def _set_cover(_: Box, part: Part, args: Mapping[str, Scalar]) -> tuple[Lines, State]:
    position = round(_number(args["position"]))
    sent = 100 - position if part.inverted else position
    return [(f"ShutterPosition{part.number}", str(sent))], {"position": position}


def _stop(_: Box, part: Part, __: Mapping[str, Scalar]) -> tuple[Lines, State]:
    return [(f"ShutterStop{part.number}", "")], {"moving": False}


def _set_fan(_: Box, __: Part, args: Mapping[str, Scalar]) -> tuple[Lines, State]:
    speed = units.to_scale(_number(args.get("percent", 0)), FAN_TOP)
    return _fan(speed)


def _fan(speed: int) -> tuple[Lines, State]:
    percent = units.from_scale(speed, FAN_TOP)
    return [("FanSpeed", str(speed))], {"fan_percent": percent}


_WRITERS: Mapping[
    tuple[PartKind, str], Callable[[Box, Part, Mapping[str, Scalar]], tuple[Lines, State]]
] = {
    (PartKind.SWITCH, "turn_on"): _turn_on,
    (PartKind.SWITCH, "turn_off"): _turn_off,
    (PartKind.LIGHT, "turn_on"): _turn_on,
    (PartKind.LIGHT, "turn_off"): _turn_off,
    (PartKind.SHUTTER, "set_cover"): _set_cover,
    (PartKind.SHUTTER, "stop"): _stop,
    (PartKind.FAN, "set_fan"): _set_fan,
    (PartKind.FAN, "turn_on"): lambda _, __, ___: _fan(FAN_TOP),
    (PartKind.FAN, "turn_off"): lambda _, __, ___: _fan(0),
}


def _publish(box: Box, line: tuple[str, str], expiry_s: int) -> Publish:
    # Never retained: a retained command runs again at each reconnect of the device.
    return Publish(f"{box.command_topic}{line[0]}", line[1].encode(), expiry_s=expiry_s)


def _number(value: Scalar) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise CommandRefusedError("invalid_arguments", "That is no number.")
    return value
