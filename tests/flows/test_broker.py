"""Brokers that die, forget, refuse, crawl or are full: honest outcomes, nothing late or twice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from devices.contract.errors import LinkRefusedError
from devices.link.base import LinkState
from devices.link.mqtt import MqttLink, MqttOptions
from devices.simulated.faults import Faults
from devices.simulated.lights import KitchenLight
from gateway.app import Gateway
from gateway.config import FixedConfig
from gateway.events import BrokerChanged
from tests.brokers import Mosquitto
from tests.flows.programs import agent
from tests.flows.relay import Relay
from tests.flows.sleeper import Sleeper
from tests.flows.world import World, eventually, world

pytestmark = pytest.mark.flow

KITCHEN = "kitchen-light"
LIGHT = "Kitchen light"
# A broker is back within a second; its clients pause up to one before they come back.
LONG = {"delivery_s": 10, "answer_within_s": 10}
SHORT = {"delivery_s": 0.5, "answer_within_s": 0.8}
LETTER = b"a letter that does not expire"
WITH_MEMORY = "persistence true\nautosave_interval 1\nautosave_on_changes true\n"


@pytest.fixture(params=["forgets", "remembers"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker that starts again with or without its memory."""
    memory = f"{WITH_MEMORY}persistence_location {tmp_path}/\n"
    extra = memory if request.param == "remembers" else ""
    with Mosquitto(tmp_path, extra=extra) as made:
        yield made


# --- lost and restarted -----------------------------------------------------------------------


async def test_a_command_that_died_with_the_broker_is_sent_again_under_its_id(
    broker: Mosquitto,
) -> None:
    missed = {KITCHEN: Faults(drop=1)}
    async with world(broker.url, of=[KitchenLight()], faults=missed, devices=LONG) as home:
        call_id = await home.talk.ask("turn_on", {"target": LIGHT})
        await eventually(lambda: home.visitor.commands)
        broker.stop()
        broker.start()
        outcome = await home.talk.outcome(call_id)
        assert (outcome["ok"], outcome["status"]) == (True, "confirmed")
        assert len({sent.command_id for sent in home.sent}) == 1
        assert len(home.sent) > 1
        assert home.acts(KITCHEN) == ["turn_on"]


async def test_an_acknowledgement_that_died_with_the_broker_is_told_and_nothing_done_twice(
    broker: Mosquitto,
) -> None:
    lost = {KITCHEN: Faults(lose_acks=1)}
    async with world(broker.url, of=[KitchenLight()], faults=lost, devices=LONG) as home:
        call_id = await home.talk.ask("turn_on", {"target": LIGHT})
        await eventually(lambda: home.acts(KITCHEN))
        broker.stop()
        broker.start()
        outcome = await home.talk.outcome(call_id)
        assert (outcome["ok"], outcome["status"]) == (True, "confirmed")
        assert home.acts(KITCHEN) == ["turn_on"]


async def test_a_broker_that_comes_back_too_late_runs_nothing_late(broker: Mosquitto) -> None:
    missed = {KITCHEN: Faults(drop=1)}
    patience = SHORT | {"command_qos": 1}
    async with world(broker.url, of=[KitchenLight()], faults=missed, devices=patience) as home:
        call_id = await home.talk.ask("turn_on", {"target": LIGHT})
        await eventually(lambda: home.visitor.commands)
        broker.stop()
        outcome = await home.talk.outcome(call_id)
        assert (outcome["ok"], outcome["status"]) == (None, "timed_out")
        dead = home.sent[-1].command_id
        attempts = len(home.sent)
        broker.start()
        await turned_off(home)
        assert set(home.acts(KITCHEN)) == {"turn_off"}
        assert dead not in {sent.command_id for sent in home.sent[attempts:]}


async def turned_off(home: World) -> None:
    """Return when house and gateway are both back, and the light obeyed."""
    for _ in range(20):
        if (await home.talk.call("turn_off", target=LIGHT))["ok"] is True:
            return
        await asyncio.sleep(0.2)
    pytest.fail("it never obeyed")


async def test_devices_that_slept_through_a_command_never_hear_of_it(tmp_path: Path) -> None:
    """Neither from the broker's queue for their sessions, nor from its disk."""
    memory = f"{WITH_MEMORY}persistence_location {tmp_path}/\n"
    with Mosquitto(tmp_path, extra=memory) as broker:
        async with world(broker.url, of=[], devices=SHORT | {"command_qos": 1}) as home:
            sleepers = [Sleeper(broker.port, home.root, name) for name in ("Attic", "Cellar")]
            for sleeper in sleepers:
                await sleeper.wake()
            await eventually(lambda: len(home.talk.targets("turn_on")) > 1)
            for sleeper in sleepers:
                await sleeper.sleep()
            calls = [home.talk.call("turn_on", target=sleeper.name) for sleeper in sleepers]
            outcomes = await asyncio.gather(*calls)
            assert [outcome["status"] for outcome in outcomes] == ["timed_out"] * 2
            for sleeper in sleepers:
                home.visitor.says(f"{sleeper.id}/command", LETTER)
            # One second is the shortest expiry, and mosquitto counts it up to one second long.
            await asyncio.sleep(2.1)
            await hears_only_the_letter(sleepers[0])
            broker.stop()
            broker.start()
            await hears_only_the_letter(sleepers[1])


async def hears_only_the_letter(sleeper: Sleeper) -> None:
    """What does not expire is proof that the broker kept the rest out, too."""
    await sleeper.wake()
    await eventually(lambda: sleeper.heard)
    await sleeper.sleep()
    assert sleeper.heard == [LETTER]


# --- refused ----------------------------------------------------------------------------------


async def test_a_wrong_password_is_one_error_and_no_loop(tmp_path: Path) -> None:
    with Mosquitto(tmp_path, users={"gateway": "right"}) as broker:
        config = tmp_path / "gateway.yaml"
        config.write_text(
            "session: {provider: none}\n"
            f"mqtt: {{url: '{broker.url}', username: gateway, password: wrong-secret}}\n"
            f"journal: {{path: '{tmp_path / 'journal.db'}'}}\n",
            encoding="utf-8",
        )
        started = time.monotonic()
        async with agent(config) as running:
            ended = await running.end()
    assert ended.code == 1
    assert time.monotonic() - started < 5
    assert ended.err.count("refuses us") == 2  # when it happened, and as the reason of the end
    assert "check mqtt.username, mqtt.password" in ended.err
    assert "wrong-secret" not in ended.err
    assert "Traceback" not in ended.err


async def test_a_password_that_is_changed_meanwhile_ends_the_agent_with_its_reason(
    tmp_path: Path,
) -> None:
    with Mosquitto(tmp_path, users={"gateway": "first"}) as broker:
        user = {"url": broker.url, "username": "gateway", "password": "first"}
        config = FixedConfig.model_validate({"session": {"provider": "none"}, "mqtt": user})
        async with Gateway(config) as gateway:
            assert await gateway.ready()
            with gateway.bus.subscribe() as events:
                running = asyncio.create_task(gateway.run(asyncio.Event()))
                broker.stop()
                broker.users = {"gateway": "second"}
                broker.start()
                with pytest.raises(LinkRefusedError, match=r"check mqtt\.username"):
                    await asyncio.wait_for(running, 10)
                states = [e.state for e in events.waiting() if isinstance(e, BrokerChanged)]
    assert states == ["lost", "refused"]


# --- slow -------------------------------------------------------------------------------------


async def test_a_slow_way_to_the_broker_is_waited_for_and_nothing_done_twice(
    broker_url: str,
) -> None:
    async with Relay(broker_url) as relay, behind(relay, broker_url) as home:
        relay.latency_s = 0.3
        outcome = await home.talk.call("turn_on", target=LIGHT)
        assert (outcome["ok"], outcome["status"]) == (True, "confirmed")
        assert len(home.sent) > 1
        assert home.acts(KITCHEN) == ["turn_on"]


async def test_a_way_slower_than_the_patience_is_unknown_and_the_truth_told_later(
    broker_url: str,
) -> None:
    async with Relay(broker_url) as relay, behind(relay, broker_url, **SHORT) as home:
        relay.latency_s = 0.4
        outcome = await home.talk.call("turn_on", target=LIGHT)
        assert (outcome["ok"], outcome["status"]) == (None, "timed_out")
        assert "is on" in await home.talk.note(LIGHT)
        assert home.acts(KITCHEN) == ["turn_on"]


async def test_a_way_that_freezes_and_breaks_leaves_nothing_that_runs_late(broker_url: str) -> None:
    async with Relay(broker_url) as relay, behind(relay, broker_url, **SHORT) as home:
        relay.freeze()
        outcome = await home.talk.call("turn_on", target=LIGHT)
        assert (outcome["ok"], outcome["status"]) == (None, "timed_out")
        relay.cut()
        relay.thaw()
        await turned_off(home)
        assert set(home.acts(KITCHEN)) == {"turn_off"}


@asynccontextmanager
async def behind(relay: Relay, broker_url: str, **devices: float) -> AsyncIterator[World]:
    """A world whose gateway reaches the broker over `relay`; the light does not."""
    mqtt = {"url": relay.url}
    async with world(broker_url, of=[KitchenLight()], mqtt=mqtt, devices=devices) as home:
        yield home


# --- full -------------------------------------------------------------------------------------


async def test_a_broker_with_no_room_for_us_is_asked_again_until_it_has(tmp_path: Path) -> None:
    with Mosquitto(tmp_path, extra="max_connections 2") as broker:
        async with AsyncExitStack() as others:
            links = [MqttLink(MqttOptions(url=broker.url)) for _ in range(4)]
            for link in links:
                await others.enter_async_context(link)
            await eventually(lambda: all(link.state is not LinkState.CONNECTING for link in links))
            config = {"session": {"provider": "none"}, "mqtt": {"url": broker.url}}
            async with Gateway(FixedConfig.model_validate(config)) as gateway:
                assert not await gateway.ready()
                outcome = await gateway.call("turn_on", {"target": LIGHT})
                assert outcome.ok is False
                await others.aclose()
                async with asyncio.timeout(10):
                    while not await gateway.ready():
                        pass


async def test_commands_that_a_full_queue_refuses_are_unknown_and_others_are_obeyed(
    tmp_path: Path,
) -> None:
    with Mosquitto(tmp_path, extra="max_queued_messages 1") as broker:
        patience = SHORT | {"command_qos": 1}
        async with world(broker.url, of=[KitchenLight()], devices=patience) as home:
            sleeper = Sleeper(broker.port, home.root, "Attic")
            await sleeper.wake()
            await eventually(lambda: sleeper.name in home.talk.targets("turn_on"))
            await sleeper.sleep()
            for tool in ("turn_on", "turn_off"):
                outcome = await home.talk.call(tool, target=sleeper.name)
                assert (outcome["ok"], outcome["status"]) == (None, "timed_out")
            assert (await home.talk.call("turn_on", target=LIGHT))["ok"] is True
