"""Shelly as one ecosystem: which generation speaks on a topic, and whom a command is for.

Nothing they say of themselves is retained, so they are called at each connect and asked when
heard of. Their topics begin with what the user likes, and may have up to three levels.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from devices.contract.command import Command
from devices.contract.errors import CommandRefusedError, PayloadError
from devices.ecosystems import payload
from devices.ecosystems.base import Delivery, Malformed, Say, Sighting, TopicFilter, Traits
from devices.ecosystems.shelly.gen1 import ROOT, Gen1, asking_who
from devices.ecosystems.shelly.gen2 import Gen2
from devices.ecosystems.shelly.rpc import Exchange
from devices.link.base import Message, Publish

MAX_PREFIX_LENGTH = 120
MAX_ANNOUNCE_BYTES = 4 * 1024
_LEVELS = ("+", "+/+", "+/+/+")
_LEAVES = ("/events/rpc", "/online", "/announce")
_FIRST_WITH_RPC = 2


class Shelly:
    """Devices that answer on `source`'s topic, which must be this gateway's alone.

    `last` is the number before that of the first question.
    """

    name = "shelly"
    traits = Traits(keeps_ids=False, silent_on_repeat=False, areas_from_names=True)

    def __init__(self, source: str, last: int = 0) -> None:
        self._exchange = Exchange(source, last)
        self._gen1 = Gen1()
        self._gen2 = Gen2(self._exchange)

    def filters(self) -> Sequence[TopicFilter]:
        """The answers, then the three topics on which a device shows up."""
        found = [TopicFilter(f"{level}{leaf}") for leaf in _LEAVES for level in _LEVELS]
        return [TopicFilter(self._exchange.topic), *found]

    def greeting(self) -> Sequence[Publish]:
        """Who is there?"""
        return [Publish(f"{ROOT}/command", b"announce", expiry_s=2)]

    def decode(self, message: Message) -> Iterable[Sighting]:
        """What a message says; Malformed when it breaks the rules."""
        try:
            return list(self._sightings(message))
        except PayloadError as error:
            return (Malformed(message.topic, str(error)),)

    def encode(self, device_id: str, command: Command) -> Delivery:
        """Topics or a call, by generation. Raises CommandRefusedError."""
        for generation in (self._gen2, self._gen1):
            if generation.knows(device_id):
                return generation.encode(device_id, command)
        raise CommandRefusedError("unknown_device", "That device is not there any more.")

    def _sightings(self, message: Message) -> Iterator[Sighting]:
        if message.topic == self._exchange.topic:
            yield from self._gen2.answered(message)
            return
        for leaf in _LEAVES:
            prefix = message.topic.removesuffix(leaf)
            if prefix != message.topic and _is_prefix(prefix):
                yield from self._showed_up(prefix, leaf, message)
                return
        if message.topic.startswith(f"{ROOT}/"):
            yield from self._gen1.reported(message)

    def _showed_up(self, prefix: str, leaf: str, message: Message) -> Iterator[Sighting]:
        if leaf == "/events/rpc":
            yield from self._gen2.notified(prefix, message)
        elif leaf == "/online":
            yield from self._is_online(prefix, message)
        else:
            yield from self._announced(prefix, message)

    def _is_online(self, prefix: str, message: Message) -> Iterator[Sighting]:
        """Others have topics of that name too: what is neither word is not meant."""
        first = _first_generation(prefix)
        if message.payload == b"true":
            if self._gen2.is_at(prefix) or first is None:
                yield from self._gen2.noticed(prefix, message)
            else:
                yield from self._gen1.is_there(first, online=True)
                yield Say(asking_who(first))
        elif message.payload == b"false":
            yield from self._gen2.went(prefix)
            if first is not None:
                yield from self._gen1.is_there(first, online=False)

    def _announced(self, prefix: str, message: Message) -> Iterator[Sighting]:
        """A device said what it is. What was retained may be gone; others use this word too."""
        raw = _object(message.payload)
        if message.retained or not isinstance(raw.get("id"), str) or "mac" not in raw:
            return
        if (payload.number(raw.get("gen")) or 1) < _FIRST_WITH_RPC:
            yield from self._gen1.announced(raw)
        elif prefix != ROOT:
            yield from self._gen2.noticed(prefix, message)
        elif _is_prefix(raw["id"]):
            # On the common topic a device does not tell its prefix; this is the usual one.
            yield from self._gen2.noticed(raw["id"], message)


def _object(data: bytes) -> dict[str, Any]:
    """A JSON object, {} for what is none."""
    try:
        return payload.read_object(data, MAX_ANNOUNCE_BYTES)
    except PayloadError:
        return {}


def _first_generation(prefix: str) -> str | None:
    """The device whose topics begin so, if it may be of the first generation."""
    root, _, name = prefix.partition("/")
    return name if root == ROOT and name and "/" not in name else None


def _is_prefix(text: str) -> bool:
    usable = bool(text) and len(text) <= MAX_PREFIX_LENGTH and not text.startswith(("$", "/"))
    return usable and not any(character in text for character in "+#\0")
