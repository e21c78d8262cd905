"""Where commands and evidence cross the link: the only caller of ecosystems' translations.

Each message that arrives is decoded once; facts about devices go to the directory,
acknowledgements to the dispatcher, what is malformed to the log. It decides nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial

from devices.contract.command import Command
from devices.contract.errors import LinkDownError
from devices.contract.text import clean
from devices.ecosystems.base import (
    Acknowledged,
    Announced,
    Availability,
    Ecosystem,
    Malformed,
    Removed,
    Sighting,
    StateReport,
)
from devices.link.base import Link, Message
from gateway.bus import Bus
from gateway.directory import Device, Directory
from gateway.events import MessageDropped
from gateway.once import Once

log = logging.getLogger(__name__)

# Sources whose faults were logged as a warning; those of more go to debug.
MAX_COMPLAINTS = 1000


class Wire:
    """Sends commands through their ecosystem and hands on what devices say."""

    def __init__(
        self, link: Link, ecosystems: Sequence[Ecosystem], directory: Directory, bus: Bus
    ) -> None:
        self._link = link
        self._ecosystems = {e.name: e for e in ecosystems}
        self._directory = directory
        self._bus = bus
        self._complaints = Once(MAX_COMPLAINTS)
        self.on_ack: Callable[[Acknowledged], None] = _nobody

    async def listen(self) -> None:
        """Subscribe to all that the ecosystems need. Raises LinkRefusedError when denied."""
        for ecosystem in self._ecosystems.values():
            for wanted in ecosystem.filters():
                handler = partial(self._received, ecosystem)
                await self._link.subscribe(wanted.filter, handler, qos=wanted.qos)

    def send(self, device: Device, command: Command) -> None:
        """Publish one attempt now. Raises LinkDownError or LinkFullError; nothing is kept."""
        ecosystem = self._ecosystems.get(device.ecosystem)
        if ecosystem is None:
            raise LinkDownError(f"ecosystem {device.ecosystem} is not in use")
        for message in ecosystem.encode(device.id, command).messages:
            self._link.publish(message)

    def _received(self, ecosystem: Ecosystem, message: Message) -> None:
        for sighting in ecosystem.decode(message):
            self._take(ecosystem, sighting)

    def _take(self, ecosystem: Ecosystem, sighting: Sighting) -> None:
        match sighting:
            case Acknowledged():
                self.on_ack(sighting)
            case StateReport():
                self._directory.reported(sighting)
            case Availability():
                self._directory.availability(sighting)
            case Announced():
                if not self._directory.announced(sighting, ecosystem.name, ecosystem.traits):
                    self.drop(sighting.description.id, "there is no room for another device")
            case Removed():
                self._directory.removed(sighting)
            case Malformed():
                self.drop(sighting.topic, sighting.reason)

    def drop(self, source: str, reason: str) -> None:
        """Say that something from the network was refused: once as a warning, then as debug."""
        source = clean(source, 120)
        level = logging.WARNING if self._complaints.first(source) else logging.DEBUG
        log.log(level, "ignored a message from %s: %s", source, reason)
        self._bus.publish(MessageDropped(source, reason))


def _nobody(heard: Acknowledged) -> None:
    """Nothing was sent yet, so nothing can be acknowledged."""
