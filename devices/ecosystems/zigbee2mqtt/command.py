"""Commands as Zigbee2MQTT takes them, and the reports that will prove them. Pure.

The bridge publishes what it sent before the device has done it, also when the device refused:
an echo is never enough where the device can be asked.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from devices.contract.command import Command, Evidence, Scalar
from devices.contract.errors import CommandRefusedError
from devices.contract.verbs import expected_state
from devices.ecosystems.base import Delivery, Proof
from devices.ecosystems.zigbee2mqtt.exposes import Field, Part
from devices.link.base import Publish

# What moves: its first echo is where it shall go, not where it is.
_SETTLES = frozenset({"position", "locked", "moving"})
_MOVEMENTS = {0: "CLOSE", 100: "OPEN"}


@dataclass(frozen=True, slots=True)
class Target:
    """Whom to tell: `topic` is that of the device, without `/set`."""

    topic: str
    name: str
    sleepy: bool


def encode(target: Target, part: Part, command: Command) -> Delivery:
    """One attempt of `command` for `part`. Raises CommandRefusedError."""
    body, state, fields = _told(target, part, command)
    expiry_s = max(1, math.ceil(command.ttl_ms / 1000))
    # A lock on a battery wakes to obey, and answers then.
    wakes = part.kind == "lock" or not target.sleepy
    asking = _asking(target, fields) if wakes else []
    proof = Proof(_needs(part, state, fields), state, asking, sleepy=target.sleepy)
    return Delivery([_publish(f"{target.topic}/set", body, expiry_s)], proof)


def _told(
    target: Target, part: Part, command: Command
) -> tuple[dict[str, object], dict[str, Scalar], list[Field]]:
    """The body to send, the state that it comes to, and the fields that will show it."""
    if command.command == "stop" and part.movement:
        return {part.movement: "STOP"}, {}, []
    if command.command == "press":
        return _pressed(target, part, command.args), {}, []
    wanted = expected_state(command.command, command.args)
    if not wanted:
        _refuse(target, command.command)
    body: dict[str, object] = {}
    state: dict[str, Scalar] = {}
    fields: list[Field] = []
    for key, value in wanted.items():
        field = part.by_key(key)
        if field is None or not field.settable:
            body |= _moved(target, part, command.command, key, value)
            continue
        written = field.codec.write(value)
        body[field.wire] = written
        # What the device can show of it: a warmth in whole mireds, a colour without its brightness.
        shown = field.codec.read(written)
        state[key] = value if shown is None else shown
        fields.append(field)
    return body, state, fields


def _moved(target: Target, part: Part, verb: str, key: str, value: Scalar) -> dict[str, object]:
    """A cover without positions opens and closes all the way."""
    word = _MOVEMENTS.get(value) if isinstance(value, int) and key == "position" else None
    if not part.movement or word is None:
        _refuse(target, verb)
    return {part.movement: word}


def _pressed(target: Target, part: Part, args: Mapping[str, Scalar]) -> dict[str, object]:
    name = args.get("name")
    buttons = [f for f in part.fields if not f.published and f.settable]
    field = next((f for f in buttons if name is None or f.key == name), None)
    options = list(getattr(field.codec, "values", ())) if field else []
    if field is None or len(options) != 1:
        _refuse(target, "press")
    return {field.wire: options[0]}


def _needs(part: Part, state: Mapping[str, Scalar], fields: list[Field]) -> Evidence:
    if not state or not all(field.published for field in fields):
        return Evidence.PUBLISHED
    askable = all(field.gettable for field in fields)
    if part.kind == "lock":
        return Evidence.SETTLED
    if _SETTLES & state.keys():
        return Evidence.SETTLED if askable else Evidence.PUBLISHED
    return Evidence.REPORTED if askable else Evidence.ECHOED


def _asking(target: Target, fields: list[Field]) -> list[Publish]:
    asked = {field.wire: "" for field in fields if field.gettable}
    return [_publish(f"{target.topic}/get", asked, 2)] if asked else []


def _publish(topic: str, body: Mapping[str, object], expiry_s: int) -> Publish:
    return Publish(topic, json.dumps(body).encode(), expiry_s=expiry_s)


def _refuse(target: Target, verb: str) -> NoReturn:
    words = verb.replace("_", " ")
    raise CommandRefusedError("unknown_command", f"{target.name} cannot do that ({words}).")
