"""A Tasmota box without hardware: relays, one light and one shutter, on the wire as the firmware.

It announces itself, obeys, and can be told to misbehave. It is no part of the gateway.
"""

from __future__ import annotations

import asyncio
import colorsys
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from devices.link.base import Link, Message, Publish
from devices.simulated.lies import Lie

_STEP_S = 0.05


class SimulatedTasmota:
    """A box with a relay (Power1), a dimmer with colour (Power2) and a shutter (Shutter1).

    `actions` is what it really did, oldest first. `speed` divides the time it moves.
    """

    def __init__(
        self,
        link: Link,
        *,
        mac: str = "A0B1C2D3E4F5",
        topic: str = "tasmota_D3E4F5",
        name: str = "Hall box",
        speed: float = 1.0,
    ) -> None:
        self.lie = Lie.NONE
        self.actions: list[tuple[str, str]] = []
        self.power = {1: False, 2: False}
        self.dimmer = 100
        self.hsb = (0, 0)
        self.position = 0
        self._mac = mac
        self._topic = topic
        self._name = name
        self._link = link
        self._step_s = _STEP_S / speed
        self._moving: asyncio.Task[None] | None = None

    def config(self) -> dict[str, Any]:
        """What it announces."""
        relays = [1, 2, 3, 3]
        return {
            "ip": "192.0.2.7",
            "dn": self._name,
            "fn": ["Hall plug", "Hall strip", "Hall blind", None],
            "hn": self._topic,
            "mac": self._mac,
            "md": "Generic",
            "ty": 0,
            "if": 0,
            "ofln": "Offline",
            "onln": "Online",
            "state": ["OFF", "ON", "TOGGLE", "HOLD"],
            "sw": "14.2.0",
            "t": self._topic,
            "ft": "%prefix%/%topic%/",
            "tp": ["cmnd", "stat", "tele"],
            "rl": relays,
            "swc": [-1] * 8,
            "swn": [None] * 8,
            "btn": [0] * 8,
            "so": {"4": 0, "11": 0, "13": 0, "17": 0, "20": 0, "30": 0, "68": 0, "73": 0}
            | {"82": 0, "114": 0, "117": 0},
            "lk": 1,
            "lt_st": 3,
            "bat": 0,
            "dslp": 0,
            "sho": [0],
            "sht": [[0, 0, 0]],
            "ver": 1,
        }

    @asynccontextmanager
    async def running(self) -> AsyncIterator[SimulatedTasmota]:
        """It is on its link for the length of the block."""
        await self._link.subscribe(f"cmnd/{self._topic}/+", self._heard)
        await self._link.connected(5)
        self.announce()
        try:
            yield self
        finally:
            if self._moving is not None:
                self._moving.cancel()

    def announce(self) -> None:
        """Say what it is and whether it is there."""
        self._say(f"tasmota/discovery/{self._mac}/config", self.config(), retain=True)
        self._say(f"tasmota/discovery/{self._mac}/sensors", {"sn": {}, "ver": 1}, retain=True)
        word = "Offline" if self.lie is Lie.OFFLINE else "Online"
        self._publish(f"tele/{self._topic}/LWT", word, retain=True)

    def misbehave(self, lie: Lie = Lie.NONE) -> None:
        """Be like that from now on."""
        self.lie = lie
        self.announce()

    # --- the firmware --------------------------------------------------------------------

    def _heard(self, message: Message) -> None:
        if self.lie in (Lie.SILENT, Lie.OFFLINE) or message.retained:
            return
        name = message.topic.rpartition("/")[2].lower()
        argument = message.payload.decode()
        if name == "status":
            self._say(f"stat/{self._topic}/STATUS{argument}", self._status(argument))
        elif self.lie is Lie.REFUSE:
            self._result({"Command": "Error"})
        else:
            self._obey(name, argument)

    def _status(self, number: str) -> dict[str, Any]:
        if number == "10":
            return {"StatusSNS": {"Time": "2026-11-24T10:00:00", **self._shutter(0)}}
        light = {"Dimmer": self.dimmer, "HSBColor": self._hsb(), "Channel": [0, 0, 0]}
        return {"StatusSTS": {"Uptime": "0T01:00:00", **self._powers(), **light}}

    def _obey(self, name: str, argument: str) -> None:
        if name.startswith("power"):
            self._switch(int(name[5:] or 1), on=argument == "ON")
        elif name == "dimmer":
            self._light(dimmer=int(argument))
        elif name == "color2":
            self._light(rgb=[int(part) for part in argument.split(",")])
        elif name == "shutterposition1":
            self._move(int(argument))
        elif name == "shutterstop1":
            self._stop()
        else:
            self._result({"Command": "Unknown"})

    def _switch(self, number: int, *, on: bool) -> None:
        if self.lie is not Lie.ECHO:
            self.power[number] = on
            self.actions.append((f"power{number}", "ON" if on else "OFF"))
        word = "ON" if on else "OFF"
        self._result({f"POWER{number}": word})
        self._publish(f"stat/{self._topic}/POWER{number}", word)

    def _light(self, *, dimmer: int | None = None, rgb: list[int] | None = None) -> None:
        level = self.dimmer if dimmer is None else dimmer
        hue, saturation = self.hsb if rgb is None else _hue_and_saturation(rgb)
        color = f"{hue},{saturation},{level}"
        if self.lie is not Lie.ECHO:
            self.dimmer, self.hsb, self.power[2] = level, (hue, saturation), True
            self.actions.append(("light", color))
        self._result({"POWER2": "ON", "Dimmer": level, "HSBColor": color})

    def _move(self, target: int) -> None:
        self._result(self._shutter(1 if target > self.position else -1, target))
        if self.lie is Lie.ECHO:
            return
        self.actions.append(("shutter", str(target)))
        if self._moving is not None:
            self._moving.cancel()
        self._moving = asyncio.get_running_loop().create_task(self._travel(target), name="shutter")

    async def _travel(self, target: int) -> None:
        step = 5 if target > self.position else -5
        half = self.position + (target - self.position) / 2
        while abs(target - self.position) > abs(step):
            await asyncio.sleep(self._step_s)
            self.position += step
            if self.lie is Lie.JAM and (self.position - half) * step >= 0:
                self._result(self._shutter(0))
                return
            self._say(f"tele/{self._topic}/SENSOR", self._shutter(1 if step > 0 else -1, target))
        self.position = target
        self._result(self._shutter(0))

    def _stop(self) -> None:
        if self._moving is not None:
            self._moving.cancel()
        self._result(self._shutter(0))

    # --- the wire ------------------------------------------------------------------------

    def _powers(self) -> dict[str, str]:
        return {f"POWER{n}": "ON" if on else "OFF" for n, on in self.power.items()}

    def _hsb(self) -> str:
        return f"{self.hsb[0]},{self.hsb[1]},{self.dimmer}"

    def _shutter(self, direction: int, target: int | None = None) -> dict[str, Any]:
        where = self.position if target is None else target
        return {"Shutter1": {"Position": self.position, "Direction": direction, "Target": where}}

    def _result(self, body: Mapping[str, Any]) -> None:
        self._say(f"stat/{self._topic}/RESULT", body)

    def _say(self, topic: str, body: Mapping[str, Any], *, retain: bool = False) -> None:
        self._publish(topic, json.dumps(body), retain=retain)

    def _publish(self, topic: str, text: str, *, retain: bool = False) -> None:
        self._link.publish(Publish(topic, text.encode(), retain=retain))


def _hue_and_saturation(rgb: list[int]) -> tuple[int, int]:
    hue, saturation, _ = colorsys.rgb_to_hsv(*(part / 255 for part in rgb))
    return round(hue * 360), round(saturation * 100)
