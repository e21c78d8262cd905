"""Simulated devices around the house: lock, thermostat, outdoor sensor, coffee machine."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from devices.contract.capability import Risk
from devices.contract.command import Scalar
from devices.contract.errors import CommandRefusedError
from devices.sdk import climate, command, lock, power, sensor
from devices.simulated.base import SimulatedDevice

State = Mapping[str, Scalar]


class FrontDoorLock(SimulatedDevice):
    """A motor lock: the bolt takes its time, one turn after the other."""

    id = "front-door-lock"
    name = "Front door lock"
    area = "Hall"
    aliases = ("front door",)
    capabilities = (lock(risk=Risk.GUARDED),)
    initial: ClassVar[State] = {"locked": True}
    bolt_s = 0.8

    @command(slow=True, queued=True)
    async def lock(self) -> State:
        """Drive the bolt out."""
        return await self._turn(locked=True)

    @command(slow=True, queued=True)
    async def unlock(self) -> State:
        """Draw the bolt back."""
        return await self._turn(locked=False)

    async def _turn(self, *, locked: bool) -> State:
        self.actuate()
        await self.pause(self.bolt_s)
        return {"locked": locked}


class Thermostat(SimulatedDevice):
    """Heats or cools towards its target, a tenth of a degree each half minute."""

    id = "thermostat"
    name = "Thermostat"
    area = "Living room"
    capabilities = (climate(5, 30, ("off", "heat", "cool", "auto")),)
    initial: ClassVar[State] = {"temperature": 20.5, "target_temperature": 21.0, "mode": "auto"}

    @command
    def set_climate(self, temperature: float | None = None, mode: str | None = None) -> State:
        """Set the target in degrees Celsius, the mode, or both."""
        wanted: dict[str, Scalar] = {}
        if temperature is not None:
            wanted["target_temperature"] = temperature
        if mode is not None:
            wanted["mode"] = mode
        if not wanted:
            raise CommandRefusedError("invalid_arguments", "Say a temperature or a mode.")
        self.actuate()
        return wanted

    async def work(self) -> None:
        """Let the room follow."""
        while True:
            await self.pause(30)
            self.drift()

    def drift(self) -> None:
        """Bring the room a tenth of a degree nearer to the target, when the mode allows it."""
        here, target = float(self.state["temperature"] or 0), self.state["target_temperature"]
        gap = float(target or 0) - here
        allowed = {"heat": gap > 0, "cool": gap < 0, "auto": True}
        if allowed.get(str(self.state["mode"]), False) and gap:
            step = max(-0.1, min(0.1, gap))
            self.report(temperature=round(here + step, 1))


class OutdoorTemperature(SimulatedDevice):
    """A sensor that reports each minute."""

    id = "outdoor-temperature"
    name = "Outdoor temperature"
    area = "Garden"
    capabilities = (sensor("temperature", "°C"),)
    initial: ClassVar[State] = {"temperature": 11.5}

    async def work(self) -> None:
        """Read and report."""
        for reading in itertools.cycle((11.6, 11.8, 12.0, 11.9, 11.7, 11.5)):
            await self.pause(60)
            self.report(temperature=reading)


class CoffeeMachine(SimulatedDevice):
    """Brews one order at a time; switches itself on for it."""

    id = "coffee-machine"
    name = "Coffee machine"
    area = "Kitchen"
    capabilities = (power(),)
    initial: ClassVar[State] = {"on": False}
    cup_s = 1.5

    _brewing = False

    @command
    def turn_on(self) -> State:
        """Switch on."""
        self.actuate()
        return {"on": True}

    @command
    def turn_off(self) -> State:
        """Switch off, also in the middle of a cup."""
        self.actuate()
        return {"on": False}

    @command(idempotent=False, risk=Risk.NORMAL, answer_within_ms=4000, slow=True)
    async def brew_coffee(self, cups: Annotated[int, Field(ge=1, le=4)]) -> None:
        """Brew cups of coffee."""
        if self._brewing:
            raise CommandRefusedError("busy", f"{self.name} is still brewing.")
        self._brewing = True
        try:
            await self._brew(cups)
        finally:
            self._brewing = False

    async def _brew(self, cups: int) -> None:
        self.actuate()
        self.report(on=True)
        for done in range(cups):
            await self.progress(round(100 * done / cups))
            await self.pause(self.cup_s)
            if not self.state["on"]:
                message = f"{self.name} was switched off after {done} of {cups} cups."
                raise CommandRefusedError("switched_off", message, effect=True)
