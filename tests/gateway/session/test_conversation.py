from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from gateway.bus import Bus, Subscription
from gateway.events import FunctionCall, MessageDropped, Spoken
from gateway.once import Once
from gateway.outcome import Outcome, Status
from gateway.providers.base import Endpoint, Refusal, Refused
from gateway.providers.navtalk import NavTalk, NavTalkSettings
from gateway.session.calls import CallDesk
from gateway.session.connection import EndedError
from gateway.session.conversation import MAX_TEXTS, Conversation
from gateway.session.ending import Closed, Told
from gateway.session.history import History
from gateway.session.outbox import Outbox
from gateway.tasks import TaskSet
from gateway.testing import ManualClock

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("virtual_time")]


@dataclass(frozen=True)
class Offer:
    instructions: str = "You run the house."
    definitions: list[dict[str, Any]] = field(default_factory=list)


class Talk:
    """A conversation with everything around it."""

    def __init__(self, wires: Any, bus: Bus, **settings: Any) -> None:
        self.offers: list[Any] = []
        self.ready = 0
        dialect = NavTalk(NavTalkSettings(license="k", avatar_name="a", **settings))
        self.wire = wires(Endpoint("", ""))
        self.desk = CallDesk(
            outbox=Outbox(dialect.capabilities),
            handler=self.handle,
            clock=ManualClock(asyncio.get_running_loop()),
            tasks=TaskSet("test"),
        )
        self.conversation = Conversation(
            connection=self.wire,
            dialect=dialect,
            offer=Offer(),
            epoch=7,
            desk=self.desk,
            history=History(),
            clock=ManualClock(asyncio.get_running_loop()),
            bus=bus,
            logged=Once(MAX_TEXTS),
            on_ready=self.is_ready,
        )
        self.task = asyncio.create_task(self.conversation.run())

    async def handle(self, call: FunctionCall, offer: Any) -> Outcome:
        assert call.epoch == 7
        self.offers.append(offer)
        return Outcome(Status.CONFIRMED, "Done.")

    def is_ready(self) -> None:
        self.ready += 1


@pytest.fixture
def bus() -> Bus:
    return Bus()


@pytest.fixture
def heard(bus: Bus) -> Any:
    with bus.subscribe() as subscription:
        yield subscription


@pytest.fixture
async def talk(wires: Any, bus: Bus) -> AsyncIterator[Talk]:
    made = Talk(wires, bus)
    yield made
    made.task.cancel()
    await asyncio.gather(made.task, return_exceptions=True)
    await made.desk.close()


async def settle() -> None:
    await asyncio.sleep(0.01)


async def test_it_opens_with_configuration_and_tools(talk: Talk) -> None:
    await settle()
    assert talk.wire.kinds() == ["realtime.input_config", "realtime.input_function_call"]


async def test_it_is_ready_once_the_model_is_there(talk: Talk) -> None:
    await settle()
    assert talk.ready == 0
    talk.wire.says("realtime.session.created")
    talk.wire.says("realtime.session.updated")
    await settle()
    assert talk.ready == 1


async def test_a_call_proves_the_model_too(talk: Talk) -> None:
    talk.wire.calls("c1")
    await settle()
    assert talk.ready == 1
    assert talk.wire.outcomes()["c1"]["ok"] is True


async def test_a_repeated_call_is_reported_and_not_carried_out(
    talk: Talk, heard: Subscription
) -> None:
    talk.wire.calls("c1")
    talk.wire.calls("c1")
    await settle()
    assert len(talk.offers) == 1
    assert any(isinstance(e, MessageDropped) for e in heard.waiting())


async def test_calls_are_bound_to_the_offer_in_force_when_they_came(talk: Talk) -> None:
    newer = Offer(definitions=[{"type": "function", "name": "lock"}])
    talk.wire.calls("c1")
    await settle()
    await talk.conversation.offer_again(newer)
    talk.wire.calls("c2")
    await settle()
    assert [offer is newer for offer in talk.offers] == [False, True]
    assert talk.wire.kinds().count("realtime.input_function_call") == 2


async def test_the_same_tools_are_not_sent_again_but_the_newer_offer_is_in_force(
    talk: Talk,
) -> None:
    await settle()
    newer = Offer()
    await talk.conversation.offer_again(newer)
    talk.wire.calls("c1")
    await settle()
    assert talk.wire.kinds().count("realtime.input_function_call") == 1
    assert talk.offers == [newer]


async def test_a_dashboards_tools_are_never_sent(wires: Any, bus: Bus) -> None:
    talk = Talk(wires, bus, avatar_provider="elevenlabs")
    await settle()
    newer = Offer(definitions=[{"type": "function", "name": "lock"}])
    await talk.conversation.offer_again(newer)
    talk.wire.calls("c1")
    await settle()
    assert "realtime.input_function_call" not in talk.wire.kinds()
    assert talk.offers == [newer]
    talk.task.cancel()
    await talk.desk.close()


async def test_what_is_said_and_what_is_unreadable_is_reported(
    talk: Talk, heard: Subscription, caplog: pytest.LogCaptureFixture
) -> None:
    said = "realtime.conversation.item.input_audio_transcription.completed"
    talk.wire.says(said, content="Light on")
    talk.wire.says("realtime.response.audio_transcript.done", content="It is on.")
    talk.wire.says("realtime.response.function_call_arguments.done", function_name="f")
    for _ in range(3):
        talk.wire.says("error", message="odd")
    await settle()
    events = heard.waiting()
    assert Spoken("user", "Light on") in events
    assert Spoken("assistant", "It is on.") in events
    assert any(isinstance(e, MessageDropped) and "call id" in e.reason for e in events)
    warnings = [r for r in caplog.records if "odd" in r.message and r.levelname == "WARNING"]
    assert len(warnings) == 1


async def test_speaking_in_between_reaches_no_call(talk: Talk) -> None:
    talk.wire.calls("c1")
    talk.wire.says("realtime.input_audio_buffer.speech_started")
    talk.wire.says("realtime.input_audio_buffer.speech_stopped")
    await settle()
    assert talk.wire.outcomes()["c1"]["ok"] is True


async def test_the_users_words_can_be_typed(talk: Talk) -> None:
    await talk.conversation.say("hello")
    assert talk.wire.sent[-1] == {"type": "realtime.input_text", "data": {"content": "hello"}}


async def test_a_refusal_ends_it_with_the_providers_reason(talk: Talk) -> None:
    talk.wire.says("conversation.connected.insufficient_balance")
    with pytest.raises(EndedError) as caught:
        await talk.task
    assert caught.value.ending == Told(Refused(Refusal.NO_BALANCE, "NavTalk"))


async def test_a_refusal_is_read_also_when_the_socket_closed_before_we_spoke(talk: Talk) -> None:
    talk.wire.says("conversation.connected.fail", message="Invalid license")
    talk.wire.end(Closed(1000))
    talk.wire.closed = True
    with pytest.raises(EndedError) as caught:
        await talk.task
    assert isinstance(caught.value.ending, Told)
    assert caught.value.ending.refused.said == "Invalid license"


@pytest.mark.parametrize("ready", [False, True])
async def test_the_end_tells_whether_the_model_had_been_there(talk: Talk, ready: bool) -> None:
    if ready:
        talk.wire.says("realtime.session.created")
    talk.wire.end(Closed(1008))
    with pytest.raises(EndedError) as caught:
        await talk.task
    assert caught.value.ending == Closed(1008, was_ready=ready)
