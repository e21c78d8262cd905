"""What every Link must do, whichever broker stands behind it.

A test module that names its links with the fixture `world` runs all of this by
`from tests.devices.link.contract import *`.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from devices.contract.errors import LinkDownError
from devices.link.base import Link, LinkChange, LinkState, Message, Publish

WITHIN_S = 5.0
_numbers = itertools.count()


@dataclass(frozen=True)
class World:
    """A broker, seen from the tests: how to make links to it, and how to break one."""

    make: Callable[[str, Publish | None], Any]
    """a link of a client id, with a will"""
    cut: Callable[[Any], None]
    """breaks a link's connection without a goodbye"""
    one_copy: bool = True
    """False for a broker that sends one copy per overlapping filter and does not say so"""
    tells: bool = True
    """whether the properties of a message reach who hears it"""

    @contextlib.asynccontextmanager
    async def link(self, will: Publish | None = None) -> AsyncIterator[Any]:
        """A connected link with a client id of its own."""
        async with self.make(f"client-{next(_numbers)}", will) as link:
            await link.connected(WITHIN_S)
            yield link


class Heard:
    """A handler that keeps what it hears."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._more = asyncio.Event()

    def __call__(self, message: Message) -> None:
        self.messages.append(message)
        self._more.set()

    @property
    def payloads(self) -> list[bytes]:
        return [message.payload for message in self.messages]

    async def until(self, count: int) -> list[Message]:
        """Wait for `count` messages in all."""
        async with asyncio.timeout(WITHIN_S):
            while len(self.messages) < count:
                self._more.clear()
                await self._more.wait()
        return self.messages


@pytest.fixture
def topic() -> str:
    """A topic that no other test uses."""
    return f"contract/{next(_numbers)}"


async def settle(link: Link, topic: str) -> None:
    """Return when all that was published before through `link` has come back to it."""
    echo = Heard()
    end = await link.subscribe(f"{topic}/settle", echo)
    link.publish(Publish(f"{topic}/settle", b""))
    await echo.until(1)
    end()


async def until_state(link: Link, state: LinkState) -> None:
    """Wait until the link stands there."""
    reached = asyncio.Event()
    end = link.on_change(lambda change: reached.set() if change.state is state else None)
    if link.state is not state:
        await asyncio.wait_for(reached.wait(), WITHIN_S)
    end()


@pytest.mark.parametrize("qos", [0, 1, 2])
async def test_a_message_arrives_as_it_was_sent(world: World, topic: str, qos: int) -> None:
    heard = Heard()
    async with world.link() as sender, world.link() as receiver:
        await receiver.subscribe(topic, heard, qos=qos)
        sender.publish(Publish(topic, b"\x00\xff not text", qos, expiry_s=60, correlation=b"id"))
        message = (await heard.until(1))[0]
    assert (message.topic, message.payload) == (topic, b"\x00\xff not text")
    assert not message.retained


async def test_user_properties_arrive_with_their_message(world: World, topic: str) -> None:
    heard = Heard()
    told = (("MCP-MQTT-CLIENT-ID", "gw-1"), ("", "\N{SNOWMAN}"))
    async with world.link() as sender, world.link() as receiver:
        await receiver.subscribe(topic, heard)
        sender.publish(Publish(topic, b"x", user_properties=told))
        (message,) = await heard.until(1)
    assert message.payload == b"x"
    assert message.user_properties == (told if world.tells else ())


async def test_messages_of_one_sender_keep_their_order(world: World, topic: str) -> None:
    heard = Heard()
    sent = [str(number).encode() for number in range(300)]
    async with world.link() as sender, world.link() as receiver:
        await receiver.subscribe(topic, heard)
        for payload in sent:
            sender.publish(Publish(topic, payload))
        await heard.until(len(sent))
    assert heard.payloads == sent


async def test_a_large_message_passes(world: World, topic: str) -> None:
    heard = Heard()
    payload = bytes(range(256)) * 1024  # 256 KiB, the most that is allowed
    async with world.link() as sender, world.link() as receiver:
        await receiver.subscribe(topic, heard)
        sender.publish(Publish(topic, payload))
        await heard.until(1)
    assert heard.payloads == [payload]


async def test_a_message_that_is_kept_is_told_apart_from_a_live_one(
    world: World, topic: str
) -> None:
    early, late = Heard(), Heard()
    async with world.link() as sender, world.link() as receiver, world.link() as newcomer:
        await receiver.subscribe(topic, early)
        sender.publish(Publish(topic, b"on", retain=True))
        assert not (await early.until(1))[0].retained
        await newcomer.subscribe(f"{topic}/#", late)
        assert (await late.until(1))[0] == Message(topic, b"on", retained=True)
        sender.publish(Publish(topic, b"off", retain=True))
        assert not (await late.until(2))[1].retained
        sender.publish(Publish(topic, b"", retain=True))
        await late.until(3)


async def test_an_empty_retained_message_removes_the_kept_one(world: World, topic: str) -> None:
    live, late = Heard(), Heard()
    async with world.link() as sender, world.link() as newcomer:
        await sender.subscribe(topic, live)
        sender.publish(Publish(topic, b"on", retain=True))
        sender.publish(Publish(topic, b"", retain=True))
        await live.until(2)
        await newcomer.subscribe(topic, late)
        await settle(newcomer, topic)
    assert live.payloads == [b"on", b""]
    assert late.payloads == []


async def test_wildcards(world: World, topic: str) -> None:
    one, rest, other = Heard(), Heard(), Heard()
    async with world.link() as link:
        await link.subscribe(f"{topic}/+/state", one)
        await link.subscribe(f"{topic}/deep/#", rest)
        await link.subscribe(f"{topic}/+", other)
        for name in ("a/state", "a/b/state", "deep", "deep/x/y"):
            link.publish(Publish(f"{topic}/{name}", name.encode()))
        await rest.until(2)
        await settle(link, topic)
    assert one.payloads == [b"a/state"]
    assert sorted(set(rest.payloads)) == [b"deep", b"deep/x/y"]
    assert b"deep" in other.payloads
    assert b"a/state" not in other.payloads


async def test_each_handler_of_overlapping_filters_is_called_once(world: World, topic: str) -> None:
    if not world.one_copy:
        pytest.skip("this broker sends a copy per filter, and MQTT 3.1.1 cannot tell them apart")
    exact, plus, rest = Heard(), Heard(), Heard()
    async with world.link() as link:
        await link.subscribe(f"{topic}/a", exact)
        await link.subscribe(f"{topic}/+", plus)
        await link.subscribe(f"{topic}/#", rest)
        await link.subscribe(f"{topic}/a", plus)
        link.publish(Publish(f"{topic}/a", b"once"))
        for heard in (exact, plus, rest):
            await heard.until(1)
        await settle(link, f"elsewhere/{topic}")
    assert [heard.payloads for heard in (exact, plus, rest)] == [[b"once"]] * 3


async def test_ending_one_subscription_leaves_the_other(world: World, topic: str) -> None:
    gone, stays = Heard(), Heard()
    async with world.link() as link:
        end = await link.subscribe(topic, gone)
        await link.subscribe(topic, stays)
        end()
        end()
        link.publish(Publish(topic, b"1"))
        await stays.until(1)
    assert gone.payloads == []


async def test_after_the_last_one_ended_nothing_comes(world: World, topic: str) -> None:
    heard = Heard()
    async with world.link() as link:
        end = await link.subscribe(topic, heard)
        end()
        link.publish(Publish(topic, b"1"))
        await settle(link, topic)
        assert heard.payloads == []
        await link.subscribe(topic, heard)
        link.publish(Publish(topic, b"2"))
        await heard.until(1)
    assert heard.payloads == [b"2"]


async def test_a_handler_may_publish_and_end_its_subscription(world: World, topic: str) -> None:
    answers = Heard()
    async with world.link() as link:

        def answer(message: Message) -> None:
            end()
            link.publish(Publish(f"{topic}/answer", message.payload))

        end = await link.subscribe(topic, answer)
        await link.subscribe(f"{topic}/answer", answers)
        link.publish(Publish(topic, b"1"))
        await answers.until(1)
        link.publish(Publish(topic, b"2"))
        await settle(link, topic)
    assert answers.payloads == [b"1"]


async def test_a_handler_that_fails_does_not_stop_the_others(
    world: World, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    heard = Heard()

    def broken(message: Message) -> None:
        raise RuntimeError("a bug of the handler")

    async with world.link() as link:
        await link.subscribe(topic, broken)
        await link.subscribe(topic, heard)
        link.publish(Publish(topic, b"1"))
        link.publish(Publish(topic, b"2"))
        await heard.until(2)
        assert link.state is LinkState.CONNECTED
    assert caplog.text.count("RuntimeError: a bug of the handler") == 1


async def test_what_was_subscribed_before_the_connection_stands_when_it_does(
    world: World, topic: str
) -> None:
    heard = Heard()
    link = world.make(f"client-{next(_numbers)}", None)
    await link.subscribe(topic, heard)
    async with link:
        await link.connected(WITHIN_S)
        link.publish(Publish(topic, b"1"))
        await heard.until(1)


async def test_without_a_connection_nothing_is_sent_or_kept(world: World, topic: str) -> None:
    heard = Heard()
    link = world.make(f"client-{next(_numbers)}", None)
    await link.subscribe(topic, heard)
    with pytest.raises(LinkDownError):
        link.publish(Publish(topic, b"too early", 1))
    async with link:
        await link.connected(WITHIN_S)
        await settle(link, topic)
    assert link.state is LinkState.CLOSED
    with pytest.raises(LinkDownError):
        link.publish(Publish(topic, b"too late", 1))
    with pytest.raises(LinkDownError):
        await link.connected(WITHIN_S)
    assert heard.payloads == []


@pytest.mark.parametrize("topic_filter", ["", "a/#/b", "a#", "a+/b", "nul\0"])
async def test_filters_that_mqtt_does_not_allow(world: World, topic_filter: str) -> None:
    async with world.link() as link:
        with pytest.raises(ValueError, match=r"topic|filter|null"):
            await link.subscribe(topic_filter, Heard())
        assert link.state is LinkState.CONNECTED


@pytest.mark.parametrize("bad", ["", "a/+", "#", "nul\0"])
async def test_topics_that_cannot_be_published_to(world: World, bad: str) -> None:
    async with world.link() as link:
        with pytest.raises(ValueError, match=r"topic|null"):
            link.publish(Publish(bad, b""))
        assert link.state is LinkState.CONNECTED


async def test_the_will_is_published_for_who_vanishes(world: World, topic: str) -> None:
    heard = Heard()
    will = Publish(topic, b"offline", 1, retain=True)
    async with world.link() as watcher, world.link(will) as link:
        await watcher.subscribe(topic, heard, qos=1)
        world.cut(link)
        await heard.until(1)
        await link.connected(WITHIN_S)
        watcher.publish(Publish(topic, b"", retain=True))
        await heard.until(2)
    assert heard.payloads == [b"offline", b""]


async def test_the_will_is_not_published_for_who_leaves(world: World, topic: str) -> None:
    heard = Heard()
    async with world.link() as watcher:
        await watcher.subscribe(f"{topic}/#", heard)
        async with world.link(Publish(topic, b"offline", 1)) as link:
            # What keeps arriving must not hinder the goodbye.
            await link.subscribe(f"{topic}/noise", Heard())
            for _ in range(100):
                watcher.publish(Publish(f"{topic}/noise", b"x" * 1000))
        await heard.until(100)
        await settle(watcher, f"elsewhere/{topic}")
    assert b"offline" not in heard.payloads


async def test_all_that_was_sent_before_leaving_arrives(world: World, topic: str) -> None:
    heard = Heard()
    sent = [str(number).encode() * 500 for number in range(200)]
    async with world.link() as receiver:
        await receiver.subscribe(topic, heard, qos=1)
        async with world.link() as sender:
            for payload in sent:
                sender.publish(Publish(topic, payload, 1))
        await heard.until(len(sent))
    assert sorted(heard.payloads) == sorted(sent)


async def test_a_link_that_was_cut_comes_back_with_its_subscriptions(
    world: World, topic: str
) -> None:
    heard = Heard()
    changes: list[LinkChange] = []
    async with world.link() as link, world.link() as sender:
        await link.subscribe(topic, heard, qos=1)
        link.on_change(changes.append)
        world.cut(link)
        await until_state(link, LinkState.LOST)
        await link.connected(WITHIN_S)
        sender.publish(Publish(topic, b"again"))
        await heard.until(1)
    assert [change.state for change in changes] == ["lost", "connected", "closed"]
    assert changes[0].reason
    assert heard.payloads == [b"again"]


async def test_changes_are_told_until_the_listener_leaves(world: World) -> None:
    changes: list[LinkState] = []
    link = world.make(f"client-{next(_numbers)}", None)
    end = link.on_change(lambda change: changes.append(change.state))

    def broken(change: LinkChange) -> None:
        raise RuntimeError("a bug of the listener")

    link.on_change(broken)
    async with link:
        await link.connected(WITHIN_S)
        end()
        end()
    assert changes == [LinkState.CONNECTING, LinkState.CONNECTED]
