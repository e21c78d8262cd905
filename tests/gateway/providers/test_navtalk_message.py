from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.providers.navtalk_message import MAX_ID_LENGTH, Message, read_message

pytestmark = pytest.mark.unit


def message(body: dict[str, Any], secrets: tuple[str, ...] = ()) -> Message:
    found = read_message(json.dumps(body), secrets)
    assert found is not None
    return found


@pytest.mark.parametrize("frame", ["", "{", "[]", "1", '"x"', "{}", '{"type":1}', "[" * 100_000])
def test_what_is_no_object_with_a_type_is_no_message(frame: str) -> None:
    assert read_message(frame) is None


def test_the_prefix_is_not_part_of_the_kind() -> None:
    assert message({"type": "realtime.session.created"}).kind == "session.created"
    assert message({"type": "session.created"}).kind == "session.created"


@pytest.mark.parametrize(
    "body",
    [
        {"data": {"call_id": "c1"}},
        {"data": {"callId": "c1"}},
        {"raw_data": {"call_id": "c1"}},
        {"data": {"raw_data": {"call_id": "c1"}}},
        {"call_id": "c1"},
        {"data": {"id": "c1"}},
        {"data": {"id": "no", "call_id": ""}, "call_id": "c1"},
    ],
)
def test_the_call_id_is_found_in_every_known_place(body: dict[str, Any]) -> None:
    assert message({"type": "t", **body}).call_id() == "c1"


@pytest.mark.parametrize("call_id", ["", 7, None, "a\nb", "a  b", "x" * (MAX_ID_LENGTH + 1), []])
def test_an_id_that_cannot_be_echoed_safely_is_none(call_id: object) -> None:
    assert message({"type": "t", "data": {"call_id": call_id}}).call_id() == ""


@pytest.mark.parametrize(
    "body",
    [
        {"data": {"function_name": "turn_on", "name": "other"}},
        {"data": {"name": "turn_on"}},
        {"raw_data": {"name": "turn_on"}},
        {"name": "turn_on"},
        {"function_name": "turn_on"},
    ],
)
def test_the_name_is_found_in_every_known_place(body: dict[str, Any]) -> None:
    assert message({"type": "t", **body}).call_name() == "turn_on"


def test_the_name_is_bounded_and_on_one_line() -> None:
    name = message({"type": "t", "data": {"name": "a\n\x1b[31mb" + "x" * 500}}).call_name()
    assert len(name) <= 64
    assert name.isprintable()


def test_arguments_come_from_the_first_place_that_has_any_and_pieces_come_last() -> None:
    assert message({"type": "t", "data": {"arguments": {}}, "arguments": "x"}).arguments("p") == {}
    assert message({"type": "t", "data": {"arguments": ""}, "arguments": "x"}).arguments("p") == "x"
    assert message({"type": "t", "raw_data": {"arguments": "{}"}}).arguments("p") == "{}"
    assert message({"type": "t"}).arguments("p") == "p"


@pytest.mark.parametrize(
    "body",
    [
        {"message": "No points"},
        {"data": {"message": "No points"}},
        {"data": None, "error": {"message": "No points"}},
        {"data": {"error": "No points"}},
    ],
)
def test_the_services_sentence_is_found_with_and_without_data(body: dict[str, Any]) -> None:
    assert message({"type": "error", **body}).sentence() == "No points"


def test_secrets_are_blotted_before_the_sentence_is_cut() -> None:
    text = "x" * 298 + "my-secret"
    sentence = message({"type": "error", "message": text}, ("my-secret",)).sentence()
    assert "my" not in sentence


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(
    st.dictionaries(st.sampled_from(["data", "raw_data", "name", "id", "error", "message"]), JSON)
)
def test_no_shape_of_the_fields_raises(body: dict[str, Any]) -> None:
    found = message({"type": "realtime.x", **body})
    for value in (found.call_id(), found.call_name(), found.response_id(), found.sentence()):
        assert isinstance(value, str)
    assert found.content() is not None
