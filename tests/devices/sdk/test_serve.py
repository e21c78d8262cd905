from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import pytest

from devices.contract import codec
from devices.contract.command import AckStatus, Command
from devices.contract.errors import LinkRefusedError, MemoryFailedError
from devices.link.base import Message, Publish
from devices.link.memory import MemoryBroker, MemoryLink
from devices.sdk.capabilities import power
from devices.sdk.commands import command
from devices.sdk.device import Device
from devices.sdk.logbook import Logbook
from devices.sdk.runner import will
from devices.sdk.serve import serve, serving

pytestmark = pytest.mark.unit

Settle = Callable[[], Awaitable[None]]


class Plug(Device):
    id = "plug"
    name = "Plug"
    capabilities = (power(),)

    @command
    def turn_on(self) -> dict[str, bool]:
        return {"on": True}

    @command(slow=True)
    async def turn_off(self) -> None:
        await asyncio.Event().wait()


class Listener:
    """Somebody who hears everything and can give commands."""

    def __init__(self, broker: MemoryBroker) -> None:
        self._link = MemoryLink(broker, "listener")
        self.heard: list[Message] = []

    async def start(self, stack: AsyncExitStack) -> None:
        await self._link.subscribe("#", self.heard.append)
        await stack.enter_async_context(self._link)
        await self._link.connected()

    def give(self, name: str, *, command_id: str = "c1", root: str = "home") -> None:
        payload = codec.encode_command(Command(command_id, name, {}, 3000))
        self._link.publish(Publish(f"{root}/plug/command", payload))

    def payloads(self, leaf: str) -> list[bytes]:
        return [m.payload for m in self.heard if m.topic.endswith(f"/plug/{leaf}")]

    def answers(self) -> list[AckStatus]:
        return [codec.decode_ack(payload).status for payload in self.payloads("ack")]


@pytest.fixture
def broker() -> MemoryBroker:
    return MemoryBroker()


@pytest.fixture
async def listener(broker: MemoryBroker) -> AsyncIterator[Listener]:
    made = Listener(broker)
    async with AsyncExitStack() as stack:
        await made.start(stack)
        yield made


def plug_link(broker: MemoryBroker, root: str = "home") -> MemoryLink:
    return MemoryLink(broker, "plug", will=will(Plug(), root))


async def test_a_served_device_announces_itself_and_obeys(
    broker: MemoryBroker, listener: Listener, settle: Settle
) -> None:
    async with serving(Plug(), plug_link(broker)):
        await settle()
        assert listener.payloads("availability") == [b"online"]
        listener.give("turn_on")
        await settle()
    assert listener.answers() == [AckStatus.SUCCEEDED]
    assert listener.payloads("state")[-1] == b'{"on":true}'


async def test_whoever_hears_the_announcement_may_command_at_once(
    broker: MemoryBroker, settle: Settle
) -> None:
    async with AsyncExitStack() as stack:
        link = MemoryLink(broker, "eager")
        payload = codec.encode_command(Command("c1", "turn_on", {}, 3000))
        answers: list[Message] = []
        await link.subscribe(
            "home/plug/description",
            lambda _: link.publish(Publish("home/plug/command", payload)),
        )
        await link.subscribe("home/plug/ack", answers.append)
        await stack.enter_async_context(link)
        await link.connected()
        await stack.enter_async_context(serving(Plug(), plug_link(broker)))
        await settle()
        assert len(answers) == 1


async def test_leaving_answers_what_runs_and_says_offline_itself(
    broker: MemoryBroker, listener: Listener, settle: Settle
) -> None:
    async with serving(Plug(), plug_link(broker)):
        await settle()
        listener.give("turn_off")
        await settle()
    await settle()
    assert listener.answers() == [AckStatus.ACCEPTED, AckStatus.FAILED]
    assert listener.payloads("availability") == [b"online", b"offline"]
    assert broker.retained["home/plug/availability"] == b"offline"
    assert "plug" not in broker.clients


async def test_after_a_lost_connection_the_device_announces_itself_again(
    broker: MemoryBroker, listener: Listener, settle: Settle
) -> None:
    link = plug_link(broker)
    async with serving(Plug(), link):
        await settle()
        broker.cut("plug")
        await settle()
        await link.connected(timeout_s=5)
        await settle()
        assert listener.payloads("availability") == [b"online", b"offline", b"online"]
        listener.give("turn_on")
        await settle()
        assert listener.answers() == [AckStatus.SUCCEEDED]


async def test_an_id_is_remembered_across_a_lost_connection(
    broker: MemoryBroker, listener: Listener, settle: Settle
) -> None:
    link = plug_link(broker)
    async with serving(Plug(), link):
        await settle()
        listener.give("turn_on")
        await settle()
        states = len(listener.payloads("state"))
        broker.cut("plug")
        await settle()
        await link.connected(timeout_s=5)
        await settle()
        listener.give("turn_on")
        await settle()
        assert listener.answers() == [AckStatus.SUCCEEDED, AckStatus.SUCCEEDED]
        assert len(listener.payloads("state")) == states + 1


async def test_with_a_memory_an_id_outlives_the_process(
    broker: MemoryBroker, listener: Listener, settle: Settle, tmp_path: Path
) -> None:
    for _ in range(2):
        plug = Plug()
        async with serving(plug, plug_link(broker), memory=tmp_path):
            await settle()
            listener.give("turn_on")
            listener.give("turn_off", command_id="c2")
            await settle()
    assert listener.answers() == [
        AckStatus.SUCCEEDED,
        AckStatus.ACCEPTED,
        AckStatus.FAILED,
        AckStatus.SUCCEEDED,
        AckStatus.FAILED,
    ]
    assert plug.state == {}


async def test_what_the_last_process_left_undone_is_told_at_the_first_announcement(
    broker: MemoryBroker, listener: Listener, settle: Settle, tmp_path: Path
) -> None:
    with Logbook(tmp_path, "plug") as book:
        book.began("c1", "print")
    for _ in range(2):
        async with serving(Plug(), plug_link(broker), memory=tmp_path):
            await settle()
    (ack,) = [codec.decode_ack(payload) for payload in listener.payloads("ack")]
    assert ack.error is not None
    assert (ack.id, ack.status, ack.error.code) == ("c1", AckStatus.FAILED, "interrupted")


async def test_a_memory_that_cannot_be_used_is_told_before_anything_is_announced(
    broker: MemoryBroker, listener: Listener, settle: Settle, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(MemoryFailedError):
        await serve(Plug(), plug_link(broker), memory=tmp_path / "file")
    await settle()
    assert listener.heard == []


async def test_a_retained_command_waits_in_vain(
    broker: MemoryBroker, listener: Listener, settle: Settle
) -> None:
    payload = codec.encode_command(Command("c1", "turn_on", {}, 3000))
    broker.publish(Publish("home/plug/command", payload, retain=True))
    async with serving(Plug(), plug_link(broker)):
        await settle()
        assert listener.answers() == []


async def test_another_root_is_another_house(
    broker: MemoryBroker, listener: Listener, settle: Settle
) -> None:
    async with serving(Plug(), plug_link(broker, "house/east"), root="house/east"):
        await settle()
        listener.give("turn_on", root="home")
        await settle()
        assert listener.answers() == []
        listener.give("turn_on", root="house/east", command_id="c2")
        await settle()
        assert listener.answers() == [AckStatus.SUCCEEDED]


async def test_a_device_that_is_not_served_any_more_can_be_served_again(
    broker: MemoryBroker, listener: Listener, settle: Settle
) -> None:
    plug = Plug()
    for _ in range(2):
        async with serving(plug, plug_link(broker)):
            await settle()
    assert listener.payloads("availability") == [b"online", b"offline"] * 2


async def test_serve_goes_on_until_cancelled(
    broker: MemoryBroker, listener: Listener, settle: Settle
) -> None:
    task = asyncio.create_task(serve(Plug(), plug_link(broker)), name="serve")
    await settle()
    assert not task.done()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert broker.retained["home/plug/availability"] == b"offline"


async def test_serve_ends_with_the_reason_when_the_broker_refuses(broker: MemoryBroker) -> None:
    broker.refuse("plug", "the password is wrong")
    with pytest.raises(LinkRefusedError, match="the password is wrong"):
        await serve(Plug(), plug_link(broker))
