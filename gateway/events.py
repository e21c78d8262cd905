"""The words that travel through the house: calls, and what is reported about everything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from devices.contract.command import Scalar
from gateway.outcome import Outcome


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """The model asks for a tool.

    `call_id` is the provider's; `epoch` the session generation it belongs to (0: no session).
    `problem` says why the call cannot be carried out as it came (arguments that are no JSON
    object, no name), "" when it can.
    """

    call_id: str
    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    epoch: int = 0
    problem: str = ""


# --- what the bus carries: facts for the journal, the dashboard and the screen ---------------


@dataclass(frozen=True, slots=True)
class CallReceived:
    """A call came from the model (or the command line)."""

    call: FunctionCall


@dataclass(frozen=True, slots=True)
class CallAnswered:
    """A call got its one answer, `elapsed_s` after it came."""

    call: FunctionCall
    outcome: Outcome
    elapsed_s: float


@dataclass(frozen=True, slots=True)
class CommandSent:
    """One attempt of a command went on the wire."""

    call_id: str
    command_id: str
    device_id: str
    command: str
    args: Mapping[str, Scalar]
    attempt: int


@dataclass(frozen=True, slots=True)
class EvidenceReceived:
    """A device acknowledged. `late` after the call was answered, `duplicate` when known before."""

    command_id: str
    device_id: str
    status: str
    state: Mapping[str, Scalar]
    late: bool = False
    duplicate: bool = False


@dataclass(frozen=True, slots=True)
class CommandEnded:
    """A command came to a final state (or to `timed_out`, which a late ack may still change)."""

    command_id: str
    device_id: str
    state: str


@dataclass(frozen=True, slots=True)
class LateOutcome:
    """What became of a call that had been answered `pending` or `timed_out`."""

    call_id: str
    outcome: Outcome
    epoch: int = 0


@dataclass(frozen=True, slots=True)
class MessageDropped:
    """Something from the network was refused; `reason` is a sentence."""

    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class DeviceSeen:
    """A device was announced, changed, removed, or went on- or offline (`change`)."""

    device_id: str
    change: str


@dataclass(frozen=True, slots=True)
class SessionChanged:
    """The cloud session came to `state`."""

    state: str
    epoch: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class BrokerChanged:
    """The link to the broker came to `state`."""

    state: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Spoken:
    """`who` (user or assistant) said `text`."""

    who: str
    text: str


BusEvent = (
    CallReceived
    | CallAnswered
    | CommandSent
    | EvidenceReceived
    | CommandEnded
    | LateOutcome
    | MessageDropped
    | DeviceSeen
    | SessionChanged
    | BrokerChanged
    | Spoken
)
