from __future__ import annotations

import asyncio
import socket
import sys

import pytest

from devices.link.base import Publish
from devices.link.mqtt import MqttLink, MqttOptions
from gateway.errors import GatewayError
from gateway.simulated import broker as module
from gateway.simulated.broker import EmbeddedBroker

pytestmark = pytest.mark.flow


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


def listens(url: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port_of(url))) == 0


async def test_both_versions_meet_in_one_broker_that_ends_with_the_context() -> None:
    heard: asyncio.Queue[bytes] = asyncio.Queue()
    async with EmbeddedBroker() as broker:
        new = MqttLink(MqttOptions(url=broker.url, protocol="5"))
        old = MqttLink(MqttOptions(url=broker.url_v4, protocol="3.1.1"))
        async with new, old:
            await new.connected(5)
            await old.connected(5)
            await old.subscribe("a", lambda message: heard.put_nowait(message.payload))
            new.publish(Publish("a", b"hello"))
            assert await asyncio.wait_for(heard.get(), 5) == b"hello"
    assert not listens(broker.url)
    assert not listens(broker.url_v4)


async def test_a_port_that_is_taken_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    choose = module._free_ports
    with socket.create_server(("127.0.0.1", 0)) as taken:
        first = [(taken.getsockname()[1], choose()[1])]
        monkeypatch.setattr(module, "_free_ports", lambda: first.pop() if first else choose())
        async with EmbeddedBroker() as broker:
            assert listens(broker.url)
            assert port_of(broker.url) != taken.getsockname()[1]


async def test_without_the_extra_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "iotcore", None)
    with pytest.raises(GatewayError, match=r"pip install 'honest-gateway\[demo\]'"):
        await EmbeddedBroker().__aenter__()


async def test_a_start_that_is_cancelled_leaves_no_process_behind() -> None:
    broker = EmbeddedBroker()
    starting = asyncio.create_task(broker.__aenter__())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert not listens(broker.url)
