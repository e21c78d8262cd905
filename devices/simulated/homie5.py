"""A Homie 5 device without hardware: a dimmable lamp and a blind, on the wire as the convention.

It describes itself, obeys, and can be told to misbehave. It is no part of the gateway.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from devices.link.base import Link, Message, Publish
from devices.simulated.lies import Lie

Sleep = Callable[[float], Awaitable[object]]

_STEP_S = 0.05
_VALUES = {
    "light/on": "false",
    "light/brightness": "100",
    "light/color": "rgb,255,255,255",
    "blind/position": "0",
    "blind/motion": "stopped",
}


class SimulatedHomie5:
    """A device with a lamp (on, brightness, color) and a blind (position, action, motion).

    Every settable property uses `$target`, as a careful device does. `actions` is what it
    really did, oldest first. `speed` divides the time it moves.
    """

    def __init__(
        self,
        link: Link,
        *,
        device: str = "landing",
        name: str = "Landing",
        domain: str = "homie",
        speed: float = 1.0,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.lie = Lie.NONE
        self.actions: list[tuple[str, str]] = []
        self.values = dict(_VALUES)
        self._name = name
        self._base = f"{domain}/5/{device}"
        self._link = link
        self._step_s = _STEP_S / speed
        self._sleep = sleep
        self._moving: asyncio.Task[None] | None = None

    def description(self) -> dict[str, Any]:
        """What it says that it is."""
        return {
            "homie": "5.0",
            "version": 1,
            "name": self._name,
            "nodes": {
                "light": {
                    "name": "light",
                    "properties": {
                        "on": {"name": "On", "datatype": "boolean", "settable": True},
                        "brightness": _percent("Brightness"),
                        "color": {
                            "name": "Color",
                            "datatype": "color",
                            "format": "rgb,hsv",
                            "settable": True,
                        },
                    },
                },
                "blind": {
                    "name": "blind",
                    "properties": {
                        "position": _percent("Position"),
                        "action": {
                            "name": "Action",
                            "datatype": "enum",
                            "format": "open,close,stop",
                            "settable": True,
                            "retained": False,
                        },
                        "motion": {
                            "name": "Motion",
                            "datatype": "enum",
                            "format": "opening,closing,stopped",
                        },
                    },
                },
            },
        }

    @asynccontextmanager
    async def running(self) -> AsyncIterator[SimulatedHomie5]:
        """It is on its link for the length of the block."""
        await self._link.subscribe(f"{self._base}/+/+/set", self._heard)
        await self._link.connected(5)
        self.announce()
        try:
            yield self
        finally:
            if self._moving is not None:
                self._moving.cancel()

    def announce(self) -> None:
        """Say what it is and whether it is there, in the order that the convention wants."""
        self._say("$state", "init")
        self._say("$description", json.dumps(self.description()))
        for path, value in self.values.items():
            self._say(path, value)
        self._say("$state", "lost" if self.lie is Lie.OFFLINE else "ready")

    def misbehave(self, lie: Lie = Lie.NONE) -> None:
        """Be like that from now on."""
        self.lie = lie
        self._say("$alert/stuck", "")
        self._say("$state", "lost" if lie is Lie.OFFLINE else "ready")

    def remove(self) -> None:
        """Be gone for good."""
        for path in ("$state", "$description", *self.values):
            self._say(path, "")

    # --- the device ----------------------------------------------------------------------

    def _heard(self, message: Message) -> None:
        if self.lie in (Lie.SILENT, Lie.OFFLINE) or message.retained:
            return
        path = message.topic.removeprefix(f"{self._base}/").removesuffix("/set")
        value = message.payload.decode()
        if self.lie is Lie.REFUSE:
            self._say("$log/warn", f"{path} was not set.", retain=False)
            return
        self._say(f"{path}/$target", value)
        if self.lie is not Lie.ECHO:
            self._obey(path, value)

    def _obey(self, path: str, value: str) -> None:
        self.actions.append((path, value))
        if path == "blind/position":
            self._move(int(value))
        elif path == "blind/action":
            self._drive(value)
        else:
            self._set(path, value)

    def _drive(self, action: str) -> None:
        if action == "stop":
            self._halt()
            self._set("blind/motion", "stopped")
        else:
            self._move(100 if action == "open" else 0)

    def _move(self, target: int) -> None:
        self._halt()
        self._moving = asyncio.get_running_loop().create_task(self._travel(target), name="blind")

    async def _travel(self, target: int) -> None:
        position = int(self.values["blind/position"])
        step = 5 if target > position else -5
        half = position + (target - position) / 2
        self._set("blind/motion", "opening" if step > 0 else "closing")
        while abs(target - position) > abs(step):
            await self._sleep(self._step_s)
            position += step
            self._set("blind/position", str(position))
            if self.lie is Lie.JAM and (position - half) * step >= 0:
                self._set("blind/motion", "stopped")
                self._say("$alert/stuck", "The blind is stuck.")
                return
        self._set("blind/position", str(target))
        self._set("blind/motion", "stopped")

    def _halt(self) -> None:
        if self._moving is not None:
            self._moving.cancel()

    # --- the wire ------------------------------------------------------------------------

    def _set(self, path: str, value: str) -> None:
        self.values[path] = value
        self._say(path, value)

    def _say(self, path: str, text: str, *, retain: bool = True) -> None:
        self._link.publish(Publish(f"{self._base}/{path}", text.encode(), retain=retain))


def _percent(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "datatype": "integer",
        "format": "0:100:1",
        "settable": True,
        "unit": "%",
    }
