"""Homie as one ecosystem: which devices there are, what they report, how they are told.

A value on a property's topic is the device's own word. `$target` (version 5) says that it has
taken a command, no more. Nothing is ever asked for: Homie has no question for a state.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from devices.contract.command import Ack, AckStatus, Command
from devices.contract.errors import CommandRefusedError, PayloadError
from devices.contract.text import clean
from devices.ecosystems import payload
from devices.ecosystems.base import (
    Acknowledged,
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
from devices.ecosystems.homie import command as commands
from devices.ecosystems.homie.announce import describe, identity
from devices.ecosystems.homie.box import STATES, Box
from devices.ecosystems.homie.document import read_document
from devices.ecosystems.homie.flat import Flat
from devices.ecosystems.homie.model import is_id
from devices.ecosystems.homie.values import MAX_VALUE_BYTES
from devices.link.base import Message, Publish

MAX_DEVICES = 2_000
MAX_ASKED = 1_024
MAX_TEXT_BYTES = 1_024
_SENTENCE_LENGTH = 200
_COMPLAINTS = frozenset({"warn", "error", "fatal"})


@dataclass(slots=True)
class _Asked:
    """A command, and the values that its device has not said to have taken, by topic."""

    device_id: str
    command_id: str
    waiting: dict[str, bytes]


class Homie:
    """Devices of versions 3 and 4 under `prefix`, and of version 5 under any domain."""

    name = "homie"
    # A device may keep quiet about a value that it has already.
    traits = Traits(keeps_ids=False, silent_on_repeat=True, areas_from_names=True)

    def __init__(self, prefix: str = "homie") -> None:
        self._prefix = prefix
        self._boxes: dict[str, Box] = {}
        self._by_device: dict[str, Box] = {}
        self._children: dict[str, set[str]] = {}
        self._asked: OrderedDict[str, _Asked] = OrderedDict()

    def filters(self) -> Sequence[TopicFilter]:
        """What devices are recognised by; the topics of each follow from it."""
        found = (f"{self._prefix}/+/$homie", "+/5/+/$state", "+/5/+/$description")
        return [TopicFilter(topic) for topic in found]

    def greeting(self) -> Sequence[Publish]:
        """Nothing: everything that there is to know is retained."""
        return ()

    def decode(self, message: Message) -> Iterable[Sighting]:
        """What a message says; Malformed when it breaks the rules."""
        try:
            return list(self._sightings(message))
        except PayloadError as error:
            return (Malformed(message.topic, str(error)),)

    def encode(self, device_id: str, command: Command) -> Delivery:
        """The properties to set. Raises CommandRefusedError."""
        box = self._by_device.get(device_id)
        if box is None:
            raise CommandRefusedError("unknown_device", "That device is not there any more.")
        delivery = commands.encode(box.base, box.parts[device_id], command, sleepy=box.sleepy)
        box.last = device_id
        if box.flat is None:
            self._ask(device_id, command, delivery)
        return delivery

    # --- what comes ----------------------------------------------------------------------

    def _sightings(self, message: Message) -> Iterator[Sighting]:
        levels = message.topic.split("/")
        if len(levels) > 3 and levels[1] == "5":  # noqa: PLR2004 -- domain, 5, device, what
            base, path = "/".join(levels[:3]), "/".join(levels[3:])
            if is_id(levels[2]) and _is_domain(levels[0]):
                yield from self._structured(base, path, message)
        elif message.topic.startswith(f"{self._prefix}/"):
            rest = message.topic.removeprefix(f"{self._prefix}/")
            device, _, path = rest.partition("/")
            if is_id(device):
                yield from self._described_flat(f"{self._prefix}/{device}", device, path, message)

    def _described_flat(
        self, base: str, device: str, path: str, message: Message
    ) -> Iterator[Sighting]:
        """Versions 3 and 4."""
        if path == "$homie":
            yield from self._versioned(base, device, message.payload)
        box = self._boxes.get(base)
        if box is None or box.flat is None:
            return
        if path == "$state":
            yield from self._stated(box, message)
        elif "$" not in path and not path.endswith("/set"):
            yield from self._valued(box, path, message)
        elif box.flat.take(path, message.payload):
            box.thing = box.flat.thing(device)
            yield from self._show(box)

    def _versioned(self, base: str, device: str, version: bytes) -> Iterator[Sighting]:
        if not version:
            yield from self._forget(base)
        elif version[:2] in {b"3.", b"4."} and base not in self._boxes:
            self._open(Box(device, base, Flat()))
            yield Listen(f"{base}/#")

    def _structured(self, base: str, path: str, message: Message) -> Iterator[Sighting]:
        """Version 5."""
        if path in {"$state", "$description"}:
            yield from self._presented(base, path, message)
            return
        box = self._boxes.get(base)
        if box is None:
            return
        if path.startswith("$"):
            yield from self._complained(box, path, message)
        elif path.endswith("/$target"):
            yield from self._targeted(box, path.removesuffix("/$target"), message)
        elif not path.endswith("/set"):
            yield from self._valued(box, path, message)

    def _presented(self, base: str, path: str, message: Message) -> Iterator[Sighting]:
        if not message.payload:
            yield from self._forget(base)
            return
        box = self._boxes.get(base)
        if box is None:
            box = self._open(Box(base.removeprefix("homie/"), base))
        if path == "$state":
            yield from self._stated(box, message)
        elif box.document != message.payload:
            box.thing = read_document(message.payload, base.rpartition("/")[2])
            box.document = message.payload
            yield from self._show(box)

    def _stated(self, box: Box, message: Message) -> Iterator[Sighting]:
        state = payload.read_text(message.payload, MAX_TEXT_BYTES)
        if not state and box.flat is not None:
            yield from self._forget(box.base)
        if state not in STATES or state == box.state:
            return
        if state == "alert" and not message.retained and box.last:
            yield Trouble(box.last, "alert", "It needs somebody to look after it.")
        box.state = state
        yield from self._show(box)
        yield from self._present(box)
        for child in sorted(self._children.get(box.base, ())):
            yield from self._present(self._boxes[child])

    def _present(self, box: Box) -> Iterator[Sighting]:
        root = self._boxes.get(self._root(box))
        online = box.online and not (root is not None and root.gone)
        for device_id in box.parts:
            yield Availability(device_id, online)

    def _valued(self, box: Box, path: str, message: Message) -> Iterator[Sighting]:
        if len(message.payload) > MAX_VALUE_BYTES:
            raise PayloadError("the value is too long")
        told = box.told(path, message.payload)
        if told is not None and told[1]:
            yield StateReport(told[0], told[1], live=not message.retained)

    def _targeted(self, box: Box, path: str, message: Message) -> Iterator[Sighting]:
        """The device has taken a value: the very bytes that were sent come back."""
        box.targets.add(path)
        topic = f"{box.base}/{path}/set"
        asked = self._asked.get(topic)
        if asked is None or message.retained or asked.waiting.get(topic) != message.payload:
            return
        del self._asked[topic]
        del asked.waiting[topic]
        if not asked.waiting:
            yield Acknowledged(asked.device_id, Ack(asked.command_id, AckStatus.ACCEPTED))

    def _complained(self, box: Box, path: str, message: Message) -> Iterator[Sighting]:
        """A line of its log, or an alert: it says what became of what it was told last."""
        kind, _, key = path.partition("/")
        text = clean(payload.read_text(message.payload, MAX_VALUE_BYTES), _SENTENCE_LENGTH)
        logged = kind == "$log" and key in _COMPLAINTS
        news = logged or (kind == "$alert" and box.alert(key, text))
        device_id = box.part_of(text)
        if news and device_id and not message.retained:
            yield Trouble(device_id, "reported", text, rejected=self._untaken(box, device_id))

    # --- what is known -------------------------------------------------------------------

    def _open(self, box: Box) -> Box:
        if len(self._boxes) >= MAX_DEVICES:
            raise PayloadError("there are too many devices")
        self._boxes[box.base] = box
        return box

    def _show(self, box: Box) -> Iterator[Sighting]:
        """Announce the device as it describes itself now, if that is news."""
        if not box.describable or box.thing is None or box.thing == box.shown:
            return
        before = set(box.parts)
        self._unlink(box)
        parts = box.show(lambda device_id: self._by_device.get(device_id, box) is box)
        yield from self._drop(before - set(parts))
        if box.flat is None and not box.listening:
            box.listening = True
            yield Listen(f"{box.base}/+/+")
            yield Listen(f"{box.base}/+/+/$target")
        for device_id, part in parts.items():
            self._by_device[device_id] = box
            texts = identity(box.base, box.thing.mac, part)
            yield Announced(describe(device_id, part), texts)
        if box.thing.root:
            self._children.setdefault(self._root(box), set()).add(box.base)
        yield from self._present(box)
        yield from self._catch_up(box)

    def _catch_up(self, box: Box) -> Iterator[Sighting]:
        """What was said before it was known of whom."""
        early, box.early = box.early, {}
        for path, data in early.items():
            told = box.told(path, data)
            if told is not None and told[1]:
                yield StateReport(told[0], told[1], live=False)

    def _forget(self, base: str) -> Iterator[Sighting]:
        box = self._boxes.pop(base, None)
        if box is None:
            return
        self._unlink(box)
        yield from self._drop(box.parts)
        if box.flat is not None:
            yield Listen(f"{base}/#", wanted=False)
        elif box.listening:
            yield Listen(f"{base}/+/+", wanted=False)
            yield Listen(f"{base}/+/+/$target", wanted=False)

    def _unlink(self, box: Box) -> None:
        """It is no child of its root any more."""
        root = self._root(box)
        siblings = self._children.get(root, set())
        siblings.discard(box.base)
        if not siblings:
            self._children.pop(root, None)

    def _drop(self, device_ids: Iterable[str]) -> Iterator[Sighting]:
        for device_id in sorted(device_ids):
            self._by_device.pop(device_id, None)
            yield Removed(device_id)

    def _root(self, box: Box) -> str:
        """The topic of the device whose connection carries this one; "" when it is its own."""
        thing = box.shown
        return f"{box.base.rpartition('/')[0]}/{thing.root}" if thing and thing.root else ""

    def _ask(self, device_id: str, command: Command, delivery: Delivery) -> None:
        """Remember what the device shall say to have taken."""
        waiting = {message.topic: message.payload for message in delivery.messages}
        asked = _Asked(device_id, command.id, waiting)
        for topic in waiting:
            self._asked[topic] = asked
            self._asked.move_to_end(topic)
        while len(self._asked) > MAX_ASKED:
            self._asked.popitem(last=False)

    def _untaken(self, box: Box, device_id: str) -> bool:
        """Whether the last command surely had no effect: its property says what it takes."""
        return any(
            f"{box.base}/{path}/set" in self._asked
            and self._asked[f"{box.base}/{path}/set"].device_id == device_id
            for path in box.targets
        )


def _is_domain(level: str) -> bool:
    return 0 < len(level) <= 64 and level.isprintable() and not level.startswith("$")  # noqa: PLR2004
