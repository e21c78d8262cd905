"""What every simulated device has: a record of what it really did, and a pace of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from devices.contract.command import Scalar
from devices.sdk import Device

Sleep = Callable[[float], Awaitable[object]]
"""Waits that many seconds."""


class Actuation(NamedTuple):
    """One thing that a device really did, and on whose behalf."""

    command_id: str
    command: str
    args: Mapping[str, Scalar]


class SimulatedDevice(Device):
    """A device without hardware.

    `actuations` lists what it really did, oldest first: a command id that stands there twice
    is a broken promise. `speed` divides every wait; `sleep` does the waiting.
    """

    def __init__(self, *, speed: float = 1.0, sleep: Sleep = asyncio.sleep) -> None:
        super().__init__()
        self.actuations: list[Actuation] = []
        self._speed = speed
        self._sleep = sleep

    def actuate(self) -> None:
        """Note that the present command takes effect now."""
        command = self.current
        if command is not None:
            self.actuations.append(Actuation(command.id, command.command, dict(command.args)))

    async def pause(self, seconds_s: float) -> None:
        """Wait as long as a real device would take, divided by `speed`."""
        await self._sleep(seconds_s / self._speed)
