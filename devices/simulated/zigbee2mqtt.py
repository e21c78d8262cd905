"""A Zigbee2MQTT bridge without a radio: a lamp, a lock and a cover, on the wire as the bridge is.

It announces, obeys, echoes before anything is done, and can be told to misbehave.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from devices.link.base import Link, Message, Publish
from devices.simulated.lies import Lie

_STEP_S = 0.05


def _generic(kind: str, name: str, access: int, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"type": kind, "name": name, "label": name, "property": name, "access": access, **more}


_STATE = _generic("binary", "state", 7, value_on="ON", value_off="OFF", value_toggle="TOGGLE")
_LAMP = [
    {"type": "light", "features": [
        _STATE,
        _generic("numeric", "brightness", 7, value_min=0, value_max=254),
        _generic("numeric", "color_temp", 7, value_min=153, value_max=500, unit="mired"),
    ]},
    _generic("enum", "effect", 2, values=["blink", "breathe"]),
    _generic("numeric", "linkquality", 1, category="diagnostic", value_min=0, value_max=255),
]  # fmt: skip
_LOCK = [
    {"type": "lock", "features": [
        _generic("binary", "state", 7, value_on="LOCK", value_off="UNLOCK"),
        _generic("enum", "lock_state", 1, values=["not_fully_locked", "locked", "unlocked"]),
    ]},
]  # fmt: skip
_COVER = [
    {"type": "cover", "features": [
        _generic("enum", "state", 3, values=["OPEN", "CLOSE", "STOP"]),
        _generic("numeric", "position", 7, value_min=0, value_max=100, unit="%"),
    ]},
]  # fmt: skip


class SimulatedBridge:
    """A bridge with three devices: `lamp` ("Hall/lamp"), a lock and a cover.

    `actions` is what the devices really did, oldest first. `speed` divides their times.
    """

    LAMP, LOCK, COVER = "Hall/lamp", "Front lock", "Hall shade"

    def __init__(self, link: Link, *, base: str = "zigbee2mqtt", speed: float = 1.0) -> None:
        self.lie = Lie.NONE
        self.actions: list[tuple[str, dict[str, Any]]] = []
        self.truth: dict[str, dict[str, Any]] = {
            self.LAMP: {"state": "OFF", "brightness": 254, "color_temp": 250},
            self.LOCK: {"state": "LOCK", "lock_state": "locked"},
            self.COVER: {"state": "CLOSE", "position": 0},
        }
        self._link = link
        self._base = base
        self._step_s = _STEP_S / speed
        self._work: set[asyncio.Task[None]] = set()

    def devices(self) -> list[dict[str, Any]]:
        """The bridge's list."""
        made = ((self.LAMP, _LAMP), (self.LOCK, _LOCK), (self.COVER, _COVER))
        coordinator = {"ieee_address": "0x00124b0000000000", "type": "Coordinator"}
        return [coordinator, *(_device(n, name, e) for n, (name, e) in enumerate(made, 1))]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[SimulatedBridge]:
        """It is on its link for the length of the block."""
        for name in self.truth:
            for verb in ("set", "get"):
                await self._link.subscribe(f"{self._base}/{name}/{verb}", self._heard)
        await self._link.connected(5)
        self.announce()
        try:
            yield self
        finally:
            for task in tuple(self._work):
                task.cancel()

    def announce(self) -> None:
        """Say that the bridge is there, with its devices."""
        self._say("bridge/state", {"state": "online"}, retain=True)
        self._say("bridge/devices", self.devices(), retain=True)
        word = "offline" if self.lie is Lie.OFFLINE else "online"
        for name in self.truth:
            self._say(f"{name}/availability", {"state": word}, retain=True)

    def restart(self) -> None:
        """Go and come again: what is remembered is published as if it were news."""
        self._say("bridge/state", {"state": "offline"}, retain=True)
        self.announce()
        for name, state in self.truth.items():
            self._say(name, state)

    def misbehave(self, lie: Lie = Lie.NONE) -> None:
        """Be like that from now on."""
        self.lie = lie
        self.announce()

    # --- the bridge ----------------------------------------------------------------------

    def _heard(self, message: Message) -> None:
        if self.lie in (Lie.SILENT, Lie.OFFLINE) or message.retained:
            return
        name, _, verb = message.topic.removeprefix(f"{self._base}/").rpartition("/")
        if verb == "get":
            self._say(name, self.truth[name])
        elif self.lie is Lie.REFUSE:
            self._complain(name, json.loads(message.payload))
        else:
            self._obey(name, json.loads(message.payload))

    def _complain(self, name: str, body: Mapping[str, Any]) -> None:
        key = next(iter(body))
        line = f"z2m: Publish 'set' '{key}' to '{name}' failed: 'Error: Timeout - 10000ms'"
        self._say("bridge/logging", {"level": "error", "message": line, "namespace": "z2m"})

    def _obey(self, name: str, body: dict[str, Any]) -> None:
        if name == self.LOCK:
            # Only a lock's bolt tells: the bridge assumes nothing of it.
            if self.lie is not Lie.ECHO:
                self._later(self._turn_the_bolt(body))
            return
        self._say(name, {**self.truth[name], **body})
        if self.lie is Lie.ECHO:
            return
        self.actions.append((name, body))
        if "position" in body:
            self._later(self._travel(int(body["position"])))
        else:
            self.truth[name].update(body)
            self._say(name, self.truth[name])

    async def _turn_the_bolt(self, body: dict[str, Any]) -> None:
        await asyncio.sleep(self._step_s)
        self.actions.append((self.LOCK, body))
        locked = body["state"] == "LOCK"
        told = "locked" if locked else "unlocked"
        self.truth[self.LOCK] = {"state": body["state"], "lock_state": told}
        self._say(self.LOCK, self.truth[self.LOCK])

    async def _travel(self, target: int) -> None:
        shade = self.truth[self.COVER]
        start = int(shade["position"])
        for part in range(1, 5):
            await asyncio.sleep(self._step_s)
            shade["position"] = start + (target - start) * part // 4
            self._say(self.COVER, shade)
            if self.lie is Lie.JAM and part == 2:  # noqa: PLR2004 -- half of four
                return

    def _later(self, work: Any) -> None:  # noqa: ANN401 -- a coroutine
        task = asyncio.get_running_loop().create_task(work, name="zigbee")
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    def _say(self, leaf: str, body: object, *, retain: bool = False) -> None:
        payload = json.dumps(body).encode()
        self._link.publish(Publish(f"{self._base}/{leaf}", payload, retain=retain))


def _device(number: int, name: str, exposes: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "ieee_address": f"0x00158d000000000{number}",
        "friendly_name": name,
        "type": "Router",
        "power_source": "Mains (single phase)",
        "supported": True,
        "disabled": False,
        "interview_state": "SUCCESSFUL",
        "definition": {"model": "X", "vendor": "Acme", "description": "", "exposes": exposes},
    }
