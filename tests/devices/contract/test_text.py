from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.contract.text import clean

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("Kitchen light", "Kitchen light"),
        ("  Kitchen \n\t light ", "Kitchen light"),
        ("a\x00b\x1b[31mc", "a b [31mc"),
        ("light\u202egnp.exe", "light gnp.exe"),
        ("zero\u200bwidth", "zero width"),
        ("lone \ud800 surrogate", "lone surrogate"),
        ("a\u2028b", "a b"),
        (
            "\u0646\u0645\u06cc\u200c\u062f\u0627\u0646\u0645",
            "\u0646\u0645\u06cc\u200c\u062f\u0627\u0646\u0645",
        ),
        ("", ""),
    ],
)
def test_text_comes_out_on_one_line_and_harmless(text: str, cleaned: str) -> None:
    assert clean(text, 64) == cleaned


def test_a_long_text_is_cut_and_says_so() -> None:
    assert clean("x" * 100, 10) == "x" * 9 + "\u2026"
    assert clean("x" * 10, 10) == "x" * 10


@given(st.text(max_size=300), st.integers(1, 80))
def test_whatever_comes_the_result_is_short_printable_and_stays_as_it_is(
    text: str, limit: int
) -> None:
    result = clean(text, limit)
    assert len(result) <= limit
    assert clean(result, limit) == result
    joiners = "\u200c\u200d"
    assert all(unicodedata.category(c) not in ("Cc", "Cf", "Cs") or c in joiners for c in result)
    result.encode()
