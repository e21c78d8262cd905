"""What a device is: its description, its state, and methods that carry out commands.

A subclass says what it is in class attributes and does it in methods marked @command. It
knows no topic, no socket and no acknowledgement; a Runner takes care of those.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, ClassVar, Protocol

from devices.contract import codec
from devices.contract.capability import Capability, Description
from devices.contract.command import Command, Scalar
from devices.contract.errors import ContractError
from devices.sdk.commands import CommandSpec, collect
from devices.sdk.standard import check_class

log = logging.getLogger(__name__)

running: ContextVar[Command] = ContextVar("running")
"""The command on whose behalf the present code runs; set by the runner."""


class Outlet(Protocol):
    """Where a device's own words go."""

    def progressed(self, command: Command, percent: float | None) -> None:
        """`command` is under way."""

    def changed(self) -> None:
        """The state is another one."""


class Device:
    """One device. Subclasses set the class attributes and mark methods with @command.

    `initial` is the state at the start; keys whose value nobody knows yet are left out.
    A class that cannot work raises TypeError where it is defined, ValueError where it is made.
    """

    id: str = ""
    name: str = ""
    area: str = ""
    aliases: Sequence[str] = ()
    capabilities: Sequence[Capability] = ()
    initial: ClassVar[Mapping[str, Scalar]] = {}

    commands: ClassVar[Mapping[str, CommandSpec]] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.commands = collect(cls)

    def __init__(self) -> None:
        self.state: dict[str, Scalar] = dict(checked_state(self.initial))
        self.description = self._describe()
        self._outlet: Outlet | None = None

    async def work(self) -> None:
        """What the device does by itself while it is served, such as reading a sensor."""

    @property
    def current(self) -> Command | None:
        """The command being carried out, None outside of one."""
        return running.get(None)

    async def progress(self, percent: float | None = None, **state: Scalar) -> None:
        """Say that the present command is under way, `percent` of it done, in this state.

        Raises RuntimeError outside of a command.
        """
        command = self.current
        if command is None:
            raise RuntimeError("progress belongs to a command; use report for other changes")
        self.state.update(checked_state(state))
        if self._outlet is not None:
            self._outlet.progressed(command, percent)

    def report(self, **state: Scalar) -> None:
        """The device changed by itself: merge `state` and tell everybody."""
        self.state.update(checked_state(state))
        if self._outlet is not None:
            self._outlet.changed()

    def attach(self, outlet: Outlet) -> None:
        """Send this device's words to `outlet`. Raises RuntimeError when it has another one."""
        if self._outlet is not None:
            raise RuntimeError(f"{self.id} is served already")
        self._outlet = outlet

    def detach(self) -> None:
        """Send words nowhere."""
        self._outlet = None

    def snapshot(self) -> dict[str, Scalar]:
        """The state as it can be sent; a value that cannot is left out and logged."""
        bad = [key for key, value in self.state.items() if not _sendable(value)]
        if bad:
            log.error("%s has a state that cannot be sent: %s", self.id, ", ".join(bad))
        return {key: value for key, value in self.state.items() if key not in bad}

    def method(self, name: str) -> Callable[..., Any]:
        """The bound method of the command `name`, which must exist."""
        method: Callable[..., Any] = getattr(self, self.commands[name].name)
        return method

    def _describe(self) -> Description:
        own = (spec.own() for spec in self.commands.values() if not spec.standard)
        description = Description(
            id=self.id,
            name=self.name,
            area=self.area,
            aliases=tuple(self.aliases),
            capabilities=tuple(self.capabilities),
            commands=tuple(own),
        )
        try:
            _check_as_sent(description)
            check_class(description, self.commands)
        except (ValueError, ContractError) as error:
            raise ValueError(f"{type(self).__name__} is no device: {error}") from error
        return description


def checked_state(state: Mapping[str, Scalar]) -> Mapping[str, Scalar]:
    """`state` itself. Raises TypeError for a value that is no finite JSON scalar."""
    for key, value in state.items():
        if not _sendable(value):
            raise TypeError(f"state {key!r} must be text, a finite number, true, false or None")
    return state


def _sendable(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, str | int)


def _check_as_sent(description: Description) -> None:
    """What the gateway reads must be what was meant: nothing cut, cleaned or dropped."""
    read = codec.decode_description(codec.encode_description(description))
    if read != description:
        raise ValueError("a name or description is too long or has unreadable characters")
