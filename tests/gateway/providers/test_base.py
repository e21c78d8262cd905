from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.providers.base import Endpoint, read_arguments

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


def test_an_endpoint_does_not_show_its_secrets() -> None:
    shown = repr(Endpoint("wss://x?k=secret", "wss://x", {"Authorization": "Bearer secret"}))
    assert "secret" not in shown
