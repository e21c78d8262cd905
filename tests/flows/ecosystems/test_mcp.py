"""A device that brings its own tools, on a real broker, and a gateway that calls them."""

from __future__ import annotations

import itertools
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from devices.link.mqtt import MqttLink, MqttOptions
from devices.simulated.lies import Lie
from devices.simulated.mcp import SimulatedMcpLamp
from gateway.app import Gateway
from gateway.config import FixedConfig
from gateway.outcome import Outcome
from tests.flows.world import eventually

pytestmark = pytest.mark.flow

DIM = "self_lamp_set_brightness"
_numbers = itertools.count(1)


@asynccontextmanager
async def lamp_and_gateway(broker_url: str) -> AsyncIterator[tuple[Gateway, SimulatedMcpLamp]]:
    """A gateway that knows the lamp, and the lamp."""
    name = f"mcp{os.getpid()}-{next(_numbers)}"
    config = FixedConfig.model_validate(
        {
            "session": {"provider": "none"},
            "mqtt": {"url": broker_url, "client_id": f"{name}-gateway"},
            "devices": {"ecosystems": {"mcp": {"names": f"{name}/#"}}},
        }
    )
    link = MqttLink(MqttOptions(url=broker_url, client_id=name))
    async with link, Gateway(config) as gateway:
        lamp = SimulatedMcpLamp(link, server_id=name, name=f"{name}/desk")
        async with lamp.running():
            await eventually(lambda: tools(gateway))
            yield gateway, lamp


def tools(gateway: Gateway) -> set[str]:
    """The lamp's own tools that the model is offered."""
    return {c.name for device in gateway.directory for c in device.description.commands}


async def dim(gateway: Gateway, percent: int = 40) -> Outcome:
    return await gateway.call(DIM, {"percent": percent})


async def test_its_tools_are_the_models_tools(mosquitto_url: str) -> None:
    async with lamp_and_gateway(mosquitto_url) as (gateway, lamp):
        assert tools(gateway) == {DIM, "read_lamp", "wipe_scenes"}
        done = await dim(gateway)
        assert (done.status, lamp.percent) == ("confirmed", 40)
        assert done.state == {"result": "The lamp shines at 40 %."}
        assert "The lamp shines at 40 %" in done.message
        too_much = await dim(gateway, percent=101)
        assert too_much.status == "invalid"
        held = await gateway.call("wipe_scenes", {})
        assert held.status == "needs_confirmation"


@pytest.mark.parametrize(
    ("lie", "status", "words"),
    [
        # The broker does not keep our own words from us: they must not look like its answer.
        (Lie.ECHO, "timed_out", "did not answer"),
        (Lie.REFUSE, "rejected", "The lamp is locked"),
        (Lie.SILENT, "timed_out", "did not answer"),
        (Lie.JAM, "failed", "The dimmer is stuck"),
    ],
)
async def test_a_lamp_that_lies(mosquitto_url: str, lie: Lie, status: str, words: str) -> None:
    async with lamp_and_gateway(mosquitto_url) as (gateway, lamp):
        lamp.misbehave(lie)
        outcome = await dim(gateway)
        assert outcome.status == status, outcome.message
        assert words in outcome.message
        assert lamp.calls == []


async def test_a_lamp_that_goes_and_comes(mosquitto_url: str) -> None:
    async with lamp_and_gateway(mosquitto_url) as (gateway, lamp):
        lamp.misbehave(Lie.OFFLINE)
        await eventually(lambda: not tools(gateway))
        assert (await dim(gateway)).status == "unknown_tool"
        lamp.misbehave()
        await eventually(lambda: tools(gateway))
        assert (await dim(gateway)).status == "confirmed"


async def test_a_lamp_that_learns(mosquitto_url: str) -> None:
    async with lamp_and_gateway(mosquitto_url) as (gateway, lamp):
        lamp.learn({"name": "dance", "description": "Dance."})
        await eventually(lambda: "dance" in tools(gateway))
        assert (await gateway.call("dance", {})).status == "confirmed"


async def test_each_conversation_has_a_client_of_its_own(mosquitto_url: str) -> None:
    async with lamp_and_gateway(mosquitto_url) as (gateway, lamp):
        (first,) = lamp.clients
        lamp.announce()
        await eventually(lambda: lamp.clients and first not in lamp.clients)
        await eventually(lambda: all(device.online for device in gateway.directory))
        assert (await dim(gateway)).status == "confirmed"


async def test_a_gateway_that_was_cut_off_begins_anew(mosquitto_url: str) -> None:
    async with lamp_and_gateway(mosquitto_url) as (gateway, lamp):
        (first,) = lamp.clients
        gateway._link._connection._client.socket().shutdown(socket.SHUT_RDWR)
        await eventually(lambda: lamp.clients and first not in lamp.clients)
        await eventually(lambda: all(device.online for device in gateway.directory))
        assert (await dim(gateway)).status == "confirmed"
