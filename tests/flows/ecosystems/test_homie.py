"""Homie devices on a real broker: our own liar, and devices that others wrote."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from gateway.app import Gateway
from gateway.config import FixedConfig
from tests.flows.ecosystems.houses import HOMIE, found
from tests.flows.world import eventually

pytestmark = pytest.mark.flow

HOUSE = Path(__file__).with_name("homie4_house.py")
# Their modules warn of themselves when they are read.
ENVIRONMENT = {**os.environ, "PYTHONWARNINGS": "ignore"}


async def test_a_value_that_is_there_already(mosquitto_url: str) -> None:
    async with found(mosquitto_url, HOMIE) as (gateway, device):
        done = await gateway.call("turn_on", {"target": HOMIE.light})
        again = await gateway.call("turn_on", {"target": HOMIE.light})
        assert (done.status, again.status) == ("confirmed", "already")
        assert device.actions == [("light/on", "true")]


async def test_a_lamp_with_all_that_it_has(mosquitto_url: str) -> None:
    async with found(mosquitto_url, HOMIE) as (gateway, _):
        asked = {"target": HOMIE.light, "brightness": 40, "color": "red"}
        outcome = await gateway.call("turn_on", asked)
        assert outcome.status == "confirmed", outcome.message
        assert outcome.state == {"on": True, "brightness": 40, "color": "#ff0000"}


async def test_a_blind_is_stopped(mosquitto_url: str) -> None:
    async with found(mosquitto_url, HOMIE) as (gateway, device):
        moving = asyncio.create_task(
            gateway.call("set_cover", {"target": HOMIE.cover, "position": 100})
        )
        await eventually(lambda: device.values["blind/position"] != "0")
        stopped = await gateway.call("stop", {"target": HOMIE.cover})
        assert stopped.status == "confirmed", stopped.message
        assert (await moving).status == "failed"


async def test_a_device_that_is_taken_away(mosquitto_url: str) -> None:
    async with found(mosquitto_url, HOMIE) as (gateway, device):
        device.remove()
        await eventually(lambda: len(gateway.directory) == 0)


async def test_devices_that_others_wrote(mosquitto_url: str) -> None:
    async with homie4(mosquitto_url) as gateway:
        dimmed = await gateway.call("turn_on", {"target": "Porch dimmer", "brightness": 40})
        assert (dimmed.status, dimmed.state["brightness"]) == ("confirmed", 40)
        switched = await gateway.call("turn_on", {"target": "Porch switch"})
        assert (switched.status, switched.state["on"]) == ("confirmed", True)
        heated = await gateway.call(
            "set_climate", {"target": "Porch thermostat", "temperature": 21, "mode": "heat"}
        )
        assert heated.status == "confirmed", heated.message
        assert heated.state["target_temperature"] == pytest.approx(21, abs=0.1)
        too_hot = await gateway.call(
            "set_climate", {"target": "Porch thermostat", "temperature": 90}
        )
        assert too_hot.status == "invalid"


@asynccontextmanager
async def homie4(broker_url: str) -> AsyncIterator[Gateway]:
    """A gateway that knows a house made with Homie4."""
    if importlib.util.find_spec("homie") is None:
        pytest.skip("Homie4 is not installed")
    prefix = f"porch{os.getpid()}"
    config = FixedConfig.model_validate(
        {
            "session": {"provider": "none"},
            "mqtt": {"url": broker_url, "client_id": f"{prefix}-gateway"},
            "devices": {"ecosystems": {"homie": {"prefix": prefix}}},
            "policy": {"guarded": "allow"},
        }
    )
    house = await asyncio.create_subprocess_exec(
        *(sys.executable, str(HOUSE), str(urlsplit(broker_url).port), prefix),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        env=ENVIRONMENT,
    )
    try:
        async with Gateway(config) as gateway:
            await eventually(lambda: _porch(gateway) == {"dimmer", "switch", "thermostat"})
            yield gateway
    finally:
        house.kill()
        await house.wait()


def _porch(gateway: Gateway) -> set[str]:
    online = [device for device in gateway.directory if device.online]
    return {d.name.removeprefix("Porch ") for d in online if d.name.startswith("Porch ")}
