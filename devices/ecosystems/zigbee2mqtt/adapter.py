"""Zigbee2MQTT as one ecosystem: the bridge's devices, their reports, and its failures.

Everything is keyed by IEEE address: names change at any time and may contain slashes, so no
topic is ever taken apart without the list of names.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from devices.contract.capability import Description
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
    Sighting,
    StateReport,
    TopicFilter,
    Traits,
    Trouble,
)
from devices.ecosystems.zigbee2mqtt import bridge
from devices.ecosystems.zigbee2mqtt.bridge import Thing
from devices.ecosystems.zigbee2mqtt.command import Target, encode
from devices.ecosystems.zigbee2mqtt.exposes import Part
from devices.ecosystems.zigbee2mqtt.news import News
from devices.link.base import Message, Publish

# The whole list comes as one message, about 3.5 kB a device.
MAX_LIST_BYTES = 4 * 1024 * 1024
MAX_STATE_BYTES = 64 * 1024
MAX_THINGS = 2_000


class Zigbee2Mqtt:
    """The bridge whose topics begin with `base`."""

    name = "zigbee2mqtt"
    # The bridge publishes the state after each command, also after one that changes nothing.
    traits = Traits(keeps_ids=False, silent_on_repeat=False, areas_from_names=True)

    def __init__(self, base: str = "zigbee2mqtt") -> None:
        self._base = base
        self._things: dict[str, Thing] = {}
        self._by_name: dict[str, str] = {}
        self._devices: dict[str, tuple[str, Part]] = {}
        self._groups: dict[str, str] = {}
        self._said: set[str] = set()
        self._cached: set[str] = set()
        self._news = News()
        self._online: bool | None = None

    def filters(self) -> Sequence[TopicFilter]:
        """The bridge's own topics; those of each device follow from the list."""
        bridge_topic = f"{self._base}/bridge"
        return [
            TopicFilter(f"{bridge_topic}/logging"),
            TopicFilter(f"{bridge_topic}/state"),
            TopicFilter(f"{bridge_topic}/groups", max_bytes=MAX_LIST_BYTES),
            TopicFilter(f"{bridge_topic}/devices", max_bytes=MAX_LIST_BYTES),
        ]

    def greeting(self) -> Sequence[Publish]:
        """Nothing: the list is retained."""
        return ()

    def decode(self, message: Message) -> Iterable[Sighting]:
        """What a message says; Malformed when it breaks the rules."""
        try:
            return list(self._sightings(message))
        except PayloadError as error:
            return (Malformed(message.topic, str(error)),)

    def encode(self, device_id: str, command: Command) -> Delivery:
        """One message with all that is to be set. Raises CommandRefusedError."""
        found = self._devices.get(device_id)
        if found is None:
            raise CommandRefusedError("unknown_device", "That device is not there any more.")
        thing = self._things[found[0]]
        topic = f"{self._base}/{thing.name}"
        return encode(Target(topic, thing.name, thing.sleepy), found[1], command)

    # --- what comes ----------------------------------------------------------------------

    def _sightings(self, message: Message) -> Iterator[Sighting]:
        rest = message.topic.removeprefix(f"{self._base}/")
        match rest:
            case "bridge/devices":
                yield from self._listed(payload.read_json(message.payload, MAX_LIST_BYTES))
            case "bridge/groups":
                yield from self._grouped(payload.read_json(message.payload, MAX_LIST_BYTES))
            case "bridge/state":
                yield from self._bridge_is(_is_online(message.payload), live=not message.retained)
            case "bridge/logging":
                if not message.retained:
                    body = payload.read_object(message.payload, MAX_STATE_BYTES)
                    yield from self._failed(body)
            case _:
                yield from self._said_by_a_device(rest, message)

    def _listed(self, raw: object) -> Iterator[Sighting]:
        if not isinstance(raw, list):
            raise PayloadError("the list of devices is no list")
        read = (bridge.read_thing(entry, self._things) for entry in raw[:MAX_THINGS])
        things = {thing.ieee: thing for thing in read if thing is not None}
        before, self._things = self._things, things
        for ieee in before.keys() - things.keys():
            yield from self._forget(before[ieee])
        for ieee, thing in things.items():
            old = before.get(ieee)
            if old is thing:
                continue
            if old is not None:
                yield from self._forget(old, besides=_ids(thing))
            yield from self._take(thing)

    def _take(self, thing: Thing) -> Iterator[Sighting]:
        self._by_name[thing.name] = thing.ieee
        topic = f"{self._base}/{thing.name}"
        # The second one: availability, and values by themselves where the user chose that.
        yield Listen(topic)
        yield Listen(f"{topic}/+")
        yield from self._announce(thing)

    def _announce(self, thing: Thing) -> Iterator[Sighting]:
        for device_id, part in _ids(thing).items():
            self._devices[device_id] = (thing.ieee, part)
            name = f"{thing.name} {part.endpoint}" if part.endpoint else thing.name
            description = Description(
                device_id,
                payload.name(name.replace("/", " "), thing.ieee),
                payload.name(_folder(thing.name) or self._groups.get(thing.ieee), ""),
                capabilities=tuple(part.capabilities),
            )
            yield Announced(description, self._identity(thing, part))
            if self._online is not None and device_id not in self._said:
                yield Availability(device_id, self._online)

    def _identity(self, thing: Thing, part: Part) -> frozenset[str]:
        suffix = f"/{part.endpoint}" if part.endpoint else ""
        ieee = f"ieee:{thing.ieee}{suffix if len(thing.parts) > 1 else ''}"
        return frozenset({ieee, f"topic:{self._base}/{thing.name}{suffix}/set"})

    def _forget(self, thing: Thing, besides: Iterable[str] = ()) -> Iterator[Sighting]:
        if self._by_name.get(thing.name) == thing.ieee:
            del self._by_name[thing.name]
        self._news.forget(thing.ieee)
        topic = f"{self._base}/{thing.name}"
        yield Listen(topic, wanted=False)
        yield Listen(f"{topic}/+", wanted=False)
        for device_id in _ids(thing):
            self._devices.pop(device_id, None)
            if device_id not in besides:
                self._said.discard(device_id)
                yield Removed(device_id)

    def _grouped(self, raw: object) -> Iterator[Sighting]:
        """A group's own topic gets no acknowledgement: its members count as an area instead."""
        groups: dict[str, str] = {}
        for ieee, name in bridge.read_groups(raw):
            groups.setdefault(ieee, name)
        before, self._groups = self._groups, groups
        for ieee, thing in self._things.items():
            if before.get(ieee) != groups.get(ieee):
                yield from self._announce(thing)

    def _bridge_is(self, online: bool, *, live: bool) -> Iterator[Sighting]:
        if online and live and self._online is False:
            # It now publishes what it remembers, as if it had just been heard.
            self._cached = set(self._things)
        self._online = online
        for device_id in self._devices:
            if not online or device_id not in self._said:
                yield Availability(device_id, online)

    def _failed(self, body: dict[str, Any]) -> Iterator[Sighting]:
        failure = bridge.read_failure(body)
        ieee = self._by_name.get(failure.name) if failure else None
        if failure is None or ieee is None:
            return
        for device_id, part in _ids(self._things[ieee]).items():
            keys = frozenset(f.key for f in part.fields if f.wire == failure.key)
            moved = part.movement == failure.key
            if keys or moved or not failure.key:
                keys |= {"position", "moving"} if moved else set()
                yield Trouble(device_id, "zigbee", failure.why, keys, rejected=failure.rejected)

    def _said_by_a_device(self, rest: str, message: Message) -> Iterator[Sighting]:
        ieee = self._by_name.get(rest)
        if ieee is not None:
            body = payload.read_object(message.payload, MAX_STATE_BYTES)
            yield from self._reported(self._things[ieee], body, message)
            return
        name, _, leaf = rest.rpartition("/")
        thing = self._things.get(self._by_name.get(name, ""))
        if thing is None or leaf in {"set", "get"}:
            return
        if leaf == "availability":
            online = _is_online(message.payload)
            for device_id in _ids(thing):
                self._said.add(device_id)
                yield Availability(device_id, online)
        else:
            yield from self._reported(thing, {leaf: _value(message.payload)}, message)

    def _reported(self, thing: Thing, body: dict[str, Any], message: Message) -> Iterator[Sighting]:
        live = not message.retained and thing.ieee not in self._cached
        self._cached.discard(thing.ieee)
        for device_id, state, evidence in self._news.hear(thing.ieee, _ids(thing), body):
            yield StateReport(device_id, state, live, evidence)


def _ids(thing: Thing) -> dict[str, Part]:
    """Its parts by device id; endpoints and, where those are equal, kinds tell them apart."""
    if len(thing.parts) == 1:
        return {payload.device_id("zigbee2mqtt", thing.ieee): thing.parts[0]}
    found: dict[str, Part] = {}
    for part in thing.parts:
        key = f"{thing.ieee}/{part.endpoint or part.kind}"
        device_id = payload.device_id("zigbee2mqtt", key)
        if device_id in found:
            device_id = payload.device_id("zigbee2mqtt", f"{key}/{part.kind}")
        found[device_id] = part
    return found


def _folder(name: str) -> str:
    """The bridge knows no areas; who writes names with slashes means places: "Hall/lamp"."""
    return name.split("/")[-2] if "/" in name else ""


def _is_online(data: bytes) -> bool:
    """`online` as text (older bridges) or in `{"state": ...}`."""
    text = payload.read_text(data)
    if text.startswith("{"):
        return payload.read_object(data, 1024).get("state") == "online"
    return text == "online"


def _value(data: bytes) -> Any:  # noqa: ANN401 -- JSON is of any shape
    """A value on a topic of its own: JSON where it is some, else text."""
    text = payload.read_text(data)
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
