"""A Tasmota device as its discovery message describes it: topics, texts, and what it switches.

Field names and meanings are those of Tasmota's `tasmota/discovery/<MAC>/config`. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any

from devices.contract.errors import PayloadError
from devices.ecosystems import payload

MAX_RELAYS = 32
_TEXT_LENGTH = 120
_PREFIXES = ("cmnd", "stat", "tele")
_STATE_WORDS = ("OFF", "ON", "TOGGLE", "HOLD")


class Relay(IntEnum):
    """What an entry of `rl` is."""

    NONE = 0
    SWITCH = 1
    LIGHT = 2
    SHUTTER = 3


class PartKind(StrEnum):
    """What a part of a device is."""

    SWITCH = "switch"
    LIGHT = "light"
    SHUTTER = "shutter"
    FAN = "fan"
    READINGS = "readings"
    """nothing to command, only sensors"""


@dataclass(frozen=True, slots=True)
class Part:
    """One thing of a device that can be commanded by itself.

    `number` counts as the firmware's commands do, from 1. For lights `dimmer` is the command
    that dims ("" when none), and the flags say what it can be set to.
    """

    kind: PartKind
    number: int
    name: str
    dimmer: str = ""
    color: bool = False
    warmth: bool = False
    inverted: bool = False


@dataclass(frozen=True, slots=True)
class Box:
    """One device. Topics end with a slash."""

    mac: str
    name: str
    command_topic: str
    stat_topic: str
    tele_topic: str
    online: str
    offline: str
    off: str
    on: str
    parts: tuple[Part, ...]
    mired: tuple[int, int]
    deep_sleep: bool
    words: str
    """what may tell how dangerous it is: its names and module"""


def read_box(raw: Mapping[str, Any]) -> Box:
    """A discovery message as a Box. Raises PayloadError with what is wrong."""
    mac = payload.mac(str(raw.get("mac", "")))
    if not mac:
        raise PayloadError("it names no MAC address")
    words = _texts(raw.get("state"), _STATE_WORDS)
    command, stat, tele = _texts(raw.get("tp"), _PREFIXES)[:3]
    options = raw.get("so")
    options = options if isinstance(options, dict) else {}
    name = payload.name(raw.get("dn"), f"Tasmota {mac[-6:]}")
    return Box(
        mac=mac,
        name=name,
        command_topic=_topic(raw, command, mac),
        stat_topic=_topic(raw, stat, mac),
        tele_topic=_topic(raw, tele, mac),
        online=_text(raw.get("onln"), "Online"),
        offline=_text(raw.get("ofln"), "Offline"),
        off=words[0],
        on=words[1],
        parts=tuple(_parts(raw, options, name)) or (Part(PartKind.READINGS, 1, name),),
        # SetOption82 narrows the range to what some platforms can show.
        mired=(200, 380) if options.get("82") == 1 else (153, 500),
        deep_sleep=raw.get("dslp") == 1,
        words=" ".join((name, payload.name(raw.get("md"), ""))),
    )


def _parts(raw: Mapping[str, Any], options: Mapping[str, Any], name: str) -> Iterator[Part]:
    relays = _relays(raw.get("rl"))
    names = raw.get("fn")
    names = names if isinstance(names, list) else []
    fan = raw.get("if") == 1
    count = sum(relay is not Relay.NONE for relay in relays) + fan
    lights = [n for n, relay in enumerate(relays, 1) if relay is Relay.LIGHT]
    for number, relay in enumerate(relays, 1):
        called = _part_name(name, names, number, count)
        if relay is Relay.SWITCH or (relay is Relay.LIGHT and fan and number == 1):
            # SetOption30 announces all relays as lights; an iFan's first relay is its lamp.
            as_light = options.get("30") == 1 or (fan and number == 1)
            yield Part(PartKind.LIGHT if as_light else PartKind.SWITCH, number, called)
        elif relay is Relay.LIGHT:
            yield _light(raw, options, number, lights.index(number), called)
    yield from _shutters(raw, relays, names, name)
    if fan:
        yield Part(PartKind.FAN, 1, f"{name} fan" if count > 1 else name)


def _light(
    raw: Mapping[str, Any], options: Mapping[str, Any], number: int, order: int, name: str
) -> Part:
    """`lt_st` is the number of channels: 1 dimmer, 2 white, 3 RGB, 4 RGBW, 5 RGB and white."""
    channels = payload.number(raw.get("lt_st")) or 0
    if options.get("68") == 1:
        return Part(PartKind.LIGHT, number, name, dimmer=f"Channel{number}")
    if channels >= 4 and raw.get("lk") != 1:  # noqa: PLR2004 -- as above
        # Colour and white are two lights of their own.
        white = order > 0
        dimmer = "Dimmer2" if white else "Dimmer1"
        warmth = white and channels == 5  # noqa: PLR2004 -- as above
        return Part(PartKind.LIGHT, number, name, dimmer, color=not white, warmth=warmth)
    dimmer = "Dimmer3" if raw.get("ty") == 1 else "Dimmer"
    return Part(
        PartKind.LIGHT,
        number,
        name,
        dimmer if channels >= 1 else "",
        color=channels >= 3,  # noqa: PLR2004 -- as above
        warmth=channels in {2, 5},
    )


def _shutters(
    raw: Mapping[str, Any], relays: Sequence[Relay], names: Sequence[object], box: str
) -> Iterator[Part]:
    """Each shutter has two relays that follow each other."""
    firsts: list[int] = []
    index = 0
    while index + 1 < len(relays):
        pair = relays[index] is Relay.SHUTTER and relays[index + 1] is Relay.SHUTTER
        if pair:
            firsts.append(index)
        index += 2 if pair else 1
    others = any(relay in {Relay.SWITCH, Relay.LIGHT} for relay in relays)
    options = raw.get("sho")
    options = options if isinstance(options, list) else []
    for order, first in enumerate(firsts):
        bits = payload.number(options[order]) if order < len(options) else 0
        name = _part_name(box, names, first + 1, len(firsts) + others)
        inverted = bool(int(bits or 0) & 1)
        yield Part(PartKind.SHUTTER, order + 1, name, inverted=inverted)


def _part_name(box: str, names: Sequence[object], number: int, count: int) -> str:
    """The friendly name of a relay; the device's own where it is the only one."""
    own = names[number - 1] if number <= len(names) else None
    if count <= 1:
        return box
    called = payload.name(own, "")
    return called if called and called != box else f"{box} {number}"


def _relays(raw: object) -> list[Relay]:
    known = {relay.value for relay in Relay}
    values = raw[:MAX_RELAYS] if isinstance(raw, list) else []
    return [Relay(v) if isinstance(v, int) and v in known else Relay.NONE for v in values]


def _topic(raw: Mapping[str, Any], prefix: str, mac: str) -> str:
    """FullTopic with its placeholders filled in. Raises PayloadError: no topic, or a wildcard."""
    topic, full = raw.get("t"), raw.get("ft") or "%prefix%/%topic%/"
    if not isinstance(topic, str) or not isinstance(full, str) or not topic:
        raise PayloadError("it names no topic")
    filled = full.replace("%prefix%", prefix).replace("%topic%", topic)
    filled = filled.replace("%hostname%", str(raw.get("hn", ""))).replace("%id%", mac[-6:].upper())
    if len(filled) > _TEXT_LENGTH or any(c in filled for c in "+#\0"):
        raise PayloadError("its topic cannot be used")
    return filled if filled.endswith("/") else f"{filled}/"


def _texts(raw: object, otherwise: Sequence[str]) -> list[str]:
    values = raw if isinstance(raw, list) else []
    padded = [*values, *([None] * len(otherwise))][: len(otherwise)]
    return [_text(value, default) for value, default in zip(padded, otherwise, strict=True)]


def _text(value: object, otherwise: str) -> str:
    usable = isinstance(value, str) and 0 < len(value) <= _TEXT_LENGTH
    return value if usable and isinstance(value, str) else otherwise
