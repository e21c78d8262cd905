from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from gateway.bus import Bus
from gateway.clock import SystemClock
from gateway.events import FunctionCall
from gateway.outcome import Outcome, Status
from gateway.providers.base import Capabilities
from gateway.providers.navtalk import NavTalk, NavTalkSettings
from gateway.session.session import Session
from gateway.session.state import State
from gateway.simulated.script import Ask
from gateway.simulated.server import SimulatedNavTalk

pytestmark = pytest.mark.flow


def tool(name: str) -> dict[str, Any]:
    parameters = {"type": "object", "properties": {"target": {"type": "string"}}}
    return {"type": "function", "name": name, "description": name, "parameters": parameters}


@dataclass
class Offer:
    instructions: str = "You run the house."
    definitions: list[dict[str, Any]] = field(
        default_factory=lambda: [tool("turn_on"), tool("unlock"), tool("confirm")]
    )


@dataclass
class House:
    calls: list[FunctionCall] = field(default_factory=list)
    offer: Offer = field(default_factory=Offer)

    async def handle(self, call: FunctionCall, _offer: Any) -> Outcome:
        self.calls.append(call)
        if call.name == "unlock":
            return Outcome(Status.NEEDS_CONFIRMATION, "Shall I?", confirmation="t-1")
        return Outcome(Status.CONFIRMED, f"{call.arguments.get('target', 'It')} is done.")


async def until(true: Callable[[], bool]) -> None:
    """Wait for something that happens on the other side of a socket."""
    async with asyncio.timeout(5):
        while not true():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.002)


@asynccontextmanager
async def session_with(
    service: SimulatedNavTalk, house: House, dialect: type[NavTalk] = NavTalk, **settings: Any
) -> AsyncIterator[Session]:
    given = {"url": service.url, "license": service.license, "avatar_name": "navtalk.Leo"}
    session = Session(
        dialects=lambda: dialect(NavTalkSettings(**(given | settings))),
        offer=lambda: house.offer,
        handler=house.handle,
        bus=Bus(),
        clock=SystemClock(),
        random=lambda: 0.01,
    )
    running = asyncio.create_task(session.run())
    try:
        yield session
    finally:
        await session.drain(1)
        await running


@pytest.mark.parametrize("variant", ["object", "string", "raw", "legacy", "deltas"])
@pytest.mark.parametrize("style", ["v2", "item"])
async def test_a_sentence_becomes_calls_and_the_outcomes_are_spoken(
    variant: Any, style: str
) -> None:
    house = House()
    async with (
        SimulatedNavTalk(variant=variant) as service,
        session_with(service, house, result_style=style),
    ):
        exchange = await service.say("turn on the lamp and the fan")
        assert [ask.arguments["target"] for ask in exchange.calls] == ["lamp", "fan"]
        assert exchange.reply == "lamp is done. fan is done."
        assert [json.loads(text)["ok"] for text in exchange.outcomes] == [True, True]
        assert {result.form for result in service.results} == {style}
        assert service.faults == []


async def test_what_the_user_confirms_is_carried_out() -> None:
    house = House()
    async with SimulatedNavTalk() as service, session_with(service, house):
        assert (await service.say("unlock the front door")).reply == "Shall I?"
        await service.say("yes")
    assert house.calls[-1].arguments == {"confirmation": "t-1"}


async def test_a_client_that_leaves_in_mid_sentence_is_told_and_the_next_one_is_served() -> None:
    async with SimulatedNavTalk(answer_timeout_s=0.1) as service:

        class Leaving(House):
            async def handle(self, call: FunctionCall, offer: Any) -> Outcome:
                if not self.calls:
                    service.drop()
                return await super().handle(call, offer)

        async with session_with(service, Leaving()):
            with pytest.raises(ConnectionError, match="left"):
                await service.say("turn on the lamp")
            assert (await service.say("turn on the lamp")).reply == "lamp is done."


async def test_configuration_goes_by_url_and_message() -> None:
    async with (
        SimulatedNavTalk() as service,
        session_with(service, House(), voice="cedar", avatar_id="7"),
    ):
        client = await service.wait_for_client()
        assert client.query == {"license": service.license, "avatarId": "7", "voice": "cedar"}
        assert client.config == {"voice": "cedar", "prompt": "You run the house."}
        assert [t["name"] for t in client.tools] == ["turn_on", "unlock", "confirm"]


async def test_typed_words_and_notes_reach_the_model() -> None:
    house = House()
    async with SimulatedNavTalk() as service, session_with(service, house) as session:
        client = await service.wait_for_client()
        await session.live(5)
        await session.say("turn on the lamp")
        session.note("The door is open.")
        await until(lambda: bool(service.results and client.notes))
        assert client.notes == ["The door is open."]


async def test_changed_tools_arrive() -> None:
    house = House()
    async with SimulatedNavTalk() as service, session_with(service, house) as session:
        client = await service.wait_for_client()
        house.offer = Offer(definitions=[tool("lock")])
        session.tools_changed()
        await until(lambda: client.tools_sent == 2)
        assert (await service.say("turn on the lamp")).calls == ()


@pytest.mark.parametrize("how", ["drop", "close"])
async def test_after_a_lost_connection_the_session_is_there_again(how: str) -> None:
    async with SimulatedNavTalk() as service, session_with(service, House()) as session:
        await service.say("turn on the lamp")
        if how == "drop":
            service.drop()
        else:
            await service.close(1012, "restart")
        await until(lambda: session.epoch == 2)
        assert (await service.say("turn on the fan")).reply == "fan is done."
        assert session.epoch == service.connections == 2


@pytest.mark.parametrize(
    "frame",
    ["{", "[]", b"\x00", '{"type":"unknow"}', '{"type":"error"}', '{"type":"realtime.status"}'],
)
async def test_odd_frames_change_nothing(frame: str | bytes) -> None:
    async with SimulatedNavTalk() as service, session_with(service, House()) as session:
        await service.wait_for_client()
        await service.send(frame)
        assert (await service.say("turn on the lamp")).reply == "lamp is done."
        assert session.epoch == 1


async def test_a_call_by_hand_is_answered_once_however_often_it_is_sent() -> None:
    house = House()
    async with SimulatedNavTalk() as service, session_with(service, house):
        await service.wait_for_client()
        for _ in range(3):
            await service.call("c-1", Ask("turn_on", {"target": "lamp"}))
        await service.say("turn on the fan")
    assert [c.call_id for c in house.calls].count("c-1") == 1
    assert [r.call_id for r in service.results].count("c-1") == 1


async def test_a_wrong_licence_asks_the_operator() -> None:
    async with (
        SimulatedNavTalk() as service,
        session_with(service, House(), license="wrong") as session,
    ):
        await until(lambda: session.state is State.ASKING)
        assert service.connections == 1


async def test_the_service_can_be_full() -> None:
    async with SimulatedNavTalk() as service:
        service.refuse_with = ("gpu_full", "No free renderer")
        async with session_with(service, House()) as session:
            await until(lambda: session.epoch >= 2)
            service.refuse_with = None
            assert (await service.say("turn on the lamp")).reply == "lamp is done."


class Impatient(NavTalk):
    """As the real dialect, but a test need not wait five seconds for silence."""

    @property
    def capabilities(self) -> Capabilities:
        return replace(super().capabilities, sign_of_life_s=0.05)


async def test_a_service_that_knows_only_the_older_form_hears_it_in_the_end() -> None:
    async with (
        SimulatedNavTalk(accepts="item") as service,
        session_with(service, House(), dialect=Impatient),
    ):
        exchange = await service.say("turn on the lamp")
        assert exchange.reply == "lamp is done."
        assert [r.form for r in service.results] == ["v2", "item"]
        await service.say("turn on the fan")
        assert [r.form for r in service.results] == ["v2", "item", "item"]


async def test_a_call_without_an_answer_is_missing_in_the_exchange() -> None:
    async with (
        SimulatedNavTalk(accepts="item", answer_timeout_s=0.05) as service,
        session_with(service, House(), result_style="v2"),
    ):
        exchange = await service.say("turn on the lamp")
        assert exchange.outcomes == ()
        assert exchange.reply == "I got no answer."


async def test_nobody_connected_is_an_error() -> None:
    async with SimulatedNavTalk() as service:
        with pytest.raises(ConnectionError):
            service.drop()
        with pytest.raises(TimeoutError):
            await service.wait_for_client(0.01)
