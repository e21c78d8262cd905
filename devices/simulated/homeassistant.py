"""A box that announces itself for Home Assistant: a lamp and a blind, as home-made devices do.

It announces, obeys, reports what it did, and can be told to misbehave.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from devices.link.base import Link, Message, Publish
from devices.simulated.lies import Lie

_STEP_S = 0.05


class SimulatedAnnouncer:
    """A box with "Den lamp" and "Den blind", by the device form of discovery.

    `actions` is what it really did, oldest first. `speed` divides the time it moves. While it
    only echoes it says so, as the rules want it: its lamp is announced as optimistic.
    """

    base = "den"
    """the first level of its topics"""
    lamp_set, blind_set, position_set = "lamp/set", "blind/set", "blind/position/set"
    lamp_state, blind_state, position_state = "lamp", "blind", "blind/position"

    def __init__(self, link: Link, *, prefix: str = "homeassistant", speed: float = 1.0) -> None:
        self.lie = Lie.NONE
        self.actions: list[tuple[str, str]] = []
        self.lamp: dict[str, Any] = {"state": "OFF", "brightness": 255}
        self.position = 0
        self._link = link
        self._prefix = prefix
        self._step_s = _STEP_S / speed
        self._moving: asyncio.Task[None] | None = None

    def configs(self) -> dict[str, dict[str, Any]]:
        """What it announces, by topic."""
        return {f"{self._prefix}/device/den/config": self.config()}

    def config(self) -> dict[str, Any]:
        """All of the box, in one message."""
        lamp: dict[str, Any] = {"p": "light", "schema": "json", "uniq_id": "den_lamp"}
        lamp |= {"name": "lamp", "cmd_t": "~/lamp/set", "stat_t": "~/lamp", "brightness": True}
        blind = {"p": "cover", "uniq_id": "den_blind", "name": "blind", "dev_cla": "blind"}
        blind |= {"cmd_t": "~/blind/set", "stat_t": "~/blind"}
        blind |= {"pos_t": "~/blind/position", "set_pos_t": "~/blind/position/set"}
        return {
            "dev": {"ids": ["den"], "name": "Den", "sa": "Den"},
            "o": {"name": "simulated"},
            "~": "den",
            "avty_t": "~/status",
            "cmps": {"lamp": {**lamp, "opt": self.lie is Lie.ECHO}, "blind": blind},
        }

    @asynccontextmanager
    async def running(self) -> AsyncIterator[SimulatedAnnouncer]:
        """It is on its link for the length of the block."""
        for leaf in (self.lamp_set, self.blind_set, self.position_set):
            await self._link.subscribe(f"{self.base}/{leaf}", self._heard)
        await self._link.connected(5)
        self.announce()
        try:
            yield self
        finally:
            self._halt()

    def announce(self) -> None:
        """Say that it is there, what it is, and how it stands."""
        for topic, config in self.configs().items():
            self._link.publish(Publish(topic, json.dumps(config).encode(), retain=True))
        self._say("status", "offline" if self.lie is Lie.OFFLINE else "online")
        self._say(self.lamp_state, json.dumps(self.lamp))
        self._say(self.position_state, str(self.position))

    def misbehave(self, lie: Lie = Lie.NONE) -> None:
        """Be like that from now on."""
        self.lie = lie
        self.announce()

    def _heard(self, message: Message) -> None:
        if self.lie in (Lie.SILENT, Lie.OFFLINE) or message.retained:
            return
        leaf, text = message.topic.removeprefix(f"{self.base}/"), message.payload.decode()
        if leaf == self.lamp_set:
            self._switch(json.loads(text))
        elif self.lie not in (Lie.REFUSE, Lie.ECHO):
            self._move({"OPEN": "100", "CLOSE": "0"}.get(text, text))

    def _switch(self, body: dict[str, Any]) -> None:
        if self.lie is Lie.REFUSE:
            # There is no word for "no": it says how it stands.
            self._say(self.lamp_state, json.dumps(self.lamp))
            return
        if self.lie is not Lie.ECHO:
            self.actions.append(("lamp", body["state"]))
            self.lamp |= body
        self._say(self.lamp_state, json.dumps({**self.lamp, **body}))

    def _move(self, target: str) -> None:
        self.actions.append(("blind", target))
        self._halt()
        if target == "STOP":
            self._say(self.blind_state, "stopped")
            return
        travel = self._travel(int(target))
        self._moving = asyncio.get_running_loop().create_task(travel, name="blind")

    async def _travel(self, target: int) -> None:
        start = self.position
        self._say(self.blind_state, "opening" if target > start else "closing")
        for part in range(1, 5):
            await asyncio.sleep(self._step_s)
            self.position = start + (target - start) * part // 4
            self._say(self.position_state, str(self.position))
            if self.lie is Lie.JAM and part == 2:  # noqa: PLR2004 -- half of four
                break
        self._say(self.blind_state, "open" if self.position else "closed")

    def _halt(self) -> None:
        if self._moving is not None:
            self._moving.cancel()
            self._moving = None

    def _say(self, leaf: str, text: str) -> None:
        self._link.publish(Publish(f"{self.base}/{leaf}", text.encode(), retain=True))
