"""The device's own side of the contract: a device in ten lines of Python.

    from devices.sdk import Device, brightness, command, power, run

    class KitchenLight(Device):
        id, name, area = "kitchen-light", "Kitchen light", "Kitchen"
        capabilities = (power(), brightness())

        @command
        def turn_on(self, brightness: int = 100) -> dict[str, object]:
            return {"on": True, "brightness": brightness}

        @command
        def turn_off(self) -> dict[str, object]:
            return {"on": False}

    run("mqtt://localhost:1883", KitchenLight())

Announcing, acknowledging, refusing wrong arguments and never doing a thing twice are taken
care of. A command of the device's own needs types and a docstring, nothing else:

        @command(slow=True)
        async def brew_coffee(self, cups: Annotated[int, Field(ge=1, le=4)]) -> None:
            "Brew cups of coffee."
"""

from __future__ import annotations

from devices.contract.capability import Capability, Kind, Risk
from devices.contract.errors import CommandRefusedError
from devices.sdk.capabilities import (
    alarm,
    brightness,
    button,
    climate,
    color,
    color_temperature,
    cover,
    fan,
    lock,
    number,
    power,
    scene,
    select,
    sensor,
    text,
    vacuum,
)
from devices.sdk.commands import command
from devices.sdk.device import Device
from devices.sdk.runner import Runner, will
from devices.sdk.serve import run, run_async, serve, serving

__all__ = [
    "Capability",
    "CommandRefusedError",
    "Device",
    "Kind",
    "Risk",
    "Runner",
    "alarm",
    "brightness",
    "button",
    "climate",
    "color",
    "color_temperature",
    "command",
    "cover",
    "fan",
    "lock",
    "number",
    "power",
    "run",
    "run_async",
    "scene",
    "select",
    "sensor",
    "serve",
    "serving",
    "text",
    "vacuum",
    "will",
]
