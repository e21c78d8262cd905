from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.events import FunctionCall
from gateway.providers.base import (
    AssistantSaid,
    Called,
    Connected,
    Ignored,
    Ready,
    Refusal,
    Refused,
    ResponseActivity,
    SpeechStarted,
    SpeechStopped,
    Unreadable,
    UserSaid,
    Warned,
)
from gateway.providers.navtalk_events import MAX_CALL_CHARS, MAX_DELTA_CALLS, FrameReader

pytestmark = pytest.mark.unit

DONE = "realtime.response.function_call_arguments.done"
DELTA = "realtime.response.function_call_arguments.delta"
ARGS = {"room": "kitchen", "on": True}


def reader(**options: Any) -> FrameReader:
    return FrameReader(("my-license",), **options)


def read(body: dict[str, Any], by: FrameReader | None = None) -> list[Any]:
    return list((by or reader()).read(json.dumps(body)))


def call(body: dict[str, Any], by: FrameReader | None = None) -> FunctionCall:
    (called,) = [e for e in read({"type": DONE, **body}, by) if isinstance(e, Called)]
    return called.call


RAW = {
    "type": "response.function_call_arguments.done",
    "event_id": "event_1",
    "response_id": "resp_1",
    "item_id": "item_1",
    "output_index": 0,
    "name": "set_light",
    "call_id": "c1",
    "arguments": json.dumps(ARGS),
}


@pytest.mark.parametrize(
    "body",
    [
        {"data": {"function_name": "set_light", "call_id": "c1", "arguments": ARGS}},
        {"data": {"function_name": "set_light", "call_id": "c1", "arguments": json.dumps(ARGS)}},
        {"data": {"name": "set_light", "callId": "c1", "arguments": ARGS}},
        {
            "data": {"function_name": "set_light", "call_id": "c1", "arguments": ARGS},
            "raw_data": RAW,
        },
        {"data": {}, "raw_data": RAW},
        {"raw_data": RAW},
        {"data": {"arguments": ARGS, "call_id": "c1"}, "raw_data": {"name": "set_light"}},
        {"name": "set_light", "call_id": "c1", "arguments": json.dumps(ARGS)},
    ],
)
def test_every_known_payload_is_the_same_call(body: dict[str, Any]) -> None:
    assert call(body) == FunctionCall("c1", "set_light", ARGS)


def test_the_unprefixed_event_is_a_call_too() -> None:
    (event,) = read({"type": DONE.removeprefix("realtime."), "name": "f", "call_id": "c"})
    assert event == Called(FunctionCall("c", "f"))


@pytest.mark.parametrize("arguments", ["", None])
def test_no_arguments_are_an_empty_object(arguments: object) -> None:
    assert call({"data": {"name": "f", "call_id": "c", "arguments": arguments}}).arguments == {}


@pytest.mark.parametrize("arguments", ['{"on": tr', "[1]", "7", [1], 7, True, '"x"', "[" * 9999])
def test_broken_arguments_are_handed_on_with_their_problem(arguments: object) -> None:
    broken = call({"data": {"name": "f", "call_id": "c", "arguments": arguments}})
    assert broken.arguments == {}
    assert broken.problem


def test_lone_surrogates_in_arguments_are_a_problem() -> None:
    assert call({"data": {"name": "f", "call_id": "c", "arguments": '{"a": "\\ud800"}'}}).problem


def test_arguments_beyond_any_command_are_a_problem() -> None:
    long = call({"data": {"name": "f", "call_id": "c", "arguments": {"a": "x" * MAX_CALL_CHARS}}})
    assert long == FunctionCall("c", "f", problem="The arguments are too long.")


def test_a_call_without_a_name_can_be_answered_but_not_executed() -> None:
    nameless = call({"data": {"call_id": "c", "arguments": ARGS}})
    assert nameless == FunctionCall("c", "", problem="The function name is missing.")


def test_a_call_without_an_id_cannot_be_answered_and_is_no_call() -> None:
    (event,) = read({"type": DONE, "data": {"function_name": "f", "arguments": ARGS}})
    assert isinstance(event, Unreadable)


def test_pieces_of_arguments_are_used_when_the_end_brings_none() -> None:
    by = reader()
    for piece in ('{"room": "kit', 'chen", "on": true}'):
        assert read({"type": DELTA, "data": {"call_id": "c", "delta": piece}}, by) == [
            Ignored("response.function_call_arguments.delta")
        ]
    assert call({"data": {"name": "f", "call_id": "c"}}, by).arguments == ARGS
    assert call({"data": {"name": "f", "call_id": "c"}}, by).arguments == {}


def test_pieces_are_kept_for_a_bounded_number_of_calls() -> None:
    by = reader()
    for number in range(MAX_DELTA_CALLS + 1):
        read({"type": DELTA, "data": {"call_id": f"c{number}", "delta": '{"n": 1}'}}, by)
    assert call({"data": {"name": "f", "call_id": "c0"}}, by).arguments == {}
    assert call({"data": {"name": "f", "call_id": "c1"}}, by).arguments == {"n": 1}


def test_pieces_that_were_cut_are_never_executed() -> None:
    by = reader()
    read({"type": DELTA, "data": {"call_id": "c", "delta": '{"a": 1}' + " " * 100_000}}, by)
    assert (
        call({"data": {"name": "f", "call_id": "c"}}, by).problem == "The arguments are too long."
    )


def test_a_call_tells_which_answer_it_belongs_to_when_the_service_says() -> None:
    events = read({"type": DONE, "raw_data": RAW})
    assert events[0] == ResponseActivity(ended=True, response_id="resp_1")
    assert isinstance(events[1], Called)


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("conversation.connected.fail", Refusal.NOT_ALLOWED),
        ("conversation.connected.insufficient_balance", Refusal.NO_BALANCE),
        ("conversation.connected.connection_limit_exceeded", Refusal.TOO_MANY),
        ("conversation.connected.gpu_full", Refusal.NO_CAPACITY),
        ("conversation.connected.backend_error", Refusal.BROKEN),
        ("conversation.connected.close", Refusal.ENDED),
        ("realtime.session.gpu_full", Refusal.NO_CAPACITY),
        ("realtime.session.insufficient_balance", Refusal.NO_BALANCE),
        ("session.backend.error", Refusal.BROKEN),
    ],
)
@pytest.mark.parametrize(
    "body", [{}, {"data": {}}, {"message": "Sorry"}, {"data": {"message": "S"}}]
)
def test_each_ending_says_why(kind: str, why: Refusal, body: dict[str, Any]) -> None:
    (event,) = read({"type": kind, **body})
    assert isinstance(event, Refused)
    assert event.why is why


@pytest.mark.parametrize(
    ("kind", "said", "why"),
    [
        ("fail", "Connection timeout", Refusal.BROKEN),
        ("fail", "Invalid license", Refusal.NOT_ALLOWED),
        ("close", "Insufficient points", Refusal.NO_BALANCE),
        ("close", "Good night", Refusal.ENDED),
    ],
)
def test_the_services_own_sentence_may_say_more(kind: str, said: str, why: Refusal) -> None:
    (event,) = read({"type": f"conversation.connected.{kind}", "message": said})
    assert (event.why, event.said) == (why, said)


def test_a_refused_licence_comes_with_its_cure() -> None:
    (event,) = read({"type": "conversation.connected.fail"})
    assert "session.license" in event.cure


@pytest.mark.parametrize("kind", ["conversation.connected.fail", "error", "x.my-license"])
def test_the_licence_is_never_repeated(kind: str) -> None:
    (event,) = read({"type": kind, "message": "bad key my-license in wss://x?license=my-license"})
    assert "my-license" not in repr(event)


def test_a_piece_without_an_id_belongs_to_the_answer_that_was_named_last() -> None:
    reader = FrameReader("my-license")

    def ids(kind: str, **data: Any) -> list[str]:
        events = reader.read(json.dumps({"type": f"realtime.response.{kind}", "data": data}))
        return [e.response_id for e in events if isinstance(e, ResponseActivity)]

    assert ids("audio.delta", delta="AA==") == [""]
    assert set(ids("audio_transcript.done", id="r1", content="So it is.")) == {"r1"}
    assert ids("audio.delta", delta="AA==") == ["r1"]
    assert ids("audio.done") == ["r1"]
    assert ids("audio_transcript.delta", id="r2", content="And") == ["r2"]


def test_the_session_comes_up() -> None:
    assert read({"type": "conversation.connected.success", "data": {"sessionId": "s"}}) == [
        Connected("s")
    ]
    assert read({"type": "realtime.session.created"}) == [Ready()]
    assert read({"type": "realtime.session.updated", "data": {}}) == [Ready()]


def test_a_dashboard_avatar_says_once_connected_where_tools_are_defined() -> None:
    by = reader(tools_in_dashboard=True)
    events = read({"type": "conversation.connected.success"}, by)
    assert isinstance(events[1], Warned)
    assert "ElevenLabs dashboard" in events[1].message


def test_speech_is_told() -> None:
    prefix = "realtime.input_audio_buffer"
    assert read({"type": f"{prefix}.speech_started"}) == [SpeechStarted()]
    assert read({"type": f"{prefix}.speech_stopped"}) == [SpeechStopped()]
    said = "realtime.conversation.item.input_audio_transcription.completed"
    assert read({"type": said, "data": {"content": "hello"}}) == [UserSaid("hello")]
    assert read({"type": said, "data": {"transcript": "hello"}}) == [UserSaid("hello")]
    assert isinstance(read({"type": said})[0], Ignored)


def test_a_whole_answer_begins_and_ends() -> None:
    events = read(
        {
            "type": "realtime.response.audio_transcript.done",
            "data": {"id": "r", "content": "It is on."},
        }
    )
    assert events == [
        ResponseActivity(response_id="r"),
        AssistantSaid("It is on."),
        ResponseActivity(ended=True, response_id="r"),
    ]


@pytest.mark.parametrize(
    ("kind", "ended"),
    [
        ("realtime.response.audio_transcript.delta", False),
        ("realtime.response.audio.delta", False),
        ("realtime.response.something.new", False),
        ("realtime.response.audio.done", True),
        ("realtime.response.completed", True),
        ("response.done", True),
    ],
)
def test_pieces_of_an_answer_are_signs_of_life(kind: str, ended: bool) -> None:
    assert read({"type": kind}) == [ResponseActivity(ended=ended)]


def test_errors_and_warnings_are_told() -> None:
    warning = {"type": "conversation.connected.warning", "data": {"message": "Two avatars"}}
    assert read(warning) == [Warned("NavTalk says: Two avatars")]
    assert isinstance(read({"type": "error"})[0], Warned)
    failed = read({"type": "realtime.response.error", "message": "oops"})
    assert failed == [ResponseActivity(ended=True), Warned("NavTalk says: oops")]


@pytest.mark.parametrize("kind", ["webrtc.signaling.offer", "status", "unknow"])
def test_other_messages_need_no_action(kind: str) -> None:
    assert read({"type": kind, "data": {"sdp": {}}}) == [Ignored(kind)]


def test_binary_and_broken_frames_change_nothing() -> None:
    assert reader().read(b"\x00\x01") == [Ignored("binary")]
    for frame in ("", "{", "[]", "null", '{"data":{}}'):
        (event,) = reader().read(frame)
        assert isinstance(event, Unreadable)


KINDS = st.sampled_from(
    [
        DONE,
        DELTA,
        "error",
        "realtime.response.audio_transcript.done",
        "conversation.connected.fail",
        "conversation.connected.success",
        "realtime.conversation.item.input_audio_transcription.completed",
        "realtime.x",
    ]
)
LEAF = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
JSON = st.recursive(
    LEAF,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=10,
)
KEYS = """call_id id name function_name arguments delta message content error response
response_id data raw_data"""
FIELDS = st.dictionaries(st.sampled_from(KEYS.split()), JSON)


@given(st.text())
def test_no_text_raises(frame: str) -> None:
    assert reader().read(frame)


@given(KINDS, FIELDS, JSON | FIELDS, JSON | FIELDS)
def test_no_message_raises_and_every_call_can_be_answered(
    kind: str, top: dict[str, Any], data: object, raw: object
) -> None:
    for event in read({**top, "type": kind, "data": data, "raw_data": raw}):
        if isinstance(event, Called):
            assert event.call.call_id
            assert event.call.name or event.call.problem
            assert not (event.call.problem and event.call.arguments)


@pytest.mark.parametrize(
    "arguments", [r'{"a": "\ud800"}', r'{"a": "é\udfff"}', r'"{\"a\": \"\\ud800\"}"']
)
def test_half_a_character_is_found_wherever_it_is_written(arguments: str) -> None:
    frame = f'{{"type": "{DONE}", "call_id": "c", "name": "f", "arguments": {arguments}}}'
    (event,) = reader().read(frame)
    assert event.call.problem == "The arguments are not valid text."


def test_half_a_character_is_found_in_pieces() -> None:
    by = reader()
    read({"type": DELTA, "data": {"call_id": "c", "delta": '{"a": "\ud800"}'}}, by)
    (event,) = read({"type": DONE, "data": {"call_id": "c", "name": "f"}}, by)
    assert event.call.problem == "The arguments are not valid text."
