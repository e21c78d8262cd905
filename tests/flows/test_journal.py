"""`gateway journal` and recent_actions beside whoever writes, as programs."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from devices.simulated.house import mqtt_links, run_house
from tests.flows.programs import ROOT, gateway
from tests.flows.world import fresh_root, world

pytestmark = pytest.mark.flow

PATIENCE_S = 10.0


@pytest.fixture
async def config(tmp_path: Path, mosquitto_url: str) -> AsyncIterator[Path]:
    """A house on the broker, and the configuration that leads to it."""
    root = fresh_root()
    path = tmp_path / "gateway.yaml"
    path.write_text(
        f"session: {{provider: none}}\nmqtt: {{url: '{mosquitto_url}'}}\n"
        f"devices: {{root: {root}}}\njournal: {{path: '{tmp_path / 'journal.db'}'}}\n",
        encoding="utf-8",
    )
    # The agent was here before: who only types does not begin a journal.
    (tmp_path / "journal.db").touch()
    async with run_house(mqtt_links(mosquitto_url), root=root):
        yield path


async def call(config: Path, *words: str) -> None:
    done = await gateway("call", "--config", str(config), *words, folder=config.parent)
    assert done.code == 0, done.err


async def journal(config: Path, *words: str) -> list[dict[str, Any]]:
    ended = await gateway("journal", "--config", str(config), "--json", *words)
    assert ended.code == 0
    return ended.lines


@asynccontextmanager
async def following(config: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "gateway", "journal", "--config", str(config), "--json", "--follow"),
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def line(process: asyncio.subprocess.Process) -> dict[str, Any]:
    assert process.stdout is not None
    text = await asyncio.wait_for(process.stdout.readline(), PATIENCE_S)
    return dict(json.loads(text))


async def test_a_call_is_on_record_with_its_command_and_its_acknowledgement(config: Path) -> None:
    await call(config, "turn_on", "target=kitchen light", "brightness=60")
    await call(config, "lock", "target=front door")
    first, second = await journal(config)
    assert (first["tool"], second["tool"]) == ("turn_on", "lock")
    assert first["arguments"] == {"target": "kitchen light", "brightness": 60}
    assert (first["ok"], first["status"], first["target"]) == (True, "confirmed", "Kitchen light")
    assert first["elapsed_ms"] > 0
    (command,) = first["commands"]
    assert (command["device"], command["state"]) == ("kitchen-light", "succeeded")
    assert command["evidence"][-1]["state"] == {"on": True, "brightness": 60}
    assert await journal(config, "--device", "front-door-lock") == [second]
    assert await journal(config, "--failed") == []


async def test_who_follows_sees_new_calls_until_told_to_stop(config: Path) -> None:
    await call(config, "turn_on", "target=kitchen light")
    async with following(config) as process:
        assert (await line(process))["tool"] == "turn_on"
        await call(config, "turn_off", "target=kitchen light")
        news = await line(process)
        assert (news["tool"], news["status"]) == ("turn_off", "confirmed")
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 0


async def test_the_voice_is_told_what_was_done(embedded_broker_url: str, tmp_path: Path) -> None:
    record = {"path": str(tmp_path / "journal.db")}
    async with world(embedded_broker_url, journal=record) as running:
        asked = await running.talk.call("turn_on", target="Kitchen light")
        assert asked["ok"] is True
        told = await running.talk.call("recent_actions", target="kitchen")
        assert told["status"] == "answer"
        assert "I turned on Kitchen light (confirmed)" in told["message"]
        assert [row["asked"] for row in told["data"]] == ["turn on Kitchen light"]
