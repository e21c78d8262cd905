"""Where commands and evidence cross the link: the only caller of ecosystems' translations.

Each message that arrives is decoded once; facts about devices go to the directory,
acknowledgements to the dispatcher, what is malformed to the log. It decides nothing.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from devices.contract.command import Command
from devices.contract.errors import LinkDownError, LinkError, LinkRefusedError
from devices.contract.text import clean
from devices.ecosystems.base import (
    Acknowledged,
    Announced,
    Availability,
    Delivery,
    Ecosystem,
    Listen,
    Malformed,
    Proof,
    Removed,
    Say,
    Sighting,
    StateReport,
    Trouble,
)
from devices.link.base import Link, LinkChange, LinkState, Message, Publish
from devices.link.options import MAX_PAYLOAD_BYTES
from gateway.bus import Bus
from gateway.directory import Device, Directory
from gateway.dispatch.listening import Listening
from gateway.events import MessageDropped
from gateway.once import Once

log = logging.getLogger(__name__)

# Kinds of faults that were logged as a warning; those of more go to debug.
MAX_COMPLAINTS = 64
# What differs from message to message of one kind.
_DETAILS = re.compile(r"\d+|[“\"'].*")


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
        self._listening = Listening(link, self._say_soon)
        self.on_ack: Callable[[Acknowledged], None] = _nobody
        self.on_report: Callable[[StateReport], None] = _nobody
        self.on_trouble: Callable[[Trouble], None] = _nobody

    async def listen(self) -> None:
        """Subscribe to all that the ecosystems need.

        What the broker denies is said and left: one family of devices is not found then, and
        the others are.
        """
        for ecosystem in self._ecosystems.values():
            for wanted in ecosystem.filters():
                handler = partial(self._received, ecosystem, wanted.max_bytes)
                try:
                    await self._link.subscribe(wanted.filter, handler, qos=wanted.qos)
                except LinkRefusedError as error:
                    log.warning("%s: not all devices of %s are found", error, ecosystem.name)
        self._link.on_change(self._link_changed)
        if self._link.state is LinkState.CONNECTED:
            self._greet()

    async def close(self) -> None:
        """Ask the broker for nothing more; what stands ends with the link."""
        await self._listening.close()

    def send(self, device: Device, command: Command) -> Proof:
        """Publish one attempt now; what will prove it done. Nothing is kept.

        Raises LinkDownError or LinkFullError, and CommandRefusedError when the ecosystem
        cannot tell the device such a thing.
        """
        delivery = self._translated(device, command)
        self.say(delivery.messages)
        return delivery.proof

    def proof(self, device: Device, command: Command) -> Proof:
        """What would prove `command` done; it is not sent. Raises as `send`."""
        return self._translated(device, command).proof

    def say(self, messages: Iterable[Publish]) -> None:
        """Publish `messages` in order. Raises LinkDownError or LinkFullError."""
        for message in messages:
            self._link.publish(message)

    def _translated(self, device: Device, command: Command) -> Delivery:
        ecosystem = self._ecosystems.get(device.ecosystem)
        if ecosystem is None:
            raise LinkDownError(f"ecosystem {device.ecosystem} is not in use")
        return ecosystem.encode(device.id, command)

    def _link_changed(self, change: LinkChange) -> None:
        # The link asks for all subscriptions again before it says that it is connected.
        if change.state is LinkState.CONNECTED:
            self._greet()

    def _greet(self) -> None:
        for ecosystem in self._ecosystems.values():
            self._say_soon(ecosystem.greeting())

    def _say_soon(self, messages: Iterable[Publish]) -> None:
        """Questions to devices: a broker that is away is greeted again when it is back."""
        try:
            self.say(messages)
        except LinkError as error:
            log.debug("a question to devices was not sent: %s", error)

    def _received(self, ecosystem: Ecosystem, max_bytes: int, message: Message) -> None:
        if len(message.payload) > max_bytes:
            self.drop(message.topic, f"it has more than {max_bytes} bytes", ecosystem.name)
            return
        for sighting in ecosystem.decode(message):
            device_id = _device_of(sighting)
            device = self._directory.get(device_id)
            if device is None or device.ecosystem == ecosystem.name:
                self._take(ecosystem, sighting)
            else:
                # Ids may meet; what proves a command must come from where it was sent to.
                reason = f"its device is one of ecosystem {device.ecosystem}"
                self.drop(device_id, reason, ecosystem.name)

    def _take(self, ecosystem: Ecosystem, sighting: Sighting) -> None:
        match sighting:
            case Acknowledged():
                self.on_ack(sighting)
            case StateReport():
                self._directory.reported(sighting)
                self.on_report(sighting)
            case Trouble():
                self.on_trouble(sighting)
            case Listen():
                handler = partial(self._received, ecosystem, MAX_PAYLOAD_BYTES)
                self._listening.change(ecosystem.name, sighting, handler)
            case Say(message):
                self._say_soon((message,))
            case Malformed(topic, reason):
                self.drop(topic, reason, ecosystem.name)
            case _:
                self._note_presence(ecosystem, sighting)

    def _note_presence(self, ecosystem: Ecosystem, sighting: Sighting) -> None:
        """Who is there."""
        match sighting:
            case Availability():
                self._directory.availability(sighting)
            case Announced():
                if not self._directory.announced(sighting, ecosystem.name, ecosystem.traits):
                    reason = "there is no room for another device"
                    self.drop(sighting.description.id, reason, ecosystem.name)
            case Removed():
                self._directory.removed(sighting)

    def drop(self, source: str, reason: str, ecosystem: str = "") -> None:
        """Say that something from the network was refused.

        The first of a kind, in each ecosystem, is a warning; all others go to the debug log:
        ten thousand topics can be wrong in the same way.
        """
        source = clean(source, 120)
        kind = f"{ecosystem} {_DETAILS.sub('', reason)}"
        level = logging.WARNING if self._complaints.first(kind) else logging.DEBUG
        log.log(level, "ignored a message from %s: %s", source, reason)
        self._bus.publish(MessageDropped(source, reason))


def _device_of(sighting: Sighting) -> str:
    """The id of the device that `sighting` is about; "" when it is about none."""
    match sighting:
        case Announced(description):
            return description.id
        case Listen() | Say() | Malformed():
            return ""
    return sighting.device_id


def _nobody(_: object) -> None:
    """Nothing was sent yet, so nothing can be acknowledged."""
