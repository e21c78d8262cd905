from __future__ import annotations

import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import ToolError
from gateway.tools.colors import kelvin_of, spoken, to_hex

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("color", "expected"),
    [
        ("red", "#ff0000"),
        ("Light Blue", "#add8e6"),
        ("light-blue", "#add8e6"),
        ("#1A2b3C", "#1a2b3c"),
        ("1a2b3c", "#1a2b3c"),
        (" #f0a ", "#ff00aa"),
    ],
)
def test_colours_become_hex(color: str, expected: str) -> None:
    assert to_hex(color) == expected


@pytest.mark.parametrize("color", ["", "#12", "#gggggg", "f0a", "##123456", "sparkly"])
def test_what_is_no_colour_is_refused(color: str) -> None:
    with pytest.raises(ToolError, match="colour"):
        to_hex(color)


def test_a_wrong_name_is_answered_with_near_ones() -> None:
    with pytest.raises(ToolError, match="turquoise"):
        to_hex("turkuoise")


def test_whites_are_a_warmth() -> None:
    assert kelvin_of("warm white") == 2700
    assert kelvin_of("Daylight") == 6500
    assert kelvin_of("red") is None


@pytest.mark.parametrize("name", ["red", "cyan", "gray", "magenta", "turquoise"])
def test_a_plain_colour_is_spoken_by_its_name(name: str) -> None:
    assert spoken(to_hex(name).upper()) == name


def test_a_colour_without_a_plain_name_stays_as_it_is() -> None:
    assert spoken("#12ab34") == "#12ab34"
    assert spoken(to_hex("darkslateblue")) == "#483d8b"


@given(st.text(max_size=30) | st.from_regex(r"\s*#?[0-9a-fA-F]{2,8}\s*", fullmatch=True))
def test_any_text_is_a_colour_or_none(text: str) -> None:
    with suppress(ToolError):
        assert re.fullmatch("#[0-9a-f]{6}", to_hex(text))
