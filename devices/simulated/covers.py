"""Simulated things that move: a blind and a garage door."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import ClassVar

from devices.contract.capability import Risk
from devices.contract.command import Scalar
from devices.contract.errors import CommandRefusedError
from devices.sdk import command, cover
from devices.simulated.base import SimulatedDevice, Sleep

State = Mapping[str, Scalar]

STEP_PERCENT = 5


class Cover(SimulatedDevice):
    """Moves in steps, tells how far it is, and stops where it is when told.

    `travel_s` is the time from closed to open.
    """

    travel_s = 6.0
    initial: ClassVar[State] = {"position": 0, "moving": False}

    def __init__(self, *, speed: float = 1.0, sleep: Sleep = asyncio.sleep) -> None:
        super().__init__(speed=speed, sleep=sleep)
        self._journey = 0
        self._position = int(self.initial["position"] or 0)

    @command(slow=True)
    async def set_cover(self, position: int) -> State:
        """Move to `position`, 0 closed to 100 open."""
        self.actuate()
        self._journey += 1
        journey, start = self._journey, self._position
        while self._position != position:
            await self.pause(self.travel_s * STEP_PERCENT / 100)
            self._check_still_wanted(journey)
            self._position = _nearer(self._position, position)
            done = 100 * abs(self._position - start) / abs(position - start)
            if self._position != position:
                await self.progress(round(done), position=self._position, moving=True)
        return {"position": position, "moving": False}

    @command
    def stop(self) -> State:
        """Stay where it is."""
        self.actuate()
        self._journey += 1
        return {"position": self._position, "moving": False}

    def _check_still_wanted(self, journey: int) -> None:
        if journey != self._journey:
            message = f"{self.name} was stopped at {self._position} %."
            raise CommandRefusedError("stopped", message, effect=True)


class BedroomBlind(Cover):
    """A roller blind."""

    id = "bedroom-blind"
    name = "Bedroom blind"
    area = "Bedroom"
    capabilities = (cover(),)


class GarageDoor(Cover):
    """A garage door: policy asks before it moves."""

    id = "garage-door"
    name = "Garage door"
    area = "Garage"
    capabilities = (cover(risk=Risk.GUARDED),)
    travel_s = 15.0


def _nearer(position: int, target: int) -> int:
    if target > position:
        return min(target, position + STEP_PERCENT)
    return max(target, position - STEP_PERCENT)
