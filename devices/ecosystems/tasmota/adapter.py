"""Tasmota as one ecosystem: which boxes there are, what they report, how they are told.

Its replies name no command, so a device gets one command at a time. It is never told through
group topics, and nothing it is told is retained.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from devices.contract.capability import Capability, Description, Kind
from devices.contract.command import Command
from devices.contract.errors import CommandRefusedError, PayloadError
from devices.ecosystems import payload
from devices.ecosystems.base import (
    Announced,
    Availability,
    Delivery,
    Listen,
    Malformed,
    Removed,
    Say,
    Sighting,
    StateReport,
    TopicFilter,
    Traits,
    Trouble,
)
from devices.ecosystems.risk import risk_of
from devices.ecosystems.tasmota import command as commands
from devices.ecosystems.tasmota import state as reports
from devices.ecosystems.tasmota.box import Box, Part, PartKind, read_box
from devices.ecosystems.units import kelvin
from devices.link.base import Message, Publish

MAX_BOXES = 2_000
MAX_CONFIG_BYTES = 16 * 1024
MAX_BODY_BYTES = 16 * 1024
_REFUSALS = {"Unknown": "It does not know this command.", "Error": "It refused the arguments."}


@dataclass(slots=True)
class _Known:
    """A box, its parts by device id, its sensors' units, and which part was told last."""

    box: Box
    parts: dict[str, Part]
    sensors: dict[str, str] = field(default_factory=dict)
    last: str = ""


class Tasmota:
    """Boxes that announce themselves under `tasmota/discovery`."""

    name = "tasmota"
    traits = Traits(
        keeps_ids=False, silent_on_repeat=False, one_at_a_time=True, areas_from_names=True
    )

    def __init__(self, prefix: str = "tasmota/discovery") -> None:
        self._prefix = prefix
        self._boxes: dict[str, _Known] = {}
        self._by_topic: dict[str, str] = {}
        self._by_device: dict[str, str] = {}

    def filters(self) -> Sequence[TopicFilter]:
        """The announcements; the topics of each box follow from its own."""
        return [TopicFilter(f"{self._prefix}/+/{leaf}") for leaf in ("config", "sensors")]

    def greeting(self) -> Sequence[Publish]:
        """Nothing: announcements are retained."""
        return ()

    def decode(self, message: Message) -> Iterable[Sighting]:
        """What a message says; Malformed when it breaks the rules."""
        try:
            return list(self._sightings(message))
        except PayloadError as error:
            return (Malformed(message.topic, str(error)),)

    def encode(self, device_id: str, command: Command) -> Delivery:
        """The firmware's commands. Raises CommandRefusedError."""
        known = self._boxes.get(self._by_device.get(device_id, ""))
        part = known.parts.get(device_id) if known else None
        if known is None or part is None:
            raise CommandRefusedError("unknown_device", "That device is not there any more.")
        known.last = device_id
        return commands.encode(known.box, part, command)

    # --- what comes ----------------------------------------------------------------------

    def _sightings(self, message: Message) -> Iterator[Sighting]:
        if message.topic.startswith(f"{self._prefix}/"):
            mac, _, leaf = message.topic.removeprefix(f"{self._prefix}/").partition("/")
            yield from self._discovered(payload.mac(mac), leaf, message.payload)
            return
        base, _, leaf = message.topic.rpartition("/")
        known = self._boxes.get(self._by_topic.get(f"{base}/", ""))
        if known is not None:
            yield from self._reported(known, leaf, message)

    def _discovered(self, mac: str, leaf: str, data: bytes) -> Iterator[Sighting]:
        if leaf == "config":
            if not data:
                yield from self._forget(mac)
                return
            box = read_box(payload.read_object(data, MAX_CONFIG_BYTES))
            if box.mac != mac:
                raise PayloadError("the configuration on this topic is that of another device")
            yield from self._box(box)
        elif leaf == "sensors" and data and mac in self._boxes:
            body = payload.read_object(data, MAX_CONFIG_BYTES).get("sn")
            yield from self._sensors(self._boxes[mac], body if isinstance(body, dict) else {})

    def _box(self, box: Box) -> Iterator[Sighting]:
        before = self._boxes.get(box.mac)
        if before is not None and before.box == box:
            return
        if before is None and len(self._boxes) >= MAX_BOXES:
            raise PayloadError("there are too many devices")
        if before is not None:
            yield from self._forget(box.mac, besides=_ids(box))
        known = _Known(box, _ids(box), before.sensors if before else {})
        self._boxes[box.mac] = known
        self._by_device.update(dict.fromkeys(known.parts, box.mac))
        for topic in (box.stat_topic, box.tele_topic):
            self._by_topic[topic] = box.mac
            yield Listen(f"{topic}+")
        yield from self._announce(known)

    def _announce(self, known: _Known) -> Iterator[Sighting]:
        ids = list(known.parts)
        for device_id, part in known.parts.items():
            sensors = known.sensors if device_id == ids[0] else {}
            if part.kind is PartKind.READINGS and not sensors:
                continue  # nothing to say and nothing to do yet
            description = _description(device_id, known.box, part, sensors)
            yield Announced(description, _identity(known.box, part, len(ids)))

    def _sensors(self, known: _Known, body: dict[str, object]) -> Iterator[Sighting]:
        sensors = {name: unit for name, (_, unit) in reports.readings(body).items()}
        if sensors and sensors != known.sensors:
            known.sensors = sensors
            yield from self._announce(known)

    def _reported(self, known: _Known, leaf: str, message: Message) -> Iterator[Sighting]:
        text = payload.read_text(message.payload, MAX_BODY_BYTES)
        live = not message.retained
        if leaf == "LWT":
            yield from self._presence(known, text)
            return
        if not text.startswith("{"):
            found = reports.plain_power(known.box, leaf, text)
        else:
            body = payload.read_object(message.payload, MAX_BODY_BYTES)
            if live:
                yield from self._refused(known, body)
            yield from self._measured(known, leaf, body, live=live)
            found = reports.states(known.box, body)
        ids = {part: device_id for device_id, part in known.parts.items()}
        for part, state in found:
            yield StateReport(ids[part], state, live, reports.evidence(leaf, part))

    def _presence(self, known: _Known, text: str) -> Iterator[Sighting]:
        if text not in (known.box.online, known.box.offline):
            return
        online = text == known.box.online
        for device_id in known.parts:
            yield Availability(device_id, online)
        if online:
            # Its replies are not retained: without asking, the state is unknown for minutes.
            for question in commands.questions(known.box):
                yield Say(question)

    def _refused(self, known: _Known, body: dict[str, object]) -> Iterator[Sighting]:
        """The reply names no command; it follows the last one at once."""
        said = body.get("Command")
        if isinstance(said, str) and said in _REFUSALS and known.last:
            yield Trouble(known.last, said.lower(), _REFUSALS[said], rejected=True)

    def _measured(
        self, known: _Known, leaf: str, body: dict[str, object], *, live: bool
    ) -> Iterator[Sighting]:
        if leaf not in {"SENSOR", "STATUS10", "STATUS8"} or not known.parts:
            return
        values = {n: v for n, (v, _) in reports.readings(body).items() if n in known.sensors}
        if values:
            yield StateReport(next(iter(known.parts)), values, live)

    def _forget(self, mac: str, besides: Iterable[str] = ()) -> Iterator[Sighting]:
        known = self._boxes.pop(mac, None)
        if known is None:
            return
        for topic in (known.box.stat_topic, known.box.tele_topic):
            if self._by_topic.pop(topic, None):
                yield Listen(f"{topic}+", wanted=False)
        for device_id in known.parts:
            self._by_device.pop(device_id, None)
            if device_id not in besides:
                yield Removed(device_id)


def _ids(box: Box) -> dict[str, Part]:
    one = len(box.parts) == 1
    return {
        payload.device_id(
            "tasmota", box.mac if one else f"{box.mac}/{part.kind}/{part.number}"
        ): part
        for part in box.parts
    }


def _identity(box: Box, part: Part, count: int) -> frozenset[str]:
    whole = f"mac:{box.mac}"
    power = f"topic:{box.command_topic}POWER"
    texts = {whole if count == 1 else f"{whole}/{part.kind}/{part.number}"}
    if part.kind in {PartKind.SWITCH, PartKind.LIGHT}:
        texts.add(f"{power}{part.number}")
        if part.number == 1:
            texts.add(power)
    return frozenset(texts)


def _description(device_id: str, box: Box, part: Part, sensors: dict[str, str]) -> Description:
    readings = (Capability(Kind.SENSOR, name=n, unit=unit or None) for n, unit in sensors.items())
    return Description(
        device_id,
        part.name,
        capabilities=(*_CAPABILITIES[part.kind](box, part), *readings),
    )


def _switch(box: Box, part: Part) -> tuple[Capability, ...]:
    return (Capability(Kind.POWER, risk=risk_of(Kind.POWER, part.name, box.words)),)


def _light(box: Box, part: Part) -> tuple[Capability, ...]:
    low, high = box.mired
    found = [Capability(Kind.POWER)]
    if part.dimmer:
        found.append(Capability(Kind.BRIGHTNESS))
    if part.color:
        found.append(Capability(Kind.COLOR))
    if part.warmth:
        warmth = Capability(Kind.COLOR_TEMPERATURE, minimum=kelvin(high), maximum=kelvin(low))
        found.append(warmth)
    return tuple(found)


def _shutter(box: Box, part: Part) -> tuple[Capability, ...]:
    return (Capability(Kind.COVER, risk=risk_of(Kind.COVER, part.name, box.words)),)


_CAPABILITIES: Mapping[PartKind, Callable[[Box, Part], tuple[Capability, ...]]] = {
    PartKind.SWITCH: _switch,
    PartKind.LIGHT: _light,
    PartKind.SHUTTER: _shutter,
    PartKind.FAN: lambda _, __: (Capability(Kind.POWER), Capability(Kind.FAN)),
    PartKind.READINGS: lambda _, __: (),
}
