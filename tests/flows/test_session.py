"""The session over real sockets: a network that goes and comes, services that end it, renewal."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import ConnectionClosed

from gateway.bus import Bus
from gateway.clock import SystemClock
from gateway.events import FunctionCall, SessionChanged
from gateway.outcome import Outcome, Status
from gateway.providers.registry import dialect_maker
from gateway.session.session import Session
from gateway.session.state import State
from gateway.tasks import TaskSet
from tests.flows.cloud import Cloud, Talk
from tests.flows.world import eventually

pytestmark = pytest.mark.flow

BACK_WITHIN_S = 2.0


@dataclass(frozen=True)
class Offer:
    instructions: str = "You run the house."
    definitions: list[dict[str, Any]] = field(default_factory=list)


class Handler:
    """Carries out calls: each takes as long as `release` is not set."""

    def __init__(self) -> None:
        self.release = asyncio.Event()
        self.release.set()
        self.done: list[str] = []

    async def __call__(self, call: FunctionCall, _offer: Any) -> Outcome:
        await self.release.wait()
        self.done.append(call.name)
        return Outcome(Status.CONFIRMED, f"{call.name} is done.")


@asynccontextmanager
async def session(
    url: str,
    handler: Handler | None = None,
    *,
    bus: Bus | None = None,
    rotate_after_s: float | None = None,
) -> AsyncIterator[Session]:
    """A running session; the jitter is always at its worst."""
    made = Session(
        dialects=dialect_maker("navtalk", {"url": url, "license": "sk-1", "avatar_name": "a"}),
        offer=Offer,
        handler=handler or Handler(),
        bus=bus or Bus(),
        clock=SystemClock(),
        random=lambda: 1.0,
        rotate_after_s=rotate_after_s,
    )
    running = asyncio.create_task(made.run())
    try:
        yield made
    finally:
        await made.drain(1)
        await running


class Network:
    """A TCP proxy in front of a service: it passes on, refuses, or swallows what comes."""

    def __init__(self, url: str) -> None:
        self._target = urlsplit(url)
        self._port = 0
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []
        self._tasks = TaskSet("network")
        self._swallows = False

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self._port}{self._target.path}"

    async def __aenter__(self) -> Self:
        await self.comes_back()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.refuses()
        await self._tasks.close()

    async def refuses(self) -> None:
        """All connections break, and nobody listens any more."""
        if self._server is not None:
            self._server.close()
        self._server = None
        self._cut()

    async def swallows(self) -> None:
        """All connections break; new ones are taken, and nothing ever comes of them."""
        self._swallows = True
        self._cut()

    async def comes_back(self) -> None:
        """New connections work; those that were swallowed stay so."""
        self._swallows = False
        if self._server is None:
            self._server = await asyncio.start_server(self._take, "127.0.0.1", self._port)
            self._port = self._server.sockets[0].getsockname()[1]

    def _cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        if self._swallows:
            return
        far, back = await asyncio.open_connection(self._target.hostname, self._target.port)
        self._writers.append(back)
        self._tasks.start(self._pass_on(reader, back), "out")
        self._tasks.start(self._pass_on(far, writer), "in")

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]


@pytest.mark.parametrize(("fails", "for_s"), [(Network.refuses, 1.6), (Network.swallows, 2.2)])
async def test_the_session_is_back_within_two_seconds_of_the_network(
    fails: Callable[[Network], Any],
    for_s: float,
    caplog: pytest.LogCaptureFixture,
    record_property: Callable[[str, object], None],
) -> None:
    async with Cloud() as cloud, Network(cloud.url) as network, session(network.url) as held:
        await cloud.talk()
        await held.live(5)
        await fails(network)
        await eventually(lambda: held.state is State.WAITING)
        await asyncio.sleep(for_s)
        await network.comes_back()
        began = time.perf_counter()
        await cloud.talk()
        await held.live(5)
        took_s = time.perf_counter() - began
        record_property("back_after_s", round(took_s, 2))
        assert took_s < BACK_WITHIN_S
        assert len(warnings(caplog)) == 1


async def test_a_wrong_licence_is_one_clear_message_and_no_loop(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with Cloud() as cloud:
        cloud.refusal = {"type": "conversation.connected.fail", "message": "Invalid license sk-1"}
        async with session(cloud.url) as held:
            await eventually(lambda: held.state is State.ASKING)
            await asyncio.sleep(0.5)
            assert cloud.connections == 1
            (message,) = warnings(caplog)
            assert "NavTalk refused the session: Invalid license ***" in message
            assert "check session.license" in message


@pytest.mark.parametrize(("code", "reason"), [(1001, ""), (1000, "session expired")])
async def test_calls_in_flight_at_the_cut_after_an_hour_are_told_in_the_next_session(
    code: int, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    handler = Handler()
    async with Cloud() as cloud, session(cloud.url, handler) as held:
        old = await cloud.talk()
        await held.live(5)
        handler.release.clear()
        for number in range(3):
            await old.ask(f"tool_{number}", {})
        await old.socket.close(code, reason)
        began = time.perf_counter()
        new = await cloud.talk()
        assert time.perf_counter() - began < 1.0
        handler.release.set()
        for number in range(3):
            assert "was called" in await new.note(f"tool_{number} is done.")
        assert sorted(handler.done) == ["tool_0", "tool_1", "tool_2"]
        assert not any("output" in frame.get("data", {}) for frame in new.frames)
        assert not new.of("response.create")
        assert warnings(caplog) == []


class Caller:
    """A model that calls all the time, on whichever connection there is."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self.talks: list[Talk] = []
        self.asked: dict[str, Talk] = {}

    async def run(self) -> None:
        while True:
            talk = await self._cloud.talk()
            self.talks.append(talk)
            with suppress(ConnectionClosed):
                await self._calls(talk)

    async def _calls(self, talk: Talk) -> None:
        while True:
            name = f"tool_{len(self.asked)}"
            await talk.ask(name, {}, name)
            self.asked[name] = talk
            await asyncio.sleep(0.15)

    def unanswered(self) -> list[str]:
        """Calls with neither a result on their own connection nor a note on another one."""
        told = "".join(str(frame) for talk in self.talks for frame in talk.of(NOTE))
        return [
            call_id
            for call_id, talk in self.asked.items()
            if len(talk.results(call_id)) != 1 and f"{call_id} is done." not in told
        ]


NOTE = "conversation.item.create"


async def test_renewal_loses_no_call_and_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    """With the smallest of settings: a new session about every second."""
    caplog.set_level(logging.INFO)
    handler, bus = Handler(), Bus()
    async with AsyncExitStack() as stack:
        cloud = await stack.enter_async_context(Cloud())
        heard = stack.enter_context(bus.subscribe())
        await stack.enter_async_context(session(cloud.url, handler, bus=bus, rotate_after_s=0.8))
        caller = Caller(cloud)
        calling = asyncio.create_task(caller.run())
        await eventually(lambda: len(caller.talks) >= 4)
        calling.cancel()
        await eventually(lambda: not caller.unanswered())
        states = [e.state for e in heard.waiting() if isinstance(e, SessionChanged)]
    assert set(caller.asked) <= set(handler.done)
    assert len(handler.done) == len(set(handler.done))
    assert len(caller.asked) > 10
    assert states.count("renewing") >= 3
    assert not {"waiting", "asking"} & set(states)
    assert not [r for r in caplog.records if r.name.startswith("gateway")]


async def test_a_call_in_flight_puts_renewal_off_until_it_is_answered() -> None:
    handler = Handler()
    async with Cloud() as cloud, session(cloud.url, handler, rotate_after_s=0.3) as held:
        talk = await cloud.talk()
        await held.live(5)
        handler.release.clear()
        call_id = await talk.ask("slow", {})
        await asyncio.sleep(0.8)
        assert (held.state, held.epoch) == (State.LIVE, 1)
        handler.release.set()
        assert (await talk.outcome(call_id))["message"] == "slow is done."
        newer = await cloud.talk()
        assert not newer.results(call_id)
        assert not newer.of(NOTE)
