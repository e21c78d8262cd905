"""Shelly devices without hardware, on the wire as the firmware: one that speaks RPC, one older.

They answer, notify and obey, and can be told to misbehave. They are no part of the gateway.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from devices.link.base import Link, Message, Publish
from devices.simulated.base import Sleep
from devices.simulated.lies import Lie

_STEP_S = 0.05
_NOT_NOW = {"code": -109, "message": "Overpower protection is active"}
_NO_METHOD = {"code": 404, "message": "No handler for that"}


class SimulatedShelly:
    """A device with a socket (switch:0), a dimmer (light:0) and a roller (cover:0).

    `actions` is what it really did, oldest first. `speed` divides the time it moves.
    """

    def __init__(
        self,
        link: Link,
        *,
        mac: str = "A0B1C2D3E4F6",
        prefix: str = "hall/shelly",
        speed: float = 1.0,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.lie = Lie.NONE
        self.actions: list[tuple[str, dict[str, Any]]] = []
        self.truth: dict[str, dict[str, Any]] = {
            "switch:0": {"id": 0, "source": "init", "output": False, "apower": 0.0},
            "light:0": {"id": 0, "source": "init", "output": False, "brightness": 50},
            "cover:0": {"id": 0, "source": "init", "state": "closed", "current_pos": 0}
            | {"pos_control": True, "apower": 0.0},
        }
        self._id = f"shellysim-{mac.lower()}"
        self._mac = mac
        self._prefix = prefix
        self._link = link
        self._step_s = _STEP_S / speed
        self._sleep = sleep
        self._moving: asyncio.Task[None] | None = None

    def info(self) -> dict[str, Any]:
        """What it says of itself."""
        return {
            "name": "Hall box",
            "id": self._id,
            "mac": self._mac,
            "model": "SIM-1",
            "gen": 2,
            "fw_id": "20261101-100000/1.4.4-g0",
            "ver": "1.4.4",
            "app": "Sim",
            "auth_en": False,
        }

    def config(self) -> dict[str, Any]:
        """Its configuration."""
        names = {"switch:0": "Hall socket", "light:0": "Hall dimmer", "cover:0": "Hall roller"}
        return {
            "mqtt": {"enable": True, "topic_prefix": self._prefix, "status_ntf": False},
            "sys": {"device": {"name": "Hall box", "mac": self._mac}, "cfg_rev": 7},
            **{key: {"id": 0, "name": name} for key, name in names.items()},
        }

    def status(self) -> dict[str, Any]:
        """How it is."""
        system = {"mac": self._mac, "uptime": 1000, "cfg_rev": 7}
        return {"sys": system, "mqtt": {"connected": True}, **self.truth}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[SimulatedShelly]:
        """It is on its link for the length of the block."""
        await self._link.subscribe(f"{self._prefix}/rpc", self._asked)
        for topic in ("shellies/command", f"{self._prefix}/command"):
            await self._link.subscribe(topic, self._called)
        await self._link.connected(5)
        self.misbehave()
        try:
            yield self
        finally:
            if self._moving is not None:
                self._moving.cancel()

    def misbehave(self, lie: Lie = Lie.NONE) -> None:
        """Be like that from now on."""
        self.lie = lie
        word = b"false" if lie is Lie.OFFLINE else b"true"
        self._link.publish(Publish(f"{self._prefix}/online", word))

    # --- the firmware --------------------------------------------------------------------

    def _called(self, message: Message) -> None:
        if message.payload == b"announce" and self.lie not in (Lie.SILENT, Lie.OFFLINE):
            for topic in (f"{self._prefix}/announce", "shellies/announce"):
                self._say(topic, self.info())

    def _asked(self, message: Message) -> None:
        if self.lie in (Lie.SILENT, Lie.OFFLINE) or message.retained:
            return
        frame = json.loads(message.payload)
        answer = self._answer(frame["method"], frame.get("params") or {})
        head = {"id": frame["id"], "src": self._id, "dst": frame["src"]}
        self._say(f"{frame['src']}/rpc", {**head, **answer})

    def _answer(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        told = {
            "Shelly.GetDeviceInfo": self.info,
            "Shelly.GetConfig": self.config,
            "Shelly.GetStatus": self.status,
        }.get(method)
        namespace, _, verb = method.partition(".")
        key = f"{namespace.lower()}:{params.get('id')}"
        if told is not None:
            return {"result": told()}
        if key not in self.truth:
            return {"error": _NO_METHOD}
        if verb == "GetStatus":
            return {"result": self.truth[key]}
        if self.lie is Lie.REFUSE:
            return {"error": _NOT_NOW}
        return {"result": self._obey(key, verb, params)}

    def _obey(self, key: str, verb: str, params: dict[str, Any]) -> dict[str, Any] | None:
        was_on = self.truth[key].get("output")
        if self.lie is not Lie.ECHO:
            self.actions.append((f"{key} {verb}", params))
            if verb == "Set":
                self._set(key, params)
            else:
                self._drive(verb, params)
        return {"was_on": was_on} if verb == "Set" else None

    def _set(self, key: str, params: Mapping[str, Any]) -> None:
        new = {"output": params["on"]} if "on" in params else {}
        new |= {name: params[name] for name in ("brightness",) if name in params}
        changed = {name: value for name, value in new.items() if self.truth[key][name] != value}
        self.truth[key].update(new)
        if changed:
            self._notify(key, **changed, source="MQTT")

    def _drive(self, verb: str, params: Mapping[str, Any]) -> None:
        if self._moving is not None:
            self._moving.cancel()
        if verb == "Stop":
            self._rest("stopped")
            return
        target = {"Open": 100, "Close": 0}.get(verb, params.get("pos", 0))
        loop = asyncio.get_running_loop()
        self._moving = loop.create_task(self._travel(target), name="shelly cover")

    async def _travel(self, target: int) -> None:
        cover = self.truth["cover:0"]
        start = cover["current_pos"]
        way = "opening" if target > start else "closing"
        cover["state"] = way
        self._notify("cover:0", state=way, source="MQTT", target_pos=target)
        for part in range(1, 5):
            await self._sleep(self._step_s)
            cover["current_pos"] = start + (target - start) * part // 4
            if self.lie is Lie.JAM and part == 2:  # noqa: PLR2004 -- half of four
                self._notify("cover:0", errors=["obstruction"])
                self._rest("stopped")
                return
            self._notify("cover:0", current_pos=cover["current_pos"])
        self._rest({100: "open", 0: "closed"}.get(target, "stopped"))

    def _rest(self, state: str) -> None:
        self.truth["cover:0"]["state"] = state
        self._notify("cover:0", state=state, source="limit_switch")

    # --- the wire ------------------------------------------------------------------------

    def _notify(self, key: str, **changed: object) -> None:
        head = {"src": self._id, "dst": f"{self._prefix}/events", "method": "NotifyStatus"}
        body = {"ts": 1795514400.5, key: {"id": 0, **changed}}
        self._say(f"{self._prefix}/events/rpc", {**head, "params": body})

    def _say(self, topic: str, body: Mapping[str, Any]) -> None:
        self._link.publish(Publish(topic, json.dumps(body).encode()))


class SimulatedOldShelly:
    """A first-generation relay. `actions` is what it really did, oldest first."""

    def __init__(self, link: Link, *, mac: str = "A0B1C2D3E4F7", name: str = "cellar-plug") -> None:
        self.lie = Lie.NONE
        self.actions: list[str] = []
        self.on = False
        self._mac = mac
        self._name = name
        self._link = link

    @asynccontextmanager
    async def running(self) -> AsyncIterator[SimulatedOldShelly]:
        """It is on its link for the length of the block."""
        own = f"shellies/{self._name}"
        for topic in ("shellies/command", f"{own}/command"):
            await self._link.subscribe(topic, self._called)
        await self._link.subscribe(f"{own}/relay/0/command", self._told)
        await self._link.connected(5)
        self.misbehave()
        yield self

    def misbehave(self, lie: Lie = Lie.NONE) -> None:
        """Be like that from now on."""
        self.lie = lie
        self._say("online", "false" if lie is Lie.OFFLINE else "true")
        if lie is Lie.NONE:
            self._announce()

    def _called(self, message: Message) -> None:
        if self.lie in (Lie.SILENT, Lie.OFFLINE):
            return
        if message.payload == b"announce":
            self._announce()
        elif message.payload == b"update":
            self._say("relay/0", "on" if self.on else "off")
            self._say("relay/0/power", "11.5" if self.on else "0.0")

    def _told(self, message: Message) -> None:
        """It has no word for no: a relay that will not switch repeats what it is."""
        if self.lie in (Lie.SILENT, Lie.OFFLINE):
            return
        word = message.payload.decode()
        if self.lie is Lie.NONE:
            self.on = word == "on"
            self.actions.append(word)
        echoed = word if self.lie is Lie.ECHO else "on" if self.on else "off"
        self._say("relay/0", echoed)

    def _announce(self) -> None:
        told = {"id": self._name, "model": "SHPLG-S", "mac": self._mac, "ip": "192.0.2.9"}
        told["fw_ver"] = "20230913-113421/v1.14.0-gcb84623"
        for topic in ("shellies/announce", f"shellies/{self._name}/announce"):
            self._link.publish(Publish(topic, json.dumps(told).encode()))

    def _say(self, leaf: str, text: str) -> None:
        self._link.publish(Publish(f"shellies/{self._name}/{leaf}", text.encode()))
