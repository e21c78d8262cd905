"""What to do with an incoming command, decided without sockets, tasks or a clock.

Retained and unreadable messages, repeats, stale and unknown commands, wrong arguments and a
device that is too busy all end here; only the rest is run.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from devices.contract import codec
from devices.contract.command import Ack, AckError, AckStatus, Command
from devices.contract.errors import CommandRefusedError, ContractError, MemoryFailedError
from devices.contract.verbs import VERBS
from devices.link.base import Message
from devices.sdk.commands import CommandSpec
from devices.sdk.dedupe import Dedupe
from devices.sdk.device import Device
from devices.sdk.logbook import Logbook
from devices.sdk.standard import check_arguments

MAX_RUNNING = 16
# What makes safe (stop, lock) gets through even when the device is busy.
MAX_RUNNING_SAFE = 32

_COMMAND_ID = re.compile(r"[!-~]{1,64}")


@dataclass(frozen=True, slots=True)
class Run:
    """Carry out `command` by calling its method with `arguments`."""

    command: Command
    spec: CommandSpec
    arguments: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Answer:
    """Acknowledge and do nothing else."""

    ack: Ack


@dataclass(frozen=True, slots=True)
class Ignore:
    """Say nothing; `reason` is a sentence for the log."""

    reason: str


Decision = Run | Answer | Ignore


class Intake:
    """Decides about each message on a device's command topic, and remembers the answers.

    With a `logbook`, what cannot be written down is refused, but for what makes safe.
    """

    def __init__(self, device: Device, logbook: Logbook | None = None) -> None:
        self._device = device
        self._memory = Dedupe(logbook=logbook)

    def decide(self, message: Message, *, running: int) -> Decision:
        """What to do with `message` while `running` commands are being carried out."""
        if message.retained:
            return Ignore("a retained command is the past and is not obeyed")
        try:
            command = codec.decode_command(message.payload)
        except ContractError as error:
            return self._unreadable(message.payload, str(error))
        known = self._memory.replay(command)
        if known is not None:
            return Answer(known)
        try:
            self._memory.begin(command)
        except MemoryFailedError:
            if not _makes_safe(command.command):
                return self._forgetful(command)
        return self._new(command, running)

    def remember(self, ack: Ack) -> None:
        """Keep the latest word on a command for its repeats."""
        self._memory.remember(ack)

    def _new(self, command: Command, running: int) -> Decision:
        if command.ttl_ms <= 0:
            return self._answer(expired(command.id))
        try:
            spec = self._spec(command)
            arguments = spec.bind(command.args)
            if spec.standard:
                check_arguments(self._device.description, spec.name, command.args)
            self._check_room(command.command, running)
        except CommandRefusedError as error:
            return self._answer(refused(command.id, error))
        return Run(command, spec, arguments)

    def _spec(self, command: Command) -> CommandSpec:
        spec = self._device.commands.get(command.command)
        if spec is None:
            message = f"{self._device.name} does not know {command.command}."
            raise CommandRefusedError("unknown_command", message)
        return spec

    def _check_room(self, name: str, running: int) -> None:
        if running >= (MAX_RUNNING_SAFE if _makes_safe(name) else MAX_RUNNING):
            raise CommandRefusedError("busy", f"{self._device.name} is too busy.")

    def _forgetful(self, command: Command) -> Answer:
        reason = f"{self._device.name} cannot remember commands now."
        return self._answer(refused(command.id, CommandRefusedError("cannot_remember", reason)))

    def _answer(self, ack: Ack) -> Answer:
        self._memory.remember(ack)
        return Answer(ack)

    def _unreadable(self, payload: bytes, reason: str) -> Decision:
        """Refuse what cannot be read, unless a readable twin has spoken for that id."""
        command_id = _readable_id(payload)
        if command_id is None or command_id in self._memory:
            return Ignore(reason)
        error = AckError("malformed", "The command could not be read.")
        return self._answer(Ack(command_id, AckStatus.REJECTED, error=error))


def _makes_safe(name: str) -> bool:
    return name in VERBS and VERBS[name].makes_safe


def expired(command_id: str) -> Ack:
    """The answer to a command whose time has passed."""
    error = AckError("expired", "The command came too late.")
    return Ack(command_id, AckStatus.EXPIRED, error=error)


def refused(command_id: str, error: CommandRefusedError) -> Ack:
    """The answer that a CommandRefusedError stands for."""
    status = AckStatus.FAILED if error.effect else AckStatus.REJECTED
    return Ack(command_id, status, error=AckError(error.code, error.message))


def _readable_id(payload: bytes) -> str | None:
    if len(payload) > codec.MAX_COMMAND_BYTES:
        return None
    try:
        value = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    command_id = value.get("id") if isinstance(value, dict) else None
    readable = isinstance(command_id, str) and _COMMAND_ID.fullmatch(command_id)
    return command_id if readable else None
