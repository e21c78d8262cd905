"""`gateway run` is killed between a command and its acknowledgement, and started again."""

from __future__ import annotations

import asyncio
import json
import os
import random
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from devices.simulated.appliances import CoffeeMachine
from devices.simulated.base import SimulatedDevice
from devices.simulated.covers import BedroomBlind
from devices.simulated.faults import Faults
from devices.simulated.house import House, run_house
from devices.simulated.lights import HallLight, KitchenLight, LivingRoomLamp
from tests.flows.cloud import Cloud, Talk
from tests.flows.programs import Agent, agent, gateway
from tests.flows.world import _links as house_links
from tests.flows.world import eventually, fresh_root

pytestmark = pytest.mark.flow

# 50 of them are the promise; each takes about half a second.
KILLS = int(os.environ.get("GATEWAY_TEST_KILLS", "8"))
SETTLED = {"succeeded", "failed", "rejected", "expired", "unknown"}
OPEN = "('sent', 'accepted', 'in_progress', 'timed_out')"


@dataclass
class Home:
    """A house and a cloud that outlive the agent, and the agent's configuration."""

    house: House
    cloud: Cloud
    config: Path

    @property
    def acts(self) -> list[str]:
        """The id of every command that a device carried out."""
        devices = self.house.devices.values()
        return [act.command_id for device in devices for act in device.actuations]

    @asynccontextmanager
    async def started(self) -> AsyncIterator[tuple[Agent, Talk]]:
        """The agent with a live session that offers every device."""
        async with agent(self.config) as running:
            talk = await self.cloud.talk()
            names = {device.description.name for device in self.house.devices.values()}
            await talk.frame(lambda _: names <= set(talk.targets("get_state")))
            yield running, talk

    def rows(self, question: str) -> list[Mapping[str, Any]]:
        """What the journal answers."""
        with closing(sqlite3.connect(self.config.parent / "journal.db")) as db:
            db.row_factory = sqlite3.Row
            return [dict(row) for row in db.execute(question)]

    def open_commands(self) -> list[Mapping[str, Any]]:
        return self.rows(f"SELECT * FROM commands WHERE state IN {OPEN}")


@asynccontextmanager
async def home(
    folder: Path,
    broker_url: str,
    *of: SimulatedDevice,
    **sections: Mapping[str, Any],
) -> AsyncIterator[Home]:
    root = fresh_root()
    async with (
        run_house(house_links(broker_url, root), root=root, devices=of) as house,
        Cloud() as cloud,
    ):
        settings: dict[str, Any] = {
            "session": {"url": cloud.url, "license": "flow-license"},
            "mqtt": {"url": broker_url, "client_id": f"{root}-gateway"},
            "devices": {"root": root},
            "policy": {"calls_per_minute": 100_000, "device_calls_per_minute": 100_000},
            "journal": {"path": str(folder / "journal.db")},
        }
        config = folder / "gateway.yaml"
        for name, values in sections.items():
            settings[name] = settings.get(name, {}) | dict(values)
        config.write_text(json.dumps(settings), encoding="utf-8")
        config.chmod(0o600)
        yield Home(house, cloud, config)


async def kill(running: Agent) -> None:
    running.process.kill()
    await running.process.wait()


async def test_a_lost_acknowledgement_is_asked_for_after_the_crash(
    tmp_path: Path, mosquitto_url: str
) -> None:
    async with home(tmp_path, mosquitto_url, KitchenLight()) as at:
        async with at.started() as (running, talk):
            at.house.misbehave("kitchen-light", Faults(lose_acks=1))
            await talk.ask("turn_on", {"target": "Kitchen light", "brightness": 60})
            await eventually(lambda: at.acts)
            await kill(running)
        (before,) = at.open_commands()
        assert (before["state"], before["device"]) == ("sent", "kitchen-light")

        async with at.started() as (running, talk):
            note = await talk.note("restarted")
            assert "turn_on was called: Kitchen light is on at 60 %." in note
            assert (await running.stop()).code == 0
    assert at.acts == [before["id"]]
    (command,) = at.rows("SELECT * FROM commands")
    (call,) = at.rows("SELECT * FROM calls")
    assert command["state"] == "succeeded"
    assert (call["status"], call["later_status"]) == (None, "confirmed")
    killed, stopped = at.rows("SELECT * FROM runs ORDER BY id")
    assert killed["ended_at"] is None
    assert stopped["ended_at"] > stopped["started_at"]


async def test_a_command_that_never_arrived_was_not_done_and_is_not_done_later(
    tmp_path: Path, mosquitto_url: str
) -> None:
    async with home(tmp_path, mosquitto_url, KitchenLight()) as at:
        async with at.started() as (running, talk):
            at.house.misbehave("kitchen-light", Faults(silent=True))
            await talk.ask("turn_on", {"target": "Kitchen light"})
            await eventually(at.open_commands)
            await kill(running)
        at.house.misbehave("kitchen-light")
        async with at.started() as (_, talk):
            assert "it was not done" in await talk.note("restarted")
            await eventually(lambda: not at.open_commands())
    assert at.acts == []
    assert [row["state"] for row in at.rows("SELECT state FROM commands")] == ["expired"]


async def test_coffee_that_was_brewed_before_the_crash_is_not_brewed_again(
    tmp_path: Path, mosquitto_url: str
) -> None:
    async with home(tmp_path, mosquitto_url, CoffeeMachine()) as at:
        async with at.started() as (running, talk):
            at.house.misbehave("coffee-machine", Faults(lose_acks=1))
            await talk.ask("brew_coffee", {"cups": 2})
            await eventually(lambda: at.acts)
            await kill(running)
        async with at.started() as (running, talk):
            outcome = await talk.outcome(await talk.ask("brew_coffee", {"cups": 2}))
            assert outcome["ok"] is not False
            assert (await running.stop()).code == 0
    assert len(at.acts) == 1


async def test_a_movement_that_outlives_the_agent_is_told_when_it_ends(
    tmp_path: Path, mosquitto_url: str
) -> None:
    async with home(tmp_path, mosquitto_url, BedroomBlind(speed=5.0)) as at:
        async with at.started() as (running, talk):
            await talk.ask("set_cover", {"target": "Bedroom blind", "position": 80})
            await eventually(lambda: at.rows("SELECT * FROM evidence"))
            await kill(running)
        async with at.started() as (_, talk):
            assert "Bedroom blind is 80 % open" in await talk.note("restarted")
            await eventually(lambda: not at.open_commands())
    assert len(at.acts) == 1


async def test_a_device_that_says_nothing_leaves_it_unknown(
    tmp_path: Path, mosquitto_url: str
) -> None:
    short = {"delivery_s": 0.6, "answer_within_s": 0.8}
    async with home(tmp_path, mosquitto_url, KitchenLight(), devices=short) as at:
        async with at.started() as (running, talk):
            at.house.misbehave("kitchen-light", Faults(lose_acks=1000))
            await talk.ask("turn_on", {"target": "Kitchen light"})
            await eventually(lambda: at.acts)
            await kill(running)
        async with at.started() as (_, talk):
            assert "I do not know whether it did it" in await talk.note("restarted")
            await eventually(lambda: not at.open_commands())
        assert [row["state"] for row in at.rows("SELECT state FROM commands")] == ["unknown"]
        # Known to be unknown: the next start does not ask again.
        async with at.started() as (running, _):
            await running.stop()
    assert len(at.acts) == 1


@pytest.mark.timeout(30 + 2 * KILLS)
async def test_killed_again_and_again_nothing_is_done_twice_and_nothing_stays_open(
    tmp_path: Path, mosquitto_url: str
) -> None:
    lights = (KitchenLight(), HallLight(), LivingRoomLamp())
    chance = random.Random(4)
    async with home(tmp_path, mosquitto_url, *lights) as at:
        ids = list(at.house.devices)
        names = [device.description.name for device in at.house.devices.values()]
        for _ in range(KILLS):
            async with at.started() as (running, talk):
                acted = len(at.acts)
                for device_id in ids:
                    at.house.misbehave(device_id, Faults(lose_acks=1))
                for name in names:
                    await talk.ask(f"turn_{chance.choice(['on', 'off'])}", {"target": name})
                # Before, between and after the moment at which the devices act.
                needed = acted + chance.randrange(len(names) + 1)
                await eventually(lambda needed=needed: len(at.acts) >= needed)
                await asyncio.sleep(chance.random() * 0.01)
                await kill(running)
        async with at.started() as (running, _):
            await eventually(lambda: not at.open_commands())
            await running.stop()
    recorded = {row["id"]: row["state"] for row in at.rows("SELECT id, state FROM commands")}
    assert len(at.acts) == len(set(at.acts))
    assert set(at.acts) <= recorded.keys()
    assert set(recorded.values()) <= SETTLED
    # Whoever acted did so for a command that is known to have been done.
    assert {recorded[command_id] for command_id in at.acts} <= {"succeeded"}
    assert at.rows("SELECT count(*) AS n FROM runs WHERE ended_at IS NULL") == [{"n": KILLS}]
    unheard = "SELECT count(*) AS n FROM calls WHERE answered_at IS NULL AND later_at IS NULL"
    assert at.rows(unheard) == [{"n": 0}]


async def test_a_call_that_is_typed_shares_the_journal_of_the_agent_that_runs(
    tmp_path: Path, mosquitto_url: str
) -> None:
    async with home(tmp_path, mosquitto_url, KitchenLight()) as at:
        typed = ("call", "--config", str(at.config), "turn_on", "target=Kitchen light")
        assert (await gateway(*typed)).code == 0
        assert not (tmp_path / "journal.db").exists()
        async with at.started() as (running, talk):
            await talk.call("turn_off", target="Kitchen light")
            assert (await gateway(*typed)).code == 0
            await talk.call("turn_off", target="Kitchen light")
            await running.stop()
    tools = [row["tool"] for row in at.rows("SELECT tool FROM calls ORDER BY id")]
    assert tools == ["turn_off", "turn_on", "turn_off"]
    assert at.open_commands() == []
    assert at.rows("SELECT count(*) AS n FROM runs WHERE ended_at IS NULL") == [{"n": 0}]
