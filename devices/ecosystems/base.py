"""What every ecosystem adapter is: a pure translator between messages and device facts.

An adapter holds no socket, no clock and no task. Messages go in and sightings come out; a
command goes in and messages to publish come out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from devices.contract.capability import Description
from devices.contract.command import Ack, Command, Scalar
from devices.link.base import Message, Publish


@dataclass(frozen=True, slots=True)
class Announced:
    """A device is there as described; a repeat replaces what was known."""

    description: Description


@dataclass(frozen=True, slots=True)
class Removed:
    """The device is gone for good."""

    device_id: str


@dataclass(frozen=True, slots=True)
class Availability:
    """The device, or its will, says whether it is online."""

    device_id: str
    online: bool


@dataclass(frozen=True, slots=True)
class StateReport:
    """The device reported `state`. `live` is False for what the broker had kept."""

    device_id: str
    state: Mapping[str, Scalar]
    live: bool


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The device acknowledged a command, by id, live."""

    device_id: str
    ack: Ack


@dataclass(frozen=True, slots=True)
class Malformed:
    """A message that breaks the ecosystem's rules; `reason` is a sentence for the log."""

    topic: str
    reason: str


Sighting = Announced | Removed | Availability | StateReport | Acknowledged | Malformed


@dataclass(frozen=True, slots=True)
class Traits:
    """What can be relied on in this ecosystem.

    `keeps_ids`: a device remembers command ids, so every command may be sent again.
    `silent_on_repeat`: setting the present value brings no evidence, so a command whose
    fresh state already equals the request is answered `already` and not sent.
    """

    keeps_ids: bool
    silent_on_repeat: bool


@dataclass(frozen=True, slots=True)
class TopicFilter:
    """A subscription that the ecosystem needs."""

    filter: str
    qos: int = 0


class Ecosystem(Protocol):
    """One family of devices on the broker."""

    @property
    def name(self) -> str:
        """The key under `devices.ecosystems` in the configuration."""

    @property
    def traits(self) -> Traits:
        """What can be relied on."""

    def filters(self) -> Sequence[TopicFilter]:
        """What to subscribe to, in this order, before any command is sent."""

    def decode(self, message: Message) -> Iterable[Sighting]:
        """What a message says; never raises for any bytes."""

    def encode(self, device_id: str, command: Command) -> Sequence[Publish]:
        """The messages that carry one attempt of `command`, in order."""
