"""What is asked of the dispatcher, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from devices.contract.command import AckError, Evidence, Scalar
from gateway.dispatch.lifecycle import State


@dataclass(frozen=True, slots=True)
class Order:
    """One command for one device, on behalf of the call `call_id` of generation `epoch`.

    `answer_within_s` is how long the caller waits before it takes `accepted` for an answer;
    None for the configured patience.
    """

    device_id: str
    command: str
    args: Mapping[str, Scalar]
    call_id: str
    answer_within_s: float | None = None
    epoch: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    """Where a command stands when the caller's patience or the command itself ends.

    `offline`: the device was known to be absent and nothing was sent. `already`: its fresh
    state equalled the request and nothing was sent. `contradiction` names the state key that
    the device reports otherwise than asked although it claims success, "" when none;
    `device_state` is what the device said with its last acknowledgement; `error` why it failed.
    `unrecorded`: the journal could not take the command, so nothing was sent.
    """

    state: State
    command_id: str = ""
    device_state: Mapping[str, Scalar] = field(default_factory=dict)
    error: AckError | None = None
    evidence: Evidence | None = None
    attempts: int = 0
    offline: bool = False
    already: bool = False
    contradiction: str = ""
    unrecorded: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """A command as it must be on record before it is on the wire."""

    id: str
    order: Order
    ecosystem: str


class CommandLog(Protocol):
    """What the dispatcher knows of the journal."""

    async def ahead(self, command: Written) -> None:
        """Return once `command` would survive the end of this process.

        Raises JournalError when that cannot be had and the house does not do without.
        """


class NoLog:
    """Where no journal is kept."""

    async def ahead(self, command: Written) -> None:
        """Nothing to wait for."""


class Carrier(Protocol):
    """What tools know of the dispatcher."""

    async def carry_out(self, order: Order, late: Callable[[Result], None]) -> Result:
        """Bring one command to its device and return where it stands.

        Returns when the command is final, or when nobody knows (`timed_out`), or when the
        device accepted but the patience ends. In the last two cases `late` is called when
        the device says more that ends it, or when its time to complete has passed. Never
        raises for anything that a device or broker does. Cancelling the caller does not
        cancel a command that is on its way.
        """
