"""`gateway run` as a process, against nothing but the documents' frames."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from devices.simulated.faults import Faults
from devices.simulated.house import House, mqtt_links, run_house
from gateway.simulated.broker import EmbeddedBroker
from tests.brokers import Mosquitto, free_port
from tests.flows.cloud import Cloud, Frame, Talk
from tests.flows.programs import Agent, Ended, agent
from tests.flows.world import eventually

pytestmark = pytest.mark.flow

# The configuration of the documentation, word by word.
DOCUMENTED = """\
session:
  provider: navtalk             # navtalk | openai | elevenlabs | none
  url: wss://transfer.navtalk.ai/wss/v2/realtime-chat
                                # (each provider has its default url; openai: api_key, model; elevenlabs: agent_id, api_key)
  license: ""                   # or GATEWAY_SESSION__LICENSE, or license_file
  avatar_name: navtalk.Leo      # or avatar_id
  voice: cedar                  # NavTalk: voice and model go as URL parameters and in realtime.input_config (session.config_via: both | url | message)
  model: ""
  prompt: ""                    # added to the built-in instructions
  avatar_provider: openai       # NavTalk: elevenlabs = tools live in the dashboard, none are sent
  result_style: auto            # NavTalk: auto | v2 | item (reference/realtime.md 1.6)
  rotate_after_minutes: 55
mqtt:
  url: mqtt://localhost:1883    # mqtt:// mqtts:// ws:// wss://; MQTT 5, falls back to 3.1.1
  username: ""
  password: ""
  ca_file: ""
  client_id: gateway
devices:
  root: home
  command_qos: 0
  ecosystems: {native: {}, homeassistant: {prefix: homeassistant}, zigbee2mqtt: {base: zigbee2mqtt}, tasmota: {}, shelly: {}, homie: {}}
  overrides: {}                 # rename, re-area, alias, hide, risk: by device id
policy: {guarded: ask, forbidden: deny, calls_per_minute: 60, ask_above_devices: 8}
journal: {path: /var/lib/gateway/journal.db, keep_days: 30}
web: {listen: 127.0.0.1:8080, token_file: ""}
"""  # noqa: E501 -- as it is printed

LICENSE = "sk-flow-0815"
STOPS_WITHIN_S = 2.0


def configured(folder: Path, cloud: Cloud, broker_url: str, **changes: str) -> Path:
    """The documented file with this test's addresses; `changes` replace `key: value` pairs."""
    text = DOCUMENTED.replace("wss://transfer.navtalk.ai/wss/v2/realtime-chat", cloud.url)
    text = text.replace('license: ""', f"license: {LICENSE}")
    text = text.replace("mqtt://localhost:1883", broker_url)
    text = text.replace("/var/lib/gateway/journal.db", str(folder / "journal.db"))
    for old, new in changes.items():
        assert f"{old}: " in text
        text = text.replace(f"{old}: auto", f"{old}: {new}")
    path = folder / "gateway.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture(params=["embedded", "mosquitto"])
async def own_broker_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """A broker of the test's own: the documented root is `home`, whoever else is about."""
    if request.param == "embedded":
        async with EmbeddedBroker() as embedded:
            yield embedded.url
    else:
        with Mosquitto(tmp_path) as mosquitto:
            yield mosquitto.url


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker that can be stopped and started; it does not run yet."""
    broker = Mosquitto(tmp_path, port=free_port())
    yield broker
    broker.stop()


@asynccontextmanager
async def at_home(
    folder: Path, broker_url: str, **faults: Faults
) -> AsyncIterator[tuple[House, Cloud, Agent, Talk]]:
    """House, cloud, and the agent with a live session and all its tools."""
    named = {name.replace("_", "-"): fault for name, fault in faults.items()}
    async with (
        run_house(mqtt_links(broker_url), faults=named) as house,
        Cloud() as cloud,
        agent(configured(folder, cloud, broker_url)) as running,
    ):
        talk = await cloud.talk()
        await talk.frame(lambda _: "Thermostat" in talk.targets("get_state"))
        yield house, cloud, running, talk


async def stopped(running: Agent) -> tuple[Ended, float]:
    started = time.monotonic()
    ended = await running.stop()
    return ended, time.monotonic() - started


async def test_the_documented_configuration_holds_a_conversation(
    tmp_path: Path, own_broker_url: str
) -> None:
    async with (
        run_house(mqtt_links(own_broker_url)) as house,
        Cloud() as cloud,
        agent(configured(tmp_path, cloud, own_broker_url)) as running,
    ):
        talk = await cloud.silent_talk()
        assert talk.query["license"] == [LICENSE]
        assert talk.query["name"] == ["navtalk.Leo"]
        config, tools = await talk.count(2)

        assert config["type"] == "realtime.input_config"
        content = json.loads(config["data"]["content"])
        assert content["voice"] == "cedar"
        assert content["prompt"]
        assert "tools" not in content

        assert tools["type"] == "realtime.input_function_call"
        definitions = json.loads(tools["data"]["content"])
        assert isinstance(definitions, list)
        for definition in definitions:
            assert definition.keys() == {"type", "name", "description", "parameters"}
            assert definition["parameters"]["type"] == "object"

        await talk.welcome()
        await talk.frame(lambda _: "Kitchen light" in talk.targets("turn_on"))
        arguments = json.dumps({"target": "Kitchen light", "brightness": 60})
        call_id = await talk.ask("turn_on", arguments)
        outcome = await talk.outcome(call_id)
        assert (outcome["ok"], outcome["status"]) == (True, "confirmed")
        assert outcome["state"] == {"on": True, "brightness": 60}
        (result,) = talk.results(call_id)
        assert result["type"] == "realtime.function_call_output"
        assert result["data"].keys() == {"call_id", "output", "reply"}
        assert result["data"]["reply"] == 1
        assert house["kitchen-light"].state["brightness"] == 60

        ended, took_s = await stopped(running)
        assert (ended.code, ended.out) == (0, "")
        assert took_s < STOPS_WITHIN_S
        assert talk.of("response.create") == []
        assert LICENSE not in ended.err
        assert "Traceback" not in ended.err


async def test_every_result_style(tmp_path: Path, embedded_broker_url: str) -> None:
    """`auto` begins as `v2`, hears no sign of life, and goes on as `item`."""

    async def kinds(style: str) -> list[str]:
        folder = tmp_path / style
        folder.mkdir()
        async with Cloud(speaks=False) as cloud:
            config = configured(folder, cloud, embedded_broker_url, result_style=style)
            config.write_text(
                config.read_text().replace("client_id: gateway", f"client_id: {style}")
            )
            async with agent(config):
                talk = await cloud.talk()
                call_id = await talk.ask("no_such_tool", {})
                assert (await talk.outcome(call_id))["status"] == "unknown_tool"
                if style == "auto":
                    await talk.frame(lambda frame: frame["type"] == "response.create")
                await asyncio.sleep(0.1)
                return [frame["type"] for frame in talk.frames[2:]]

    v2, item, auto = await asyncio.gather(*map(kinds, ("v2", "item", "auto")))
    item_form = ["conversation.item.create", "response.create"]
    assert v2 == ["realtime.function_call_output"]
    assert item == item_form
    assert auto == ["realtime.function_call_output", *item_form]


async def test_a_session_that_breaks_is_opened_again(tmp_path: Path, own_broker_url: str) -> None:
    async with at_home(tmp_path, own_broker_url) as (house, cloud, running, talk):
        assert (await talk.call("turn_on", target="Hall light"))["ok"] is True
        talk.socket.transport.abort()
        second = await cloud.talk()
        assert (await second.call("turn_off", target="Hall light"))["ok"] is True
        assert [act.command for act in house["hall-light"].actuations] == ["turn_on", "turn_off"]
        assert (await stopped(running))[0].code == 0


async def test_sigterm_answers_what_is_in_flight_within_two_seconds(
    tmp_path: Path, own_broker_url: str
) -> None:
    silent = Faults(silent=True)
    async with at_home(tmp_path, own_broker_url, kitchen_light=silent) as (
        house,
        _,
        running,
        talk,
    ):
        unheard = await talk.ask("turn_on", {"target": "Kitchen light"})
        moving = await talk.ask("set_cover", {"target": "Bedroom blind", "position": 100})
        await eventually(lambda: house["bedroom-blind"].state.get("moving"))
        ended, took_s = await stopped(running)
        assert ended.code == 0, ended.err
        assert took_s < STOPS_WITHIN_S
        outcome = await talk.outcome(unheard)
        assert (outcome["ok"], outcome["status"]) == (None, "timed_out")
        outcome = await talk.outcome(moving)
        assert (outcome["ok"], outcome["status"]) == (None, "pending")
        assert "Traceback" not in ended.err


async def test_a_second_sigterm_does_not_cut_off_the_answers(
    tmp_path: Path, embedded_broker_url: str
) -> None:
    silent = Faults(silent=True)
    async with at_home(tmp_path, embedded_broker_url, kitchen_light=silent) as (
        _,
        _,
        running,
        talk,
    ):
        unheard = await talk.ask("turn_on", {"target": "Kitchen light"})
        running.process.terminate()
        ended, took_s = await stopped(running)
        assert ended.code == 0, ended.err
        assert took_s < STOPS_WITHIN_S
        assert (await talk.outcome(unheard))["status"] == "timed_out"


async def test_a_session_url_that_leads_elsewhere_ends_with_one_sentence(
    tmp_path: Path, embedded_broker_url: str
) -> None:
    def nothing_here(connection: ServerConnection, _request: Request) -> Response:
        return connection.respond(404, "no such page")

    async with serve(
        lambda _: asyncio.sleep(0), "127.0.0.1", 0, process_request=nothing_here
    ) as server:
        port = server.sockets[0].getsockname()[1]
        config = tmp_path / "gateway.yaml"
        config.write_text(
            f"session: {{url: 'ws://127.0.0.1:{port}/wrong', license: {LICENSE}}}\n"
            f"mqtt: {{url: '{embedded_broker_url}', client_id: lost-agent}}\n"
        )
        async with agent(config) as running:
            ended = await running.end()
    assert ended.code == 1
    assert "404" in ended.err.splitlines()[-1]
    assert "Traceback" not in ended.err
    assert LICENSE not in ended.err


async def test_sigterm_while_nobody_answers_anywhere(tmp_path: Path) -> None:
    """Neither broker nor service are there: stopping is as quick."""
    async with Cloud() as cloud:
        config = configured(tmp_path, cloud, f"mqtt://127.0.0.1:{free_port()}")
    async with agent(config) as running:
        await asyncio.sleep(0.6)
        ended, took_s = await stopped(running)
        assert ended.code == 0, ended.err
        assert took_s < STOPS_WITHIN_S


async def test_a_broker_that_comes_late(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with Cloud() as cloud, agent(configured(tmp_path, cloud, mosquitto.url)):
        talk = await cloud.talk()
        outcome = await talk.call("turn_on", target="Hall light")
        assert (outcome["ok"], outcome["status"]) == (False, "unknown_tool")
        mosquitto.start()
        async with run_house(mqtt_links(mosquitto.url)):
            # The pauses between attempts grow, and are random.
            await talk.frame(lambda _: "Hall light" in talk.targets("turn_on"), within_s=20)
            assert (await talk.call("turn_on", target="Hall light"))["ok"] is True


async def test_a_broker_that_starts_again(tmp_path: Path, mosquitto: Mosquitto) -> None:
    mosquitto.start()
    async with (
        run_house(mqtt_links(mosquitto.url)) as house,
        Cloud() as cloud,
        agent(quick(configured(tmp_path, cloud, mosquitto.url))) as running,
    ):
        talk = await cloud.talk()
        await talk.frame(lambda _: "Hall light" in talk.targets("turn_on"))
        assert (await talk.call("turn_on", target="Hall light"))["ok"] is True

        mosquitto.stop()
        away = await talk.call("turn_off", target="Hall light")
        assert away["ok"] is not True
        assert house["hall-light"].state["on"] is True

        mosquitto.start()
        outcome: Frame = {}
        async with asyncio.timeout(20):
            while not outcome.get("ok"):
                outcome = await talk.call("turn_off", target="Hall light")
                # Answers may be quick, and calls are limited to 60 a minute.
                await asyncio.sleep(0.2)
        assert house["hall-light"].state["on"] is False
        ids = [act.command_id for act in house["hall-light"].actuations]
        assert len(ids) == len(set(ids))
        assert (await stopped(running))[0].code == 0


def quick(config: Path) -> Path:
    """The same configuration with less patience: what is not there is not waited for long."""
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("  root: home\n", "  root: home\n  delivery_s: 0.5\n"))
    return config


async def test_a_wrong_licence_never_loops_fast(tmp_path: Path, embedded_broker_url: str) -> None:
    async with Cloud() as cloud:
        cloud.refusal = {"type": "conversation.connected.fail", "message": "Invalid license key"}
        async with agent(configured(tmp_path, cloud, embedded_broker_url)) as running:
            await eventually(lambda: cloud.connections == 1)
            await asyncio.sleep(1.5)
            assert cloud.connections == 1
            ended, took_s = await stopped(running)
            assert (ended.code, took_s < STOPS_WITHIN_S) == (0, True)
            assert "session.license" in ended.err
            assert LICENSE not in ended.err
