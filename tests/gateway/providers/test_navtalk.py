from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, quote, quote_plus, urlsplit

import pytest

from gateway.providers.base import Warned
from gateway.providers.navtalk import ITEM_RESULT, V2_RESULT, NavTalk, NavTalkSettings

pytestmark = pytest.mark.unit

LAMP = {
    "type": "function",
    "name": "turn_on",
    "description": "Switch on.",
    "parameters": {"type": "object", "properties": {"target": {"type": "string"}}},
}


@dataclass
class Offer:
    instructions: str = 'You run the "house" & kindly.'
    definitions: list[dict[str, Any]] = field(default_factory=lambda: [LAMP])


def navtalk(**settings: Any) -> NavTalk:
    return NavTalk(
        NavTalkSettings(**{"license": "sk & 1/2", "avatar_name": "navtalk.Leo"} | settings)
    )


def query(dialect: NavTalk, offer: Offer | None = None) -> dict[str, list[str]]:
    return parse_qs(urlsplit(dialect.endpoint(offer).url).query)


def config(frames: list[str]) -> dict[str, Any]:
    body = json.loads(frames[0])
    assert body["type"] == "realtime.input_config"
    content = body["data"]["content"]
    assert isinstance(content, str)
    parsed: dict[str, Any] = json.loads(content)
    return parsed


def test_the_url_holds_licence_and_avatar_encoded() -> None:
    url = navtalk(avatar_name="a b&c").endpoint().url
    assert url.startswith("wss://transfer.navtalk.ai/wss/v2/realtime-chat?")
    assert "license=sk%20%26%201%2F2" in url
    assert "name=a%20b%26c" in url


def test_the_avatar_id_wins_over_the_name() -> None:
    assert "name" not in query(navtalk(avatar_id="42"))
    assert query(navtalk(avatar_id="42"))["avatarId"] == ["42"]


def test_a_query_in_the_configured_url_is_kept() -> None:
    found = query(navtalk(url="ws://localhost:9/x?region=eu"))
    assert found["region"] == ["eu"]
    assert found["license"] == ["sk & 1/2"]


def test_the_licence_is_blotted_however_the_service_spells_it() -> None:
    said = navtalk().endpoint().blotted("sk & 1/2 in ?license=sk%20%26%201%2F2&x=1")
    assert said == "*** in ?license=***&x=1"
    assert navtalk(license="").endpoint().blotted("as it was") == "as it was"


def test_the_licence_is_not_shown() -> None:
    dialect = navtalk(url="wss://user:pw@host/path?token=t")
    endpoint = dialect.endpoint()
    assert endpoint.shown == "wss://host/path"
    assert "sk" not in repr(endpoint)
    assert "sk" not in repr(NavTalkSettings(license="sk"))


def test_both_sends_voice_and_model_twice_and_the_instructions_in_the_message_only() -> None:
    dialect = navtalk(voice="cedar", model="gpt-realtime")
    offer = Offer()
    found = query(dialect, offer)
    assert (found["voice"], found["model"]) == (["cedar"], ["gpt-realtime"])
    assert "instructions" not in found
    assert config(list(dialect.opening(offer))) == {
        "voice": "cedar",
        "model": "gpt-realtime",
        "prompt": offer.instructions,
    }


def test_url_sends_everything_in_the_url_and_no_configuration_message() -> None:
    dialect = navtalk(voice="cedar", config_via="url")
    offer = Offer()
    assert query(dialect, offer)["instructions"] == [offer.instructions]
    assert [json.loads(f)["type"] for f in dialect.opening(offer)] == [
        "realtime.input_function_call"
    ]


def test_message_sends_nothing_of_it_in_the_url() -> None:
    dialect = navtalk(voice="cedar", model="m", config_via="message")
    offer = Offer()
    assert query(dialect, offer).keys() == {"license", "name"}
    assert config(list(dialect.opening(offer)))["voice"] == "cedar"


def test_tools_follow_the_configuration_as_a_json_string_of_an_array() -> None:
    frames = list(navtalk().opening(Offer()))
    assert "tools" not in config(frames)
    body = json.loads(frames[1])
    assert body["type"] == "realtime.input_function_call"
    assert isinstance(body["data"]["content"], str)
    assert json.loads(body["data"]["content"]) == [LAMP]
    assert navtalk().tools(Offer()) == [frames[1]]


def test_an_elevenlabs_avatar_gets_no_tools() -> None:
    dialect = navtalk(avatar_provider="elevenlabs")
    assert not dialect.capabilities.defines_tools
    assert not dialect.capabilities.changes_tools
    assert dialect.tools(Offer()) == []
    assert [json.loads(f)["type"] for f in dialect.opening(Offer())] == ["realtime.input_config"]


@pytest.mark.parametrize(
    ("style", "forms"),
    [("auto", (V2_RESULT, ITEM_RESULT)), ("v2", (V2_RESULT,)), ("item", (ITEM_RESULT,))],
)
def test_the_result_style_says_which_forms_are_tried(style: str, forms: tuple[Any, ...]) -> None:
    assert navtalk(result_style=style).capabilities.result_forms == forms


def test_what_was_said_before_is_a_users_item_that_asks_for_no_answer() -> None:
    assert navtalk().capabilities.takes_history
    (frame,) = navtalk().history("My name is Ann.")
    assert json.loads(frame) == {
        "type": "conversation.item.create",
        "item": {
            "type": "message",
            "role": "user",
            "content": [{"type": "input_text", "text": "My name is Ann."}],
        },
    }


def test_the_service_counts_connections_so_there_is_one_at_a_time() -> None:
    assert not navtalk().capabilities.two_connections


def test_the_authorities_are_those_of_the_settings() -> None:
    assert navtalk(ca_file="/etc/ca.pem").endpoint().ca_file == "/etc/ca.pem"
    assert navtalk().endpoint().ca_file == ""


def test_the_v2_result_makes_the_model_go_on_by_itself() -> None:
    (frame,) = navtalk().result("call_1", '{"ok":true}', V2_RESULT)
    assert json.loads(frame) == {
        "type": "realtime.function_call_output",
        "data": {"call_id": "call_1", "output": '{"ok":true}', "reply": 1},
    }
    assert not V2_RESULT.asks_to_speak


def test_the_item_result_is_followed_by_asking_to_speak() -> None:
    dialect = navtalk()
    (frame,) = dialect.result("call_1", '{"ok":true}', ITEM_RESULT)
    assert json.loads(frame) == {
        "type": "conversation.item.create",
        "item": {"type": "function_call_output", "call_id": "call_1", "output": '{"ok":true}'},
    }
    assert ITEM_RESULT.asks_to_speak
    assert [json.loads(f) for f in dialect.speak()] == [{"type": "response.create"}]


def test_a_note_is_a_system_message_and_user_text_is_input_text() -> None:
    (note,) = navtalk().note("The blind is closed.")
    item = json.loads(note)["item"]
    assert (item["type"], item["role"]) == ("message", "system")
    assert item["content"] == [{"type": "input_text", "text": "The blind is closed."}]
    (text,) = navtalk().user_text("hello")
    assert json.loads(text) == {"type": "realtime.input_text", "data": {"content": "hello"}}


def test_a_lone_surrogate_in_an_output_can_still_be_sent() -> None:
    (frame,) = navtalk().result("c", "\ud800", V2_RESULT)
    assert frame.encode()


def test_what_the_users_own_url_holds_is_blotted_out_in_every_spelling() -> None:
    license_key, password, token = 'lic/"é 1234', "pass/wörd+1", "t/oken 1234"
    url = f"wss://me:{quote(password, safe='')}@h/p?key={quote(token, safe='')}&region=eu"
    settings = NavTalkSettings(license=license_key, url=url)
    assert not any(part in repr(settings) for part in ("1234", "pass", "key="))
    dialect = NavTalk(settings)
    endpoint = dialect.endpoint()
    assert endpoint.shown == "wss://h/p"
    for secret in (license_key, password, token):
        for spelling in (secret, quote(secret), quote_plus(secret), json.dumps(secret)[1:-1]):
            (warned,) = dialect.decode(json.dumps({"type": "error", "message": f"no {spelling}"}))
            assert isinstance(warned, Warned)
            assert warned.message.endswith("no ***")
            assert endpoint.blotted(f"no {spelling}, eu") == "no ***, eu"
