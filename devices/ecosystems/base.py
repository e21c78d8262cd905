"""What every ecosystem adapter is: a pure translator between messages and device facts.

An adapter holds no socket, no clock and no task; it may remember what was announced.
Messages go in and sightings come out; a command goes in, and messages to publish come out
with the evidence that will prove it done.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from devices.contract.capability import Description
from devices.contract.command import Ack, Command, Evidence, Scalar
from devices.link.base import Message, Publish
from devices.link.options import MAX_PAYLOAD_BYTES


@dataclass(frozen=True, slots=True)
class Announced:
    """A device is there as described; a repeat replaces what was known.

    `identity` are texts that only this very thing has, whichever way it is announced
    (`mac:a0b1c2d3e4f5`, `ieee:0x00158d0001a2b3c4`, each with `/<part>` for one relay or
    endpoint of several; `topic:<command topic>`): two announcements that share one are one
    device. `richness` says which announcement of one device is kept: the best evidence that
    its commands can reach.
    """

    description: Description
    identity: frozenset[str] = frozenset()
    richness: Evidence = Evidence.REPORTED


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
    """The device reported `state`. `live` is False for what the broker had kept.

    `evidence` is what a live report proves at best: ECHOED where it may be the bridge
    repeating our own request, REPORTED where the device itself speaks.
    """

    device_id: str
    state: Mapping[str, Scalar]
    live: bool
    evidence: Evidence = Evidence.REPORTED


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The device acknowledged a command, by id, live."""

    device_id: str
    ack: Ack


@dataclass(frozen=True, slots=True)
class Trouble:
    """The device, or its bridge, says live that something went wrong, without naming a command.

    It ends the commands of that device that are in flight and write one of `keys` (all of
    them when it is empty). `rejected`: refused without effect; else tried and failed.
    """

    device_id: str
    code: str
    message: str
    keys: frozenset[str] = frozenset()
    rejected: bool = False


@dataclass(frozen=True, slots=True)
class Listen:
    """A subscription that became necessary, or (`wanted` False) needless: devices name topics.

    `then` is published once the broker has granted it: questions whose answers come there.
    """

    filter: str
    wanted: bool = True
    qos: int = 0
    then: Sequence[Publish] = ()


@dataclass(frozen=True, slots=True)
class Say:
    """Something to publish in reply: a question to a device that has come."""

    message: Publish


@dataclass(frozen=True, slots=True)
class Malformed:
    """A message that breaks the ecosystem's rules; `reason` is a sentence for the log."""

    topic: str
    reason: str


Sighting = (
    Announced
    | Removed
    | Availability
    | StateReport
    | Acknowledged
    | Trouble
    | Listen
    | Say
    | Malformed
)


@dataclass(frozen=True, slots=True)
class Traits:
    """What can be relied on in this ecosystem.

    `keeps_ids`: a device remembers command ids, so every command may be sent again.
    `silent_on_repeat`: setting the present value brings no evidence, so a command whose
    fresh state already equals the request is answered `already` and not sent.
    `one_at_a_time`: answers name no command, so a device gets the next one when the one
    before has ended. `areas_from_names`: it knows no areas, so the room with which a device's
    name begins is its area.
    """

    keeps_ids: bool
    silent_on_repeat: bool
    one_at_a_time: bool = False
    areas_from_names: bool = False


@dataclass(frozen=True, slots=True)
class Proof:
    """The evidence that will show a command done.

    `needs` is the level that counts: with ACCEPTED or less nothing more will ever be known,
    and the command is `unconfirmed` once it is sent. `state` are the keys and values that
    live reports must show, over one or several messages; {} when only an acknowledgement
    that names the command counts. A report with `moving` true is progress; SETTLED also
    wants nothing to move. `read_back` asks the device for its state: sent when an echo is
    not enough, and once before the time to deliver ends in silence; what is reported after
    it counts as REPORTED, unless `answers_apart`: the ecosystem tells such answers from echoes
    itself. `sleepy`: the device wakes when it likes, so silence is `pending`.
    """

    needs: Evidence = Evidence.REPORTED
    state: Mapping[str, Scalar] = field(default_factory=dict)
    read_back: Sequence[Publish] = ()
    answers_apart: bool = False
    sleepy: bool = False


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt of a command: the messages, in order, and what will prove it."""

    messages: Sequence[Publish]
    proof: Proof = Proof()


@dataclass(frozen=True, slots=True)
class TopicFilter:
    """A subscription that the ecosystem needs. Messages above `max_bytes` are not decoded."""

    filter: str
    qos: int = 0
    max_bytes: int = MAX_PAYLOAD_BYTES


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

    def greeting(self) -> Sequence[Publish]:
        """What to say at each connect, once the filters stand: "who is there?"."""

    def decode(self, message: Message) -> Iterable[Sighting]:
        """What a message says; never raises for any bytes."""

    def encode(self, device_id: str, command: Command) -> Delivery:
        """One attempt of `command`.

        Raises CommandRefusedError, with a sentence that may be spoken, for a device that it
        does not know or a command that the device cannot be told.
        """
