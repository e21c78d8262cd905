from __future__ import annotations

import pytest

from gateway.simulated.words import chosen, closest, normal, number, short_for, without_article

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("30", 30),
        ("21.5 degrees", 21.5),
        ("-5", -5),
        ("two cups", 2),
        ("twenty five", 25),
        ("twenty-five", 25),
        ("forty", 40),
        ("minus five", -5),
        ("half", 50),
        ("a hundred percent", 100),
        ("some", None),
        ("", None),
    ],
)
def test_numbers_are_read_as_digits_and_as_words(text: str, value: float | None) -> None:
    assert number(text) == value


def test_text_is_made_comparable() -> None:
    assert normal("  What\u2019s  the STATE? ") == "what's the state"
    assert without_article("the my kitchen light") == "kitchen light"
    assert without_article("another lamp") == "another lamp"


def test_the_longest_named_option_is_chosen() -> None:
    assert (
        chosen("an espresso macchiato", ["espresso", "espresso macchiato"]) == "espresso macchiato"
    )
    assert chosen("tea", ["espresso"]) is None


def test_a_short_name_stands_for_the_one_option_that_holds_it() -> None:
    assert short_for("blind", ["Bedroom blind", "Front door"]) == "Bedroom blind"
    assert short_for("light", ["Kitchen light", "Hall light"]) is None
    assert short_for("", ["Kitchen light"]) is None


def test_the_closest_option_shares_the_most_words() -> None:
    assert closest("outdoor temperature", ["Outdoor sensor", "Front door"]) == "Outdoor sensor"
    assert closest("light", ["Kitchen light", "Hall light"]) is None
    assert closest("moon", ["Kitchen light"]) is None
    assert closest("moon", []) is None
