from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.session.history import (
    LATE_S,
    LIFE_S,
    MAX_BYTES,
    MAX_SENTENCE_LENGTH,
    MAX_SENTENCES,
    History,
)

pytestmark = pytest.mark.unit

APART_S = LATE_S + 1


def spoken(*texts: str) -> History:
    history = History()
    for number, text in enumerate(texts):
        history.began(number * APART_S)
        history.said(text, number * APART_S)
    return history


def test_what_was_said_is_remembered_in_order() -> None:
    assert spoken("One.", "Two.").sentences(30) == ["One.", "Two."]


@pytest.mark.parametrize("text_first", [True, False])
def test_a_call_makes_its_turn_a_command_whichever_comes_first(text_first: bool) -> None:
    history = spoken("My name is Ann.")
    history.began(100)
    for said in (text_first, not text_first):
        if said:
            history.said("Open the garage.", 101)
        else:
            history.called(101)
    assert history.sentences(102) == ["My name is Ann."]


def test_a_call_may_belong_to_the_turn_just_before() -> None:
    history = History()
    history.began(0)
    history.said("Open the garage.", 1)
    history.began(2)
    history.called(3)
    history.said("And hurry.", 4)
    assert history.sentences(5) == []


def test_a_text_that_may_be_that_of_the_turn_before_is_not_trusted() -> None:
    history = History()
    history.began(0)
    history.called(1)
    history.began(2)
    history.said("Open the garage.", 3)
    history.began(2 + APART_S)
    history.said("Thank you.", 3 + APART_S)
    assert history.sentences(30) == ["Thank you."]


def test_a_service_that_does_not_tell_when_speech_begins() -> None:
    history = History()
    history.said("My name is Ann.", 0)
    history.said("What is the time?", 20)
    history.called(40)
    history.said("Open the garage.", 41)
    history.said("Thank you.", 60)
    assert history.sentences(61) == ["My name is Ann.", "Thank you."]


def test_typed_text_is_a_turn_and_its_echo_is_none() -> None:
    history = History()
    history.typed("My name is Ann.", 0)
    history.said("My name is Ann.", 1)
    assert history.sentences(2) == ["My name is Ann."]
    history.typed("Open the garage.", 20)
    history.called(21)
    assert history.sentences(22) == ["My name is Ann."]


def test_what_was_said_long_ago_is_forgotten() -> None:
    history = spoken("One.", "Two.")
    assert history.sentences(LIFE_S + 1) == ["Two."]


def test_it_is_bounded_in_number_and_size() -> None:
    many = spoken(*(f"Sentence {number}." for number in range(MAX_SENTENCES + 3)))
    assert len(many.sentences(200)) == MAX_SENTENCES
    assert many.sentences(200)[-1] == f"Sentence {MAX_SENTENCES + 2}."
    long = spoken(*(f"{number} {'ä' * 2000}" for number in range(MAX_SENTENCES)))
    assert all(len(text) <= MAX_SENTENCE_LENGTH for text in long.sentences(200))
    assert 0 < sum(len(text.encode()) for text in long.sentences(200)) <= MAX_BYTES
    assert long.sentences(200)[-1].startswith("9 ")


EVENTS = st.lists(
    st.tuples(st.sampled_from(["began", "call", "text"]), st.floats(0.1, 40)), max_size=40
)


@given(EVENTS)
def test_no_sentence_of_a_turn_with_a_call_is_ever_told(
    events: list[tuple[str, float]],
) -> None:
    """Texts come in the order of their turns; calls while their turn is the newest."""
    history, now, turn = History(), 0.0, -1
    untold: list[int] = []
    commands: set[int] = set()
    for kind, wait_s in events:
        # Longer waits than LATE_S with texts still to come are for a service that lost them.
        now += wait_s if not untold else min(wait_s, 0.3)
        if kind == "began" and len(untold) < 3:
            turn += 1
            history.began(now)
            untold.append(turn)
        elif kind == "call" and turn >= 0:
            commands.add(turn)
            history.called(now)
        elif kind == "text" and untold:
            history.said(f"turn {untold.pop(0)}", now)
    assert not {f"turn {number}" for number in commands} & set(history.sentences(now))
