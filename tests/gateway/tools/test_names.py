from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.tools.names import (
    MAX_NAME_LENGTH,
    fold,
    is_slip,
    near_spellings,
    nearest,
    parted,
    trimmed,
    without_articles,
)

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("  Kitchen-Light! ", "kitchen light"),
        ("Anna\u2019s lamp", "anna lamp"),
        ("Anna's lamp", "anna lamp"),
        ("the boss'", "the boss"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("\uff2c\uff41\uff4d\uff50\u3000\uff11", "lamp 1"),
        ("ไฟห้องครัว", "ไฟห้องครัว"),
        ("مصباح المطبخ", "مصباح المطبخ"),
        ("💡", "💡"),
        ("arm_away", "arm away"),
        ("...", ""),
    ],
)
def test_names_are_compared_without_their_dress(text: str, folded: str) -> None:
    assert fold(text) == fold(folded)
    assert fold(text).split() == fold(folded).split()


@given(st.text())
def test_folding_is_stable_and_bounded(text: str) -> None:
    once = fold(text)
    assert fold(once) == once or len(text) > MAX_NAME_LENGTH // 4 or "'" in once
    assert once == once.strip()
    assert "  " not in once


def test_near_names_come_best_first_and_far_ones_not_at_all() -> None:
    names = ["Kitchen light", "Hall light", "Garage door"]
    assert nearest("kichen lihgt", names, 2)[0] == "Kitchen light"
    assert nearest("xyzzy", names, 3) == []
    assert nearest("garage", {"Garage door": "garage door"}, 3) == ["Garage door"]


def test_a_typing_error_is_a_letter_and_never_a_digit() -> None:
    names = ["kitchen light", "kitchen light 1", "hall light"]
    assert near_spellings("kitchn light", names) == {"kitchen light": 1}
    assert near_spellings("kicthne light", names) == {"kitchen light": 2}
    assert near_spellings("kitchen light 2", names) == {}
    assert near_spellings("hal", ["hall"]) == {}


@pytest.mark.parametrize(
    ("said", "name", "meant"),
    [
        ("kitchn light", "kitchen light", True),
        ("kitchenlight", "kitchen light", True),
        ("hall light", "hell light", False),
        ("pitchen light", "kitchen light", False),
        ("kitchen tw", "kitchen tv", False),
        ("ki tchn light", "kitchen light", False),
        ("大きなリビングライト", "大きいリビングライト", False),
    ],
)
def test_a_slip_is_what_is_hardly_anything_else(said: str, name: str, meant: bool) -> None:
    assert is_slip(said, name, {"hall"}) is meant


def test_languages_that_do_not_part_words() -> None:
    assert parted("所有的客厅的灯") == ["all", "客厅", "灯"]
    assert parted("寝室の照明") == ["寝室", "照明"]
    assert parted("所有") == []
    assert parted("lamp") == ["lamp"]


def test_small_words_are_left_out_unless_they_are_all() -> None:
    assert without_articles(["the", "my", "lamp", "a"]) == ["lamp", "a"]
    assert without_articles(["the"]) == ["the"]
    assert trimmed(["lights", "in", "the"]) == ["lights"]
    assert trimmed(["in", "the"]) == []
