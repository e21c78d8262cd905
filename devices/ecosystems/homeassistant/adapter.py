"""Home Assistant's MQTT discovery as one ecosystem: whatever is announced for Home Assistant.

ESPHome, bridges of all kinds and home-made devices come through it. Nothing correlates: a
command is proved by the state topics, live, and never by what the broker had kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from devices.contract.command import Command, Evidence, Scalar
from devices.contract.errors import CommandRefusedError, PayloadError
from devices.ecosystems import payload
from devices.ecosystems.base import (
    Availability,
    Delivery,
    Listen,
    Malformed,
    Proof,
    Removed,
    Sighting,
    StateReport,
    TopicFilter,
    Traits,
    Trouble,
)
from devices.ecosystems.homeassistant import discovery
from devices.ecosystems.homeassistant.discovery import Found, Place
from devices.ecosystems.homeassistant.entering import member_of
from devices.ecosystems.homeassistant.greetings import Greetings
from devices.ecosystems.homeassistant.groups import Logical, Member
from devices.ecosystems.homeassistant.household import Household
from devices.ecosystems.homeassistant.part import Order, refused
from devices.ecosystems.homeassistant.standing import Standing
from devices.ecosystems.homeassistant.templates import Templates, Text
from devices.ecosystems.homeassistant.topics import Topics
from devices.link.base import Message, Publish

MAX_STATE_BYTES = 64 * 1024
MAX_PLACES = 20_000


class HomeAssistant:
    """What is announced under `prefix`. `birth` says whether to speak as Home Assistant does
    when it comes ("auto", "always" or "never"); `now` tells templates the time.
    """

    name = "homeassistant"
    # Much software stays silent when it is told what it is already.
    traits = Traits(keeps_ids=False, silent_on_repeat=True, areas_from_names=True)

    def __init__(
        self,
        prefix: str = "homeassistant",
        *,
        birth: str = "auto",
        now: Callable[[], Any],
    ) -> None:
        self._prefix = prefix
        self._greetings = Greetings(prefix, birth)
        self._templates = Templates(now)
        self._household = Household()
        self._topics = Topics()
        self._places: dict[str, tuple[int, tuple[str, ...]]] = {}
        self._leaving: set[str] = set()
        self._standing = Standing()
        self._said: dict[str, bool] = {}

    def filters(self) -> Sequence[TopicFilter]:
        """Announcements of both forms; the topics of states follow from them."""
        own = [f"{self._prefix}/+/+/config", f"{self._prefix}/+/+/+/config"]
        return [TopicFilter(each) for each in (*self._greetings.topics(), *own)]

    def greeting(self) -> Sequence[Publish]:
        """The birth message where nobody else says it, and the question to ESPHome's nodes."""
        return self._greetings.now()

    def decode(self, message: Message) -> Iterable[Sighting]:
        """What a message says; Malformed when it breaks the rules."""
        try:
            return list(self._sightings(message))
        except PayloadError as error:
            return (Malformed(message.topic, str(error)),)

    def encode(self, device_id: str, command: Command) -> Delivery:
        """The messages of one command, never retained. Raises CommandRefusedError."""
        device = self._household.device(device_id)
        if device is None:
            raise CommandRefusedError("unknown_device", "That device is not there any more.")
        member, order = _order(device, command)
        expiry_s = max(1, math.ceil(command.ttl_ms / 1000))
        messages = [
            Publish(topic, text.encode(errors="replace"), qos=member.qos, expiry_s=expiry_s)
            for topic, text in order.messages
        ]
        state = device.outside(member.key, order.state)
        return Delivery(messages, Proof(order.needs, self._standing.changes(device_id, state)))

    # --- what comes ----------------------------------------------------------------------

    def _sightings(self, message: Message) -> Iterator[Sighting]:
        node = self._greetings.hear(message)
        if node:
            self._household.touch(node)
            yield from self._changes()
        place = discovery.place_of(message.topic, self._prefix)
        if place is not None:
            yield from self._announcement(place, message.payload)
        users = self._topics.users(message.topic)
        if users:
            self._topics.keep(message.topic, message.payload)
            yield from self._heard(message, users)

    def _announcement(self, place: Place, data: bytes) -> Iterator[Sighting]:
        digest = hash(data)
        known, keys = self._places.get(place.topic, (None, ()))
        if known == digest:
            return
        if known is None and len(self._places) >= MAX_PLACES:
            raise PayloadError("there is no room for another announcement")
        found = discovery.read(place, data)
        if found is None:
            # Its entities stay until they are announced in the other form.
            self._leaving.update({place.topic} if keys else ())
            return
        self._leaving.discard(place.topic)
        present: list[str] = []
        for each in found:
            yield from self._enter(each, present)
        for key in keys:
            if key not in present:
                yield from self._leave(key)
        self._places.pop(place.topic, None)
        if present:
            self._places[place.topic] = (digest, tuple(present))
        yield from self._changes()
        for key in present:
            yield from self._catch_up(key)

    def _enter(self, found: Found, present: list[str]) -> Iterator[Sighting]:
        """Take one entity in; one that is refused leaves all others as they are."""
        before = self._household.member(found.key)
        try:
            member = member_of(found, self._templates, self._prefix, before)
            if member is None:
                return
            yield from self._make_room(member)
            self._household.put(member, found.device)
        except PayloadError as error:
            yield Malformed(found.key, str(error))
            return
        present.append(found.key)
        old = _topics_of(before) if before else frozenset()
        yield from self._listen(found.key, old, _topics_of(member))

    def _make_room(self, member: Member) -> Iterator[Sighting]:
        """The same entity under another form that is handing over."""
        holder = self._household.holder(member.stable_id)
        if holder and holder != member.key and holder.split("#")[0] in self._leaving:
            yield from self._leave(holder)

    def _leave(self, key: str) -> Iterator[Sighting]:
        member = self._household.member(key)
        if member is not None:
            self._household.drop(key)
            yield from self._listen(key, _topics_of(member), frozenset())

    def _listen(self, key: str, old: frozenset[str], new: frozenset[str]) -> Iterator[Sighting]:
        for topic in sorted(old - new):
            if self._topics.drop(topic, key):
                yield Listen(topic, wanted=False)
        for topic in sorted(new - old):
            if self._topics.add(topic, key):
                yield Listen(topic)

    def _changes(self) -> Iterator[Sighting]:
        for change in self._household.changes(self._greetings.friendly):
            for device_id in change.gone:
                self._said.pop(device_id, None)
                self._standing.forget(device_id)
                yield Removed(device_id)
            for logical in change.present:
                yield logical.announced
                yield from self._is_there(logical, logical.online)
            if change.taken:
                yield Malformed(self._prefix, "another device has the same id")

    def _catch_up(self, key: str) -> Iterator[Sighting]:
        """What was heard on its topics before it came: the past, as all that is kept."""
        member = self._household.member(key)
        for topic in sorted(_topics_of(member)) if member else ():
            kept = self._topics.kept(topic)
            if kept:
                yield from self._heard(Message(topic, kept, retained=True), (key,))

    def _heard(self, message: Message, keys: Sequence[str]) -> Iterator[Sighting]:
        text = Text(payload.read_text(message.payload, MAX_STATE_BYTES))
        reports: dict[tuple[str, Evidence], dict[str, Scalar]] = {}
        for key in keys:
            member, device = self._household.member(key), self._household.device_of(key)
            if member is None or device is None:
                continue
            yield from self._presence(member, device, message, text)
            for source in member.part.sources:
                if source.topic != message.topic:
                    continue
                value = self._templates.value(source.template, text)
                if not value:
                    continue
                state = device.outside(key, source.read(value))
                if state:
                    reports.setdefault((device.id, source.evidence), {}).update(state)
                trip = None if message.retained else source.trip(value)
                if trip is not None:
                    yield Trouble(device.id, trip.code, trip.message, trip.keys)
        for (device_id, evidence), state in reports.items():
            if not message.retained:
                self._standing.note(device_id, message.topic, state)
            yield StateReport(device_id, state, not message.retained, evidence)

    def _presence(
        self, member: Member, device: Logical, message: Message, text: Text
    ) -> Iterator[Sighting]:
        """Whether it is there; one that announces no such topic is there when it speaks."""
        for sign in member.presence.rule.signs:
            if sign.topic == message.topic:
                member.presence.hear(sign, self._templates.value(sign.template, text))
        speaks = None if message.retained else True
        yield from self._is_there(device, device.online if device.is_watched else speaks)

    def _is_there(self, device: Logical, online: bool | None) -> Iterator[Sighting]:
        if online is not None and self._said.get(device.id) is not online:
            self._said[device.id] = online
            self._standing.forget(device.id)
            yield Availability(device.id, online)


def _topics_of(member: Member) -> frozenset[str]:
    told = {source.topic for source in member.part.sources}
    return frozenset(told | {sign.topic for sign in member.presence.rule.signs})


def _order(device: Logical, command: Command) -> tuple[Member, Order]:
    """Who of the device obeys, and what that takes. Raises CommandRefusedError."""
    args = command.args
    if command.command == "set_value":
        for member, local in device.inside(str(args.get("name"))):
            if local in member.part.values:
                return member, member.part.values[local](args.get("value"))
    elif command.command == "press":
        return _press(device, args.get("name"))
    for member in device.members:
        obey = member.part.verbs.get(command.command)
        if obey is not None:
            return member, obey(args)
    raise refused("It cannot be told that.")


def _press(device: Logical, name: Scalar) -> tuple[Member, Order]:
    if name is not None:
        for member, local in device.inside(str(name)):
            if local in member.part.presses:
                return member, member.part.presses[local]()
        raise refused("It has no such button.", "invalid")
    buttons = [(m, press) for m in device.members for press in m.part.presses.values()]
    if len(buttons) != 1:
        raise refused("Say which one to press.", "invalid")
    return buttons[0][0], buttons[0][1]()
