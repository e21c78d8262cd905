"""Devices that come and go while somebody is talking."""

from __future__ import annotations

import asyncio
import json

import pytest

from devices.simulated.lights import HallLight
from gateway.tools.python import tool
from tests.flows.world import World, eventually, world

pytestmark = pytest.mark.flow

TOOLS = "realtime.input_function_call"


def announce(home: World, device_id: str, name: str) -> None:
    body = {
        "contract": 1,
        "id": device_id,
        "name": name,
        "area": "Attic",
        "aliases": [],
        "capabilities": [{"kind": "power"}],
        "commands": [],
    }
    home.visitor.says(f"{device_id}/description", json.dumps(body), retain=True)


async def test_a_burst_of_new_devices_is_told_once_and_so_is_a_goodbye(broker_url: str) -> None:
    async with world(broker_url, of=[HallLight()]) as home:
        assert len(home.talk.of(TOOLS)) == 1
        for number in range(5):
            announce(home, f"new-{number}", f"New light {number}")
            await asyncio.sleep(0.02)
        await home.talk.frame(lambda _: len(home.talk.of(TOOLS)) == 2)
        assert "New light 4" in home.talk.targets("turn_on")

        for number in range(5):
            home.visitor.says(f"new-{number}/description", b"", retain=True)
        await home.talk.frame(lambda _: len(home.talk.of(TOOLS)) == 3)
        assert "New light" not in " ".join(home.talk.targets("turn_on"))
        outcome = await home.talk.call("turn_on", target="New light 4")
        assert outcome["status"] == "unknown_target"
        assert len(home.talk.of(TOOLS)) == 3


async def test_a_device_that_only_goes_offline_changes_no_tools(broker_url: str) -> None:
    async with world(broker_url, of=[HallLight()]) as home:
        home.visitor.says("hall-light/availability", b"offline", retain=True)
        device = home.gateway.directory.get("hall-light")
        assert device is not None
        await eventually(lambda: device.online is False)
        assert (await home.talk.call("turn_on", target="Hall light"))["status"] == "offline"
        assert len(home.talk.of(TOOLS)) == 1


@tool
def add_to_shopping_list(item: str, amount: int = 1) -> str:
    """Put something on the shopping list."""
    return f"{amount} x {item} noted."


async def test_a_python_function_of_the_configuration_is_a_tool(broker_url: str) -> None:
    paths = {"python": [f"{__name__}:add_to_shopping_list"]}
    async with world(broker_url, of=[HallLight()], tools=paths) as home:
        definition = home.talk.tools["add_to_shopping_list"]
        assert definition["description"] == "Put something on the shopping list."
        assert definition["parameters"]["required"] == ["item"]
        outcome = await home.talk.call("add_to_shopping_list", item="milk", amount=2)
        assert (outcome["ok"], outcome["status"]) == (True, "answer")
        assert "2 x milk noted." in json.dumps(outcome)
        wrong = await home.talk.call("add_to_shopping_list", item="milk", amount="many")
        assert (wrong["ok"], wrong["status"]) == (False, "invalid")
