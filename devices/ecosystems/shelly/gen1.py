"""The first generation: plain topics under `shellies/<id>`, and no word on commands.

A device repeats its state on the topic that also echoes commands, so that only what it says
after it was asked (`update`) counts as its own report.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from devices.contract.capability import Capability, Description, Kind
from devices.contract.command import Command, Evidence
from devices.contract.errors import CommandRefusedError, PayloadError
from devices.ecosystems import payload
from devices.ecosystems.base import (
    Announced,
    Availability,
    Delivery,
    Listen,
    Proof,
    Removed,
    Say,
    Sighting,
    StateReport,
    Trouble,
)
from devices.ecosystems.risk import risk_of
from devices.ecosystems.shelly import gen1_words as words
from devices.ecosystems.shelly.gen1_words import Gen1Part
from devices.ecosystems.shelly.models import Gen1Kind, layout
from devices.link.base import Message, Publish

MAX_BOXES = 2_000
MAX_BODY_BYTES = 16 * 1024
MAX_SENSORS = 24
ROOT = "shellies"
_ID = re.compile(r"[^/+#\0$][^/+#\0]{0,63}")
_DEGREES = (5, 31)


@dataclass(slots=True)
class _Box:
    """A device. `sensors` are the names of what it was heard to measure, with their units."""

    name: str
    mac: str
    parts: dict[str, Gen1Part]
    sleepy: bool
    sensors: dict[str, dict[str, str]] = field(default_factory=dict)
    rollers: dict[str, words.Roller] = field(default_factory=dict)

    @property
    def topic(self) -> str:
        """What its topics begin with."""
        return f"{ROOT}/{self.name}"

    def roller(self, device_id: str) -> words.Roller:
        """What is known of one of its rollers."""
        return self.rollers.get(device_id, words.Roller())

    def listening(self) -> list[str]:
        """The filters for all that it reports."""
        kinds = {part.kind for part in self.parts.values()} | {Gen1Kind.READINGS}
        leaves = [f"{kind}/#" for kind in sorted(kinds - {Gen1Kind.THERMOSTAT})]
        if Gen1Kind.THERMOSTAT in kinds:
            leaves += words.THERMOSTAT_LEAVES
        return [f"{self.topic}/{leaf}" for leaf in leaves]


class Gen1:
    """The devices under `shellies/`."""

    def __init__(self) -> None:
        self._boxes: dict[str, _Box] = {}
        self._by_mac: dict[str, str] = {}
        self._by_device: dict[str, str] = {}

    def announced(self, raw: Mapping[str, Any]) -> Iterator[Sighting]:
        """A device said what it is. Raises PayloadError."""
        name, mac = str(raw.get("id", "")), payload.mac(str(raw.get("mac", "")))
        model = str(raw.get("model", ""))[:32]
        if not _ID.fullmatch(name) or not mac:
            raise PayloadError("the announcement names no device")
        found = layout(model, str(raw.get("mode", "")))
        if found is None:
            raise PayloadError("its model is not known")
        parts = {_device_id(mac, p, found.count): p for p in words.parts_of(name, found)}
        before = self._boxes.get(name)
        if before is None or (before.mac, before.parts) != (mac, parts):
            if before is None and len(self._boxes) >= MAX_BOXES:
                raise PayloadError("there are too many devices")
            yield from self._take(_Box(name, mac, parts, found.sleepy))
        yield from self.is_there(name, online=True)

    def is_there(self, name: str, *, online: bool) -> Iterator[Sighting]:
        """Its will, or another sign of life."""
        box = self._boxes.get(name)
        if box is None or (box.sleepy and not online):
            return
        for device_id in box.parts:
            yield Availability(device_id, online)
        if online:
            # States are repeated every half minute only.
            yield Say(_ask(box))

    def reported(self, message: Message) -> Iterator[Sighting]:
        """A message below a device's topic."""
        name, _, leaf = message.topic.removeprefix(f"{ROOT}/").partition("/")
        box = self._boxes.get(name)
        if box is None:
            return
        live = not message.retained
        for device_id, part in box.parts.items():
            heard = words.hear(part, leaf, message.payload, box.roller(device_id))
            if heard is None:
                continue
            if live and heard.trouble:
                yield Trouble(device_id, heard.trouble, "It reports a fault.")
            if heard.roller is not None:
                box.rollers[device_id] = heard.roller
            if heard.state:
                yield StateReport(device_id, heard.state, live, heard.evidence)
            if heard.ask:
                yield Say(_ask(box))
            yield from self._measured(box, device_id, heard.sensors, live=live)

    def encode(self, device_id: str, command: Command) -> Delivery:
        """One attempt of `command`. Raises CommandRefusedError."""
        box = self._boxes.get(self._by_device.get(device_id, ""))
        part = box.parts.get(device_id) if box else None
        if box is None or part is None:
            raise CommandRefusedError("unknown_device", "That device is not there any more.")
        line = words.write(part, command, positions=box.roller(device_id).positions)
        expiry_s = max(1, -(-command.ttl_ms // 1000))
        message = Publish(f"{box.topic}/{line.leaf}", line.data, expiry_s=expiry_s)
        needs = Evidence.SETTLED if part.kind is Gen1Kind.ROLLER else Evidence.REPORTED
        if not line.state:
            return Delivery([message], Proof(Evidence.PUBLISHED))
        return Delivery([message], Proof(needs, line.state, [_ask(box)], sleepy=box.sleepy))

    def knows(self, device_id: str) -> bool:
        """Whether the device is one of these."""
        return device_id in self._by_device

    def _take(self, box: _Box) -> Iterator[Sighting]:
        """In place of who had its name, and of what it was called before."""
        for name in {box.name, self._by_mac.get(box.mac, box.name)}:
            before = self._boxes.pop(name, None)
            if before is not None:
                yield from self._drop(before, box)
        self._boxes[box.name] = box
        self._by_mac[box.mac] = box.name
        self._by_device.update(dict.fromkeys(box.parts, box.name))
        for topic_filter in box.listening():
            yield Listen(topic_filter)
        for device_id in box.parts:
            yield from self._announce(box, device_id)

    def _drop(self, before: _Box, box: _Box) -> Iterator[Sighting]:
        """Forget what of `before` is not in `box` any more."""
        self._by_mac.pop(before.mac, None)
        for topic_filter in set(before.listening()) - set(box.listening()):
            yield Listen(topic_filter, wanted=False)
        for device_id in before.parts.keys() - box.parts.keys():
            self._by_device.pop(device_id, None)
            yield Removed(device_id)

    def _announce(self, box: _Box, device_id: str) -> Iterator[Sighting]:
        part = box.parts[device_id]
        sensors = box.sensors.get(device_id, {})
        if part.kind is Gen1Kind.READINGS and not sensors:
            return  # nothing to say yet
        able = (*_able(part, box.name), *(
            Capability(Kind.SENSOR, name=name, unit=unit or None) for name, unit in sensors.items()
        ))  # fmt: skip
        identity = f"mac:{box.mac}" if len(box.parts) == 1 else f"mac:{box.mac}/{part.number}"
        yield Announced(Description(device_id, part.name, capabilities=able), frozenset({identity}))

    def _measured(
        self, box: _Box, device_id: str, found: Mapping[str, words.Measured], *, live: bool
    ) -> Iterator[Sighting]:
        known = box.sensors.setdefault(device_id, {}) if found else {}
        fresh = {n: unit for n, (_, unit) in found.items() if n not in known}
        if fresh and len(known) + len(fresh) <= MAX_SENSORS:
            known.update(fresh)
            yield from self._announce(box, device_id)
        values = {name: value for name, (value, _) in found.items() if name in known}
        if values:
            yield StateReport(device_id, values, live)


def asking_who(name: str) -> Publish:
    """What makes one device announce itself."""
    return Publish(f"{ROOT}/{name}/command", b"announce", expiry_s=2)


def _ask(box: _Box) -> Publish:
    return Publish(f"{box.topic}/command", b"update", expiry_s=2)


def _device_id(mac: str, part: Gen1Part, count: int) -> str:
    return payload.device_id("shelly", mac if count == 1 else f"{mac}/{part.kind}/{part.number}")


def _able(part: Gen1Part, name: str) -> Iterator[Capability]:
    match part.kind:
        case Gen1Kind.READINGS:
            return
        case Gen1Kind.ROLLER:
            yield Capability(Kind.COVER, risk=risk_of(Kind.COVER, name))
            return
        case Gen1Kind.THERMOSTAT:
            low, high = _DEGREES
            yield Capability(Kind.CLIMATE, minimum=low, maximum=high)
            return
    yield Capability(Kind.POWER, risk=risk_of(Kind.POWER, name))
    if part.kind is not Gen1Kind.RELAY:
        yield Capability(Kind.BRIGHTNESS)
    if part.kind is Gen1Kind.COLOR:
        yield Capability(Kind.COLOR)
    if part.kelvin is not None:
        low, high = part.kelvin
        yield Capability(Kind.COLOR_TEMPERATURE, minimum=low, maximum=high)
