from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from devices.sdk import Device, command, power
from devices.simulated.base import Actuation, SimulatedDevice

pytestmark = pytest.mark.unit


class Plug(SimulatedDevice):
    id = "plug"
    name = "Plug"
    capabilities = (power(),)

    @command
    def turn_on(self) -> None:
        self.actuate()

    @command
    async def turn_off(self) -> None:
        await self.pause(2.0)
        self.actuate()


async def test_what_was_really_done_is_on_record_once(wired: Callable[[Device], Any]) -> None:
    plug = Plug()
    wire = wired(plug)
    for _ in range(3):
        wire.receive(b'{"id":"c1","command":"turn_on","args":{},"ttl_ms":3000,"attempt":1}')
    assert plug.actuations == [Actuation("c1", "turn_on", {})]


async def test_nothing_is_on_record_that_no_command_asked_for() -> None:
    plug = Plug()
    plug.actuate()
    assert plug.actuations == []


async def test_speed_divides_the_waits(wired: Callable[[Device], Any], pace: Any) -> None:
    plug = Plug(speed=4.0, sleep=pace.sleep)
    wire = wired(plug)
    await wire.command("turn_off")
    assert pace.asked_s == [0.5]
    assert plug.actuations == []
    await pace.step()
    assert [a.command for a in plug.actuations] == ["turn_off"]
