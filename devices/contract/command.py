"""A command on its way to a device, and the device's acknowledgement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from ulid import ULID

# A JSON scalar: what arguments and state values are made of.
Scalar = str | int | float | bool | None


class AckStatus(StrEnum):
    """What a device says of a command."""

    ACCEPTED = "accepted"
    IN_PROGRESS = "in_progress"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REJECTED = "rejected"
    EXPIRED = "expired"

    @property
    def final(self) -> bool:
        """Whether nothing more will come for this command."""
        return self not in (AckStatus.ACCEPTED, AckStatus.IN_PROGRESS)


class Evidence(IntEnum):
    """How much is known of a command's effect, weakest first."""

    PUBLISHED = 0
    """our own queue took it"""
    BROKER_ACKED = 1
    """the broker has it"""
    ACCEPTED = 2
    """the device has it"""
    ECHOED = 3
    """a matching state was published live after the command; it may be an optimistic echo"""
    REPORTED = 4
    """the device itself says it is done"""
    SETTLED = 5
    """done, and nothing moves any more"""


@dataclass(frozen=True, slots=True)
class Command:
    """One command as it goes on the wire.

    All attempts of one command share `id`. `ttl_ms` is what was left of its life when this
    attempt was sent: a device refuses it later than that. `attempt` counts from 1.
    """

    id: str
    command: str
    args: Mapping[str, Scalar]
    ttl_ms: int
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class AckError:
    """Why a command failed: a machine word, and a sentence that may be spoken."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Ack:
    """What a device says of the command `id`. `percent` is progress, None when not told."""

    id: str
    status: AckStatus
    state: Mapping[str, Scalar] = field(default_factory=dict)
    error: AckError | None = None
    percent: float | None = None

    @property
    def evidence(self) -> Evidence:
        """How much this acknowledgement proves."""
        if self.status is not AckStatus.SUCCEEDED:
            return Evidence.ACCEPTED
        return Evidence.SETTLED if self.state.get("moving") is False else Evidence.REPORTED


def new_command_id() -> str:
    """A fresh command id (ULID: sorts by time, 80 random bits)."""
    return str(ULID())
