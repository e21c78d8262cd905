from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.events import FunctionCall
from gateway.providers.base import AssistantSaid, Called, Connected, Ready, Refused, UserSaid
from gateway.providers.navtalk import ITEM_RESULT, V2_RESULT, NavTalk, NavTalkSettings
from gateway.simulated import navtalk
from gateway.simulated.script import Ask

pytestmark = pytest.mark.unit


@dataclass(frozen=True)
class Offer:
    instructions: str = "You run the house."
    definitions: list[dict[str, Any]] = field(
        default_factory=lambda: [
            {"type": "function", "name": "f", "parameters": {"type": "object"}}
        ]
    )


def client() -> NavTalk:
    return NavTalk(NavTalkSettings(license="k", avatar_name="a", voice="cedar"))


def decoded(frames: list[str]) -> list[Any]:
    dialect = client()
    return [event for frame in frames for event in dialect.decode(frame)]


def test_what_the_gateways_dialect_sends_is_understood() -> None:
    opening = [navtalk.understand(frame) for frame in client().opening(Offer())]
    assert opening == [
        navtalk.Configured({"voice": "cedar", "prompt": "You run the house."}),
        navtalk.Defined(Offer().definitions),
    ]
    for form, speaks in ((V2_RESULT, True), (ITEM_RESULT, False)):
        (frame,) = client().result("c", "{}", form)
        assert navtalk.understand(frame) == navtalk.Returned("c", "{}", form.name, speaks)
    assert navtalk.understand(client().speak()[0]) == navtalk.AskedToSpeak()
    assert navtalk.understand(client().note("x")[0]) == navtalk.Told("system", "x")
    assert navtalk.understand(client().user_text("x")[0]) == navtalk.Typed("x")


@pytest.mark.parametrize(
    "body",
    [
        {"type": "session.update"},
        {"type": "realtime.input_config", "data": {"content": {"voice": "not a string"}}},
        {"type": "realtime.input_config", "data": {"content": "[]"}},
        {"type": "realtime.input_function_call", "data": {"content": [{"type": "function"}]}},
        {"type": "realtime.input_function_call", "data": {"content": "{}"}},
        {"type": "realtime.input_function_call", "data": {"content": '[{"type":"function"}]'}},
        {"type": "realtime.function_call_output", "data": {"call_id": "c", "output": {}}},
        {"type": "realtime.function_call_output", "data": {"call_id": "c", "output": "plain"}},
        {"type": "conversation.item.create", "data": {}},
    ],
)
def test_what_the_service_does_not_document_is_a_fault(body: dict[str, Any]) -> None:
    assert isinstance(navtalk.understand(json.dumps(body)), navtalk.Fault)


@given(st.text() | st.binary())
def test_nothing_that_a_client_sends_raises(frame: str | bytes) -> None:
    assert navtalk.understand(frame)


@pytest.mark.parametrize("variant", ["object", "string", "raw", "legacy", "deltas"])
def test_every_way_to_write_a_call_is_the_same_call(variant: navtalk.Variant) -> None:
    ask = Ask("turn_on", {"target": "Kitchen light", "brightness": 30})
    calls = [e.call for e in decoded(navtalk.called("c", ask, variant)) if isinstance(e, Called)]
    assert calls == [FunctionCall("c", "turn_on", dict(ask.arguments))]


def test_the_conversation_is_heard() -> None:
    assert decoded(navtalk.welcome("s-1")) == [Connected("s-1"), Ready()]
    assert decoded([navtalk.updated()]) == [Ready()]
    assert UserSaid("Light on") in decoded(navtalk.heard("Light on"))
    assert AssistantSaid("It is on.") in decoded(navtalk.spoken("r", "It is on."))
    assert isinstance(decoded([navtalk.refused("fail", "no")])[0], Refused)
