from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.providers.base import (
    MAX_DEPTH,
    MAX_KEY_LENGTH,
    MAX_TEXT,
    MAX_VALUES,
    Endpoint,
    read_arguments,
)

pytestmark = pytest.mark.unit


def test_arguments_are_an_object_or_the_text_of_one() -> None:
    assert read_arguments({"on": True}) == ({"on": True}, "")
    assert read_arguments('{"on": true}') == ({"on": True}, "")
    assert read_arguments("") == read_arguments(None) == ({}, "")


@given(st.text() | st.integers() | st.booleans() | st.lists(st.none()) | st.binary())
def test_anything_else_is_empty_and_says_why(raw: object) -> None:
    arguments, problem = read_arguments(raw)
    assert isinstance(arguments, dict)
    assert problem or raw == "" or isinstance(raw, str)
    assert not (problem and arguments)


def nested(depth: int) -> dict[str, object]:
    value: object = 1
    for _ in range(depth - 1):
        value = [value]
    return {"a": value}


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (nested(MAX_DEPTH), ""),
        (nested(MAX_DEPTH + 1), "The arguments are nested too deeply."),
        (json.dumps(nested(400)), "The arguments are nested too deeply."),
        (dict.fromkeys(map(str, range(MAX_VALUES)), 1), ""),
        (dict.fromkeys(map(str, range(MAX_VALUES + 1)), 1), "The arguments are too long."),
        ({"a": [{}] * 500, "b": [[]] * 500}, "The arguments are too long."),
        ({"a": "x" * (MAX_TEXT + 1)}, "The arguments are too long."),
        ({"k" * MAX_KEY_LENGTH: 1}, ""),
        ({"a": {"k" * (MAX_KEY_LENGTH + 1): 1}}, "The arguments are too long."),
    ],
)
def test_arguments_beyond_any_tools_need_are_refused(raw: object, problem: str) -> None:
    arguments, said = read_arguments(raw)
    assert said == problem
    assert bool(arguments) is (problem == "")


def test_an_endpoint_does_not_show_its_secrets() -> None:
    shown = repr(Endpoint("wss://x?k=secret", "wss://x", {"Authorization": "Bearer secret"}))
    assert "secret" not in shown
