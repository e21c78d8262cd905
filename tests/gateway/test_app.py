"""The gateway put together, over a broker in memory and in virtual time."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from devices.contract.errors import LinkRefusedError
from devices.ecosystems.zigbee2mqtt.adapter import MAX_LIST_BYTES
from devices.link.base import Link, Publish
from devices.link.memory import MemoryBroker, MemoryLink
from devices.link.options import MAX_PAYLOAD_BYTES
from devices.simulated.faults import Faults
from devices.simulated.house import House, run_house
from gateway.app import Gateway, _ecosystems, _link_options
from gateway.config import FixedConfig
from gateway.errors import ConfigError
from gateway.events import BrokerChanged
from gateway.outcome import Outcome, Status
from gateway.testing import ManualClock
from gateway.tools.python import tool
from tests.gateway.journal.book import NOON, Book

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("virtual_time")]


def config(**sections: Any) -> FixedConfig:
    return FixedConfig.model_validate({"session": {"provider": "none"}, **sections})


def agent(broker: MemoryBroker, *, extra: Any = (), **sections: Any) -> Gateway:
    clock = ManualClock(asyncio.get_running_loop())
    link = MemoryLink(broker, "gateway")
    return Gateway(config(**sections), link=link, extra=extra, clock=clock)


@asynccontextmanager
async def house(broker: MemoryBroker, **faults: Faults) -> AsyncIterator[House]:
    def link(client_id: str, will: Publish) -> Link:
        return MemoryLink(broker, client_id, will=will)

    named = {name.replace("_", "-"): fault for name, fault in faults.items()}
    async with run_house(link, faults=named) as running:
        await asyncio.sleep(0.1)
        yield running


async def test_a_call_goes_through_the_whole_house_and_back() -> None:
    broker = MemoryBroker()
    async with house(broker) as home, agent(broker) as gateway:
        assert await gateway.ready()
        outcome = await gateway.call("turn_on", {"target": "Kitchen light", "brightness": 60})
        assert outcome.status is Status.CONFIRMED
        assert outcome.message == "Kitchen light is on at 60 %."
        assert home["kitchen-light"].state["brightness"] == 60


async def test_a_broker_that_is_away_makes_nothing_ready_and_every_call_an_honest_answer() -> None:
    broker = MemoryBroker()
    broker.stop()
    async with agent(broker) as gateway:
        assert not await gateway.ready()
        outcome = await gateway.call("turn_on", {"target": "Kitchen light"})
        assert outcome.ok is False


async def test_a_slow_brokers_announcements_are_waited_for() -> None:
    broker = MemoryBroker()

    async def announce_late() -> None:
        await asyncio.sleep(0.3)
        async with house(broker):
            await asyncio.sleep(5)

    late = asyncio.create_task(announce_late())
    async with agent(broker) as gateway:
        assert await gateway.ready()
        assert len(gateway.directory) == 9
    await late


async def test_an_empty_house_is_ready_soon() -> None:
    loop = asyncio.get_running_loop()
    started = loop.time()
    async with agent(MemoryBroker()) as gateway:
        assert await gateway.ready()
    assert loop.time() - started < 1


async def test_the_configuration_decides_about_delivery_policy_and_names() -> None:
    broker = MemoryBroker()
    sections = {
        "devices": {
            "delivery_s": 0.5,
            "overrides": {
                "hall-light": {"name": "Corridor", "risk": "forbidden"},
                "thermostat": {"hide": True},
            },
        },
        "policy": {"guarded": "allow", "calls_per_minute": 3},
    }
    loop = asyncio.get_running_loop()
    async with (
        house(broker, kitchen_light=Faults(silent=True)),
        agent(broker, **sections) as gateway,
    ):
        await gateway.ready()
        assert "Thermostat" not in {device.name for device in gateway.directory}
        started = loop.time()
        outcome = await gateway.call("turn_on", {"target": "Kitchen light"})
        assert (outcome.status, loop.time() - started) == (
            Status.TIMED_OUT,
            pytest.approx(0.5, abs=0.05),
        )
        assert (await gateway.call("turn_on", {"target": "Corridor"})).status is Status.DENIED
        assert (await gateway.call("unlock", {"target": "Front door"})).status is Status.CONFIRMED
        assert (await gateway.call("unlock", {"target": "Front door"})).status is Status.DENIED
        assert (await gateway.call("lock", {"target": "Front door"})).status is Status.CONFIRMED


@tool
def tell_a_joke() -> str:
    """Tell a joke."""
    return "A byte walks into a bar."


async def test_tools_of_others_stand_beside_the_devices_own() -> None:
    async with agent(MemoryBroker(), extra=[tell_a_joke]) as gateway:
        assert "tell_a_joke" in gateway.tools().names
        outcome = await gateway.call("tell_a_joke", {})
        assert isinstance(outcome, Outcome)
        assert outcome.status is Status.ANSWER


async def test_run_ends_when_it_is_told_to_and_answers_who_waits() -> None:
    broker = MemoryBroker()
    loop = asyncio.get_running_loop()
    async with house(broker, kitchen_light=Faults(silent=True)), agent(broker) as gateway:
        stop = asyncio.Event()
        running = asyncio.create_task(gateway.run(stop))
        await asyncio.sleep(1)
        call = asyncio.create_task(gateway.call("turn_on", {"target": "Kitchen light"}))
        await asyncio.sleep(0.1)
        asked_at = loop.time()
        stop.set()
        await running
        assert (await call).status is Status.TIMED_OUT
        assert loop.time() - asked_at < 2


async def test_a_broker_that_refuses_us_ends_the_run_with_its_reason() -> None:
    broker = MemoryBroker()
    async with agent(broker) as gateway:
        with gateway.bus.subscribe() as events:
            running = asyncio.create_task(gateway.run(asyncio.Event()))
            await asyncio.sleep(1)
            broker.refuse("gateway", "the password is wrong")
            with pytest.raises(LinkRefusedError, match="the password is wrong"):
                await running
            states = [e.state for e in events.waiting() if isinstance(e, BrokerChanged)]
        assert states[-1] == "refused"


async def test_what_this_version_lacks_is_said_and_what_nobody_knows_is_refused(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        agent(MemoryBroker(), devices={"ecosystems": {"native": {}, "esphome": {}}})
    assert "ecosystem esphome is not in this version" in caplog.text
    with pytest.raises(ConfigError, match="naitve"):
        agent(MemoryBroker(), devices={"ecosystems": {"naitve": {}}})
    with pytest.raises(ConfigError, match="no_such_module"):
        agent(MemoryBroker(), tools={"python": ["no_such_module:f"]})


async def test_a_default_ecosystem_that_this_version_lacks_is_no_fault(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        agent(MemoryBroker())
    assert caplog.text == ""


def test_the_link_takes_what_the_largest_list_of_an_ecosystem_needs() -> None:
    small, large = (
        _link_options(config(), _ecosystems(config(devices={"ecosystems": {name: {}}})))
        for name in ("native", "zigbee2mqtt")
    )
    assert small.max_payload_bytes == MAX_PAYLOAD_BYTES
    assert large.max_payload_bytes == MAX_LIST_BYTES


def test_a_broker_url_that_leads_nowhere_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError, match="mqtt"):
        Gateway(config(mqtt={"url": "mqtt://:99999999"}))


async def test_old_entries_go_while_the_agent_runs(tmp_path: Path) -> None:
    broker, path = MemoryBroker(), tmp_path / "journal.db"
    book = Book(path)
    book.call("turn_on", NOON - 400 * 86_400)
    clock = ManualClock(asyncio.get_running_loop())
    book.call("turn_off", clock.wall().timestamp())
    async with agent(broker, journal={"path": str(path)}) as gateway:
        stop = asyncio.Event()
        running = asyncio.create_task(gateway.run(stop))
        await asyncio.sleep(5)
        assert [row[0] for row in book.db.execute("SELECT tool FROM calls")] == ["turn_off"]
        stop.set()
        await running
    book.close()


async def test_the_past_is_offered_where_it_is_kept(tmp_path: Path) -> None:
    broker = MemoryBroker()
    async with agent(broker) as gateway:
        assert "recent_actions" not in gateway.tools().names
    async with agent(broker, journal={"path": str(tmp_path / "journal.db")}) as gateway:
        assert "recent_actions" in gateway.tools().names


def recorded(path: Path, question: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as db:
        return db.execute(question).fetchall()


async def test_a_call_its_command_and_what_the_device_said_are_on_record(tmp_path: Path) -> None:
    broker, path = MemoryBroker(), tmp_path / "journal.db"
    async with house(broker) as home, agent(broker, journal={"path": str(path)}) as gateway:
        await gateway.ready()
        await gateway.call("turn_on", {"target": "Kitchen light", "brightness": 60})
        await gateway.call("get_state", {"target": "Kitchen light"})
    (act,) = home["kitchen-light"].actuations
    assert recorded(path, "SELECT tool, status FROM calls ORDER BY id") == [
        ("turn_on", "confirmed"),
        ("get_state", "answer"),
    ]
    assert recorded(path, "SELECT id, state, attempts FROM commands") == [
        (act.command_id, "succeeded", 1)
    ]
    assert recorded(path, "SELECT command, status FROM evidence") == [(act.command_id, "succeeded")]
    assert recorded(path, "SELECT count(*) FROM runs WHERE ended_at IS NULL") == [(0,)]


@pytest.mark.parametrize("required", [True, False])
async def test_a_journal_that_cannot_be_written_decides_as_it_was_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, required: bool
) -> None:
    (tmp_path / "file").write_text("in the way")
    kept = {"path": str(tmp_path / "file" / "journal.db"), "required": required}
    broker = MemoryBroker()
    async with house(broker) as home, agent(broker, journal=kept) as gateway:
        await gateway.ready()
        outcome = await gateway.call("turn_on", {"target": "Kitchen light"})
        reading = await gateway.call("get_state", {"target": "Kitchen light"})
    assert reading.status is Status.ANSWER
    assert outcome.status is (Status.ERROR if required else Status.CONFIRMED)
    assert len(home["kitchen-light"].actuations) == (0 if required else 1)
    said = [r.levelname for r in caplog.records if "journal" in r.getMessage()]
    assert said == ["ERROR" if required else "WARNING"]


async def test_what_is_only_looked_at_is_not_written_down(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    clock = ManualClock(asyncio.get_running_loop())
    link = MemoryLink(MemoryBroker(), "gateway")
    looking = config(journal={"path": str(path)})
    async with Gateway(looking, link=link, clock=clock, keeps_journal=False) as gateway:
        await gateway.ready()
    assert not path.exists()
