"""A process of simulated devices that write down every actuation before they tell of it.

Run as `python -m tests.faults.house BROKER_URL LOG_FILE SEED`; ends with SIGTERM. One line of
the log is one thing that a device really did.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from random import Random
from typing import ClassVar

from devices.contract.command import Scalar
from devices.sdk import command, run
from devices.simulated.appliances import FrontDoorLock, Thermostat
from devices.simulated.base import SimulatedDevice
from devices.simulated.covers import BedroomBlind
from devices.simulated.lights import LivingRoomLamp
from tests.faults.inventory import PLACES, ROOT, Kind, Place

State = Mapping[str, Scalar]

# A blind goes its whole way in 6 / 12 s, a bolt turns in 0.8 / 12 s.
SPEED = 12.0
LIES = 0.3


class ActuationLog:
    """A file that only grows: each line is in the hands of the system before the ack is sent."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def write(self, device: SimulatedDevice) -> None:
        """Write down what `device` does now."""
        asked = device.current
        assert asked is not None
        entry = {
            "device": device.id,
            "id": asked.id,
            "command": asked.command,
            "args": dict(asked.args),
            "at": time.time(),
        }
        os.write(self._file, json.dumps(entry).encode() + b"\n")


class Brewer(SimulatedDevice):
    """Brews at once; each order is one cup more, so that none may be carried out twice."""

    @command
    def brew_coffee(self, order: int) -> None:
        """Brew a coffee for an order."""
        self.actuate()

    @command
    def brew_tea(self, order: int) -> None:
        """Brew a tea for an order."""
        self.actuate()

    @command(slow=True)
    async def brew_soup(self, order: int) -> None:
        """Cook a soup for an order."""
        await self.pause(1.0)
        self.actuate()


class Liar(LivingRoomLamp):
    """Says that it succeeded, sometimes without doing it; its state does not lie."""

    random: ClassVar[Random]

    @command
    def turn_on(
        self,
        brightness: int | None = None,
        color: str | None = None,
        color_temperature: int | None = None,
    ) -> State:
        """Switch on, or stay dark."""
        if self.random.random() < LIES:
            return {"on": False}
        return super().turn_on(brightness, color, color_temperature)


CLASSES: Mapping[Kind, type[SimulatedDevice]] = {
    Kind.LAMP: LivingRoomLamp,
    Kind.BREWER: Brewer,
    Kind.LOCK: FrontDoorLock,
    Kind.BLIND: BedroomBlind,
    Kind.THERMOSTAT: Thermostat,
    Kind.LIAR: Liar,
}


def make(place: Place, log: ActuationLog, random: Random) -> SimulatedDevice:
    """The device of `place`, which writes to `log`."""

    def actuate(device: SimulatedDevice) -> None:
        log.write(device)

    names = {"id": place.device_id, "name": place.name, "area": place.room, "aliases": ()}
    made = type(
        f"{place.kind.value.capitalize()}{place.number}",
        (CLASSES[place.kind],),
        {
            **names,
            "actuate": actuate,
            "random": random,
        },
    )
    device: SimulatedDevice = made(speed=SPEED)
    return device


def main(url: str, path: str, seed: str) -> None:
    """Serve the whole house until told to stop."""
    log, random = ActuationLog(path), Random(f"house {seed}")
    run(url, *(make(place, log, random) for place in PLACES), root=ROOT)


if __name__ == "__main__":
    main(*sys.argv[1:4])
