"""Simulated lights: one that switches, one that dims, one with colours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from devices.contract.command import Scalar
from devices.sdk import brightness, color, color_temperature, command, power
from devices.simulated.base import SimulatedDevice

State = Mapping[str, Scalar]


class HallLight(SimulatedDevice):
    """On and off."""

    id = "hall-light"
    name = "Hall light"
    area = "Hall"
    capabilities = (power(),)
    initial: ClassVar[State] = {"on": False}

    @command
    def turn_on(self) -> State:
        """Switch on."""
        self.actuate()
        return {"on": True}

    @command
    def turn_off(self) -> State:
        """Switch off."""
        self.actuate()
        return {"on": False}


class KitchenLight(SimulatedDevice):
    """On, off and dimmed; switched on without a brightness it takes the last one."""

    id = "kitchen-light"
    name = "Kitchen light"
    area = "Kitchen"
    aliases = ("ceiling light",)
    capabilities = (power(), brightness())
    initial: ClassVar[State] = {"on": False, "brightness": 100}

    @command
    def turn_on(self, brightness: int | None = None) -> State:
        """Switch on, at `brightness` % when given."""
        self.actuate()
        return {"on": True} | _given(brightness=brightness)

    @command
    def turn_off(self) -> State:
        """Switch off."""
        self.actuate()
        return {"on": False}


class LivingRoomLamp(SimulatedDevice):
    """On, off, dimmed, coloured or white from warm to cold."""

    id = "living-room-lamp"
    name = "Living room lamp"
    area = "Living room"
    capabilities = (power(), brightness(), color(), color_temperature(2200, 6500))
    initial: ClassVar[State] = {
        "on": False,
        "brightness": 100,
        "color": "#ffffff",
        "color_temperature": 2700,
    }

    @command
    def turn_on(
        self,
        brightness: int | None = None,
        color: str | None = None,
        color_temperature: int | None = None,
    ) -> State:
        """Switch on, as bright and coloured as asked, else as it was."""
        self.actuate()
        return {"on": True} | _given(
            brightness=brightness, color=color, color_temperature=color_temperature
        )

    @command
    def turn_off(self) -> State:
        """Switch off."""
        self.actuate()
        return {"on": False}


def _given(**state: Scalar) -> dict[str, Scalar]:
    return {key: value for key, value in state.items() if value is not None}
