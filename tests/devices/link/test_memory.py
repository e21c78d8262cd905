from __future__ import annotations

import pytest

from devices.contract.errors import LinkDownError, LinkRefusedError
from devices.link.base import LinkState, Message, Publish
from devices.link.memory import MemoryBroker, MemoryLink
from tests.devices.link.contract import *  # noqa: F403 -- the shared suite
from tests.devices.link.contract import WITHIN_S, Heard, World, until_state

pytestmark = pytest.mark.unit


@pytest.fixture
def broker() -> MemoryBroker:
    return MemoryBroker()


@pytest.fixture
def world(broker: MemoryBroker) -> World:
    return World(
        make=lambda client_id, will: MemoryLink(broker, client_id, will=will),
        cut=lambda link: broker.cut(link.client_id),
    )


async def test_publishing_never_calls_a_handler(world: World) -> None:
    heard = Heard()
    async with world.link() as link:
        await link.subscribe("a", heard)
        link.publish(Publish("a", b"1"))
        assert heard.messages == []
        await heard.until(1)


async def test_no_wildcard_reaches_the_brokers_own_topics(broker: MemoryBroker) -> None:
    heard = Heard()
    async with MemoryLink(broker, "me") as link:
        await link.connected(WITHIN_S)
        await link.subscribe("#", heard)
        broker.publish(Publish("$SYS/uptime", b"1"))
        broker.publish(Publish("uptime", b"2"))
        await heard.until(1)
    assert heard.messages == [Message("uptime", b"2")]


async def test_a_broker_that_stops_and_starts(broker: MemoryBroker) -> None:
    heard = Heard()
    broker.publish(Publish("kept", b"1", retain=True))
    async with MemoryLink(broker, "me", will=Publish("will", b"")) as link:
        await link.subscribe("kept", heard)
        await link.connected(WITHIN_S)
        await heard.until(1)
        broker.stop()
        with pytest.raises(LinkDownError):
            link.publish(Publish("a", b""))
        await until_state(link, LinkState.LOST)
        with pytest.raises(LinkDownError, match="stopped"):
            await link.connected(0.01)
        broker.start()
        await link.connected(WITHIN_S)
        await heard.until(2)
    assert heard.messages == [Message("kept", b"1", retained=True)] * 2


async def test_a_client_that_is_refused_stops_trying(broker: MemoryBroker) -> None:
    broker.refuse("me", "wrong password")
    async with MemoryLink(broker, "me") as link:
        with pytest.raises(LinkRefusedError, match="wrong password"):
            await link.connected(WITHIN_S)
        assert link.state is LinkState.REFUSED


async def test_a_second_client_with_the_same_id_takes_the_place(broker: MemoryBroker) -> None:
    async with MemoryLink(broker, "me") as first:
        await first.connected(WITHIN_S)
        async with MemoryLink(broker, "me") as second:
            await second.connected(WITHIN_S)
            await until_state(first, LinkState.LOST)
            assert broker.clients == ["me"]
