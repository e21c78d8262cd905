"""Things of all ecosystems on one broker, and the gateway as a user starts it: processes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from devices.link.mqtt import MqttLink, MqttOptions
from devices.simulated.house import mqtt_links, run_house
from devices.simulated.lights import KitchenLight
from tests.brokers import Mosquitto
from tests.flows.ecosystems.houses import SPECIES, Order
from tests.flows.programs import gateway

pytestmark = pytest.mark.flow


@asynccontextmanager
async def everything(folder: Path) -> AsyncIterator[Path]:
    """One thing of each species and a native light on a broker; gateway.yaml names the broker."""
    async with AsyncExitStack() as stack:
        broker = stack.enter_context(Mosquitto(folder))
        for number, species in enumerate(SPECIES):
            link = MqttLink(MqttOptions(url=broker.url, client_id=f"thing-{number}"))
            await stack.enter_async_context(link)
            await stack.enter_async_context(species.running(species.make(link)))
        house = run_house(mqtt_links(broker.url), devices=[KitchenLight()])
        await stack.enter_async_context(house)
        config = folder / "gateway.yaml"
        config.write_text(f"mqtt: {{url: '{broker.url}'}}\n", encoding="utf-8")
        yield config


async def listed(folder: Path) -> dict[str, dict[str, Any]]:
    """What `gateway devices --json` prints, by name."""
    ended = await gateway("devices", "--json", folder=folder)
    assert ended.code == 0, ended.err
    return {line["name"]: line for line in ended.lines}


async def test_all_ecosystems_side_by_side(tmp_path: Path) -> None:
    async with everything(tmp_path):
        found = await listed(tmp_path)
        assert found["Kitchen light"]["known_by"] == "acknowledges by id"
        for species in SPECIES:
            device = found[species.light]
            assert device["ecosystem"] == species.ecosystem
            assert device["known_by"] == species.known_by
            assert device["area"] == species.area
            await turned_on(tmp_path, species.on)


async def turned_on(folder: Path, order: Order) -> None:
    tool, arguments = order
    words = [f"{name}={value}" for name, value in arguments.items()]
    ended = await gateway("call", tool, *words, "--json", folder=folder)
    assert ended.code == 0, ended.out + ended.err
    (outcome,) = ended.lines
    assert outcome["status"] == "confirmed", outcome
    assert outcome["state"], outcome


async def test_any_device_can_be_renamed_moved_hidden_and_guarded(tmp_path: Path) -> None:
    async with everything(tmp_path) as config:
        before = await listed(tmp_path)
        names = iter(range(len(SPECIES)))
        changed = {before[s.light]["id"]: f"Thing {next(names)}" for s in SPECIES}
        hidden = before["Kitchen light"]["id"]
        lines = [
            config.read_text(encoding="utf-8"),
            "devices:\n  overrides:",
            f"    {hidden}: {{hide: true}}",
            *(
                f"    {device_id}: {{name: {name}, area: Attic, aliases: [{name} alias], "
                "risk: guarded}"
                for device_id, name in changed.items()
            ),
        ]
        config.write_text("\n".join(lines) + "\n", encoding="utf-8")
        after = await listed(tmp_path)
        assert "Kitchen light" not in after
        for device_id, name in changed.items():
            assert (after[name]["id"], after[name]["area"]) == (device_id, "Attic")
        tasmota = next(n for i, n in changed.items() if i.startswith("tasmota"))
        ended = await gateway("call", "turn_on", f"target={tasmota} alias", folder=tmp_path)
        assert (ended.code, tasmota in ended.out) == (1, True)
        assert "clear yes" in ended.out
        ended = await gateway("call", "turn_on", f"target={tasmota}", "--yes", folder=tmp_path)
        assert ended.code == 0, ended.err
