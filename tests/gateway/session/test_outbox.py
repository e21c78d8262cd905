from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.events import FunctionCall
from gateway.outcome import Outcome, Status
from gateway.providers.base import Capabilities, ResponseActivity
from gateway.providers.navtalk import ITEM_RESULT, V2_RESULT, NavTalk, NavTalkSettings
from gateway.session.outbox import BATCH_WAIT_S, MAX_NOTES, NOTE_LIFE_S, Outbox

pytestmark = pytest.mark.unit

DONE = Outcome(Status.CONFIRMED, "Kitchen light is on.")
PIECE, END = ResponseActivity(), ResponseActivity(ended=True)
LIFE_S = 5.0


def outbox(style: str = "auto", epoch: int = 1) -> Outbox:
    made = Outbox(dialect(style).capabilities)
    made.opened(dialect(style), epoch)
    made.ready(0)
    return made


def dialect(style: str = "auto") -> NavTalk:
    return NavTalk(NavTalkSettings(license="k", avatar_name="a", result_style=style))  # type: ignore[arg-type]


def call(call_id: str = "c1", epoch: int = 1) -> FunctionCall:
    return FunctionCall(call_id, "turn_on", epoch=epoch)


def kinds(frames: list[str]) -> list[str]:
    """`v2 c1`, `item c1`, `speak` or `note`, frame by frame."""
    return [_kind(json.loads(frame)) for frame in frames]


def _kind(body: dict[str, Any]) -> str:
    if body["type"] == "realtime.function_call_output":
        return f"v2 {body['data']['call_id']}"
    if body["type"] == "response.create":
        return "speak"
    if body["item"]["type"] == "function_call_output":
        return f"item {body['item']['call_id']}"
    return "note"


def answer(box: Outbox, now: float, call_id: str = "c1", epoch: int = 1) -> list[str]:
    assert box.called(call(call_id, epoch))
    return kinds(box.answered(call(call_id, epoch), DONE, now))


# --- results --------------------------------------------------------------------------------


def test_a_result_goes_out_at_once_and_once() -> None:
    box = outbox()
    assert answer(box, 1) == ["v2 c1"]
    assert box.answered(call(), DONE, 1.1) == []


def test_a_repeated_call_id_is_refused_within_a_generation_and_new_in_the_next() -> None:
    box = outbox()
    assert box.called(call())
    assert not box.called(call())
    box.lost(1)
    box.opened(dialect(), 2)
    assert box.called(call(epoch=2))


def test_a_result_of_an_older_generation_is_told_as_a_note_in_the_new_one() -> None:
    box = outbox()
    box.called(call())
    box.lost(1)
    assert box.answered(call(), DONE, 2) == []
    box.opened(dialect(), 2)
    (note,) = box.ready(3)
    assert kinds([note]) == ["note"]
    assert "Kitchen light is on." in note


def test_it_is_told_at_once_when_the_new_generation_is_there() -> None:
    box = outbox()
    box.called(call())
    box.lost(1)
    box.opened(dialect(), 2)
    box.ready(2)
    assert kinds(box.answered(call(), DONE, 3)) == ["note"]


def test_a_result_that_may_not_have_arrived_is_told_again_as_a_note() -> None:
    box = outbox()
    answer(box, 1)
    box.lost(2)
    box.opened(dialect(), 2)
    assert kinds(box.ready(3)) == ["note"]


@pytest.mark.parametrize("arrived_first", [True, False])
def test_a_result_that_arrived_and_was_answered_is_not_told_again(arrived_first: bool) -> None:
    box = outbox()
    answer(box, 1)
    if arrived_first:
        box.arrived(box.sent)
    box.activity(PIECE, 1.5)
    if not arrived_first:
        box.arrived(box.sent)
    assert box.all_arrived
    box.lost(2)
    box.opened(dialect(), 2)
    assert box.ready(3) == []


def test_the_answer_to_an_earlier_result_does_not_prove_a_later_one() -> None:
    box = outbox()
    answer(box, 1)
    first = box.sent
    answer(box, 1.1, "c2")
    box.activity(PIECE, 1.2)
    box.arrived(first)
    assert not box.all_arrived
    box.lost(2)
    box.opened(dialect(), 2)
    assert kinds(box.ready(3)) == ["note"]


# --- the sign of life -----------------------------------------------------------------------


def test_a_service_that_answers_keeps_the_first_form_unwatched() -> None:
    box = outbox()
    answer(box, 1)
    assert box.next_deadline() == 1 + LIFE_S
    box.activity(PIECE, 2)
    assert box.next_deadline() is None
    answer(box, 3, "c2")
    assert box.next_deadline() is None
    assert box.due(100) == []


def test_silence_sends_the_result_once_more_in_the_next_form_which_stays(
    caplog: pytest.LogCaptureFixture,
) -> None:
    box = outbox()
    answer(box, 1)
    assert box.due(1 + LIFE_S - 0.01) == []
    with caplog.at_level(logging.WARNING):
        assert kinds(box.due(1 + LIFE_S)) == ["item c1", "speak"]
    assert "form item from now on" in caplog.text
    assert box.due(100) == []
    box.lost(101)
    box.opened(dialect(), 2)
    box.ready(102)
    assert answer(box, 103, "c9", 2) == ["item c9", "speak"]


def test_all_results_without_a_sign_are_sent_again_and_spoken_of_once() -> None:
    box = outbox()
    box.called(call("c1"))
    box.called(call("c2"))
    box.answered(call("c1"), DONE, 1)
    box.answered(call("c2"), DONE, 2)
    assert kinds(box.due(1 + LIFE_S)) == ["item c1", "item c2", "speak"]


def test_an_answer_that_was_running_is_no_sign() -> None:
    box = outbox()
    box.activity(PIECE, 0.5)
    answer(box, 1)
    box.activity(PIECE, 1.1)
    box.activity(END, 1.2)
    assert kinds(box.due(1.2 + LIFE_S)) == ["item c1", "speak"]


def test_what_begins_after_the_running_answer_is_a_sign() -> None:
    box = outbox()
    box.activity(PIECE, 0.5)
    answer(box, 1)
    box.activity(END, 1.2)
    box.activity(PIECE, 1.4)
    assert box.next_deadline() is None


def test_the_time_starts_anew_when_the_user_stops_speaking() -> None:
    box = outbox()
    answer(box, 1)
    box.speech_started(2)
    assert box.due(1 + LIFE_S) == []
    box.speech_stopped(10)
    assert box.next_deadline() == 10 + LIFE_S
    assert box.due(14.9) == []
    assert kinds(box.due(15)) == ["item c1", "speak"]


def test_a_forced_form_is_never_watched() -> None:
    for style, sent in (("v2", ["v2 c1"]), ("item", ["item c1", "speak"])):
        box = outbox(style)
        assert answer(box, 1) == sent
        assert box.due(100) == []
        assert box.next_deadline() is None


# --- asking to speak ------------------------------------------------------------------------


def test_speaking_is_asked_for_once_for_all_calls_of_a_batch() -> None:
    box = outbox("item")
    box.called(call("c1"))
    box.called(call("c2"))
    assert kinds(box.answered(call("c1"), DONE, 1)) == ["item c1"]
    assert kinds(box.answered(call("c2"), DONE, 1.5)) == ["item c2", "speak"]
    assert box.due(10) == []


def test_a_slow_call_does_not_hold_up_the_others_for_long() -> None:
    box = outbox("item")
    box.called(call("c1"))
    box.called(call("c2"))
    box.answered(call("c1"), DONE, 1)
    assert box.next_deadline() == 1 + BATCH_WAIT_S
    assert kinds(box.due(1 + BATCH_WAIT_S)) == ["speak"]
    box.activity(END, 3)
    assert kinds(box.answered(call("c2"), DONE, 3)) == ["item c2", "speak"]


def test_speaking_is_owed_until_the_running_answer_ended() -> None:
    box = outbox("item")
    box.activity(PIECE, 0.9)
    assert answer(box, 1) == ["item c1"]
    assert kinds(box.activity(END, 2)) == ["speak"]


def test_an_answer_that_goes_quiet_does_not_hold_up_speaking_for_ever() -> None:
    box = outbox("item")
    box.activity(PIECE, 0.9)
    answer(box, 1)
    assert box.next_deadline() == 3.9
    assert kinds(box.due(3.9)) == ["speak"]


def test_two_results_do_not_ask_twice_before_the_answer_begins() -> None:
    box = outbox("item")
    assert answer(box, 1, "c1") == ["item c1", "speak"]
    assert answer(box, 1.1, "c2") == ["item c2"]
    box.activity(PIECE, 1.2)
    assert kinds(box.activity(END, 2)) == ["speak"]


# --- notes ----------------------------------------------------------------------------------


def test_a_note_waits_for_the_model() -> None:
    box = Outbox(dialect().capabilities)
    assert box.note("The door is open.", 0) == []
    box.opened(dialect(), 1)
    assert box.note("The door is closed.", 0) == []
    assert kinds(box.ready(1)) == ["note", "note"]
    assert box.ready(2) == []
    assert kinds(box.note("It rains.", 3)) == ["note"]


def test_a_note_that_may_not_have_arrived_is_told_again() -> None:
    box = outbox()
    assert kinds(box.note("The blind is open.", 3)) == ["note"]
    box.lost(4)
    box.opened(dialect(), 2)
    (again,) = box.ready(5)
    assert "The blind is open." in again


def test_a_note_before_an_answer_is_not_told_again() -> None:
    box = outbox()
    box.note("The blind is open.", 3)
    box.arrived(box.sent)
    box.activity(ResponseActivity(), 3.5)
    box.lost(4)
    box.opened(dialect(), 2)
    assert box.ready(5) == []


def test_notes_are_bounded_and_age_and_both_is_counted() -> None:
    box = Outbox(dialect().capabilities)
    for number in range(MAX_NOTES + 2):
        box.note(f"Fact {number}.", 0)
    assert box.dropped == 2
    box.note("News.", NOTE_LIFE_S + 1)
    box.opened(dialect(), 1)
    (news,) = box.ready(NOTE_LIFE_S + 2)
    assert "News." in news
    assert box.dropped == 3 + MAX_NOTES - 1


def test_notes_that_nobody_answers_are_bounded_and_counted_too() -> None:
    box = outbox()
    for number in range(MAX_NOTES + 2):
        box.note(f"Fact {number}.", 1)
    box.lost(2)
    box.opened(dialect(), 2)
    assert len(box.ready(3)) == MAX_NOTES
    assert box.dropped == 2


def test_the_forms_may_be_any_number() -> None:
    third = type(ITEM_RESULT)("third", asks_to_speak=False)
    box = Outbox(Capabilities(True, True, (V2_RESULT, ITEM_RESULT, third)))
    box.opened(dialect(), 1)
    box.ready(0)
    answer(box, 0)
    box.due(5)
    assert box.form is ITEM_RESULT
    # The answer that was asked for counts as running for a while.
    assert kinds(box.due(box.next_deadline() or 0)) == ["item c1"]
    assert box.form is third


# --- under any sequence of events -----------------------------------------------------------

IDS = st.sampled_from(["a", "b", "c"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("call"), IDS),
        st.tuples(st.just("answer"), IDS),
        st.tuples(
            st.just("activity"),
            st.builds(ResponseActivity, st.booleans(), st.sampled_from(["", "r1", "r2"])),
        ),
        st.tuples(st.just("speech"), st.booleans()),
        st.tuples(st.just("wait"), st.floats(0.01, 8)),
        st.tuples(st.just("reconnect"), st.none()),
    ),
    max_size=40,
)


class Driver:
    """Takes steps, and holds every result that goes out against the promise."""

    def __init__(self, style: str) -> None:
        self.style = style
        self.now, self.epoch = 0.0, 1
        self.box = outbox(style)
        self.running: dict[str, FunctionCall] = {}
        self.sent: dict[tuple[int, str], dict[str, float]] = {}

    def call(self, call_id: str) -> list[str]:
        if self.box.called(call(call_id, self.epoch)):
            self.running[call_id] = call(call_id, self.epoch)
        return []

    def answer(self, call_id: str) -> list[str]:
        known = self.running.pop(call_id, None)
        return [] if known is None else self.box.answered(known, DONE, self.now)

    def activity(self, event: ResponseActivity) -> list[str]:
        return self.box.activity(event, self.now)

    def speech(self, started: bool) -> list[str]:
        (self.box.speech_started if started else self.box.speech_stopped)(self.now)
        return []

    def wait(self, seconds: float) -> list[str]:
        self.now += seconds
        return self.box.due(self.now)

    def reconnect(self, _: None) -> list[str]:
        self.box.lost(self.now)
        self.epoch += 1
        self.box.opened(dialect(self.style), self.epoch)
        return self.box.ready(self.now)

    def check(self, frames: list[str]) -> None:
        for kind in kinds(frames):
            form, _, call_id = kind.partition(" ")
            if not call_id:
                continue
            forms = self.sent.setdefault((self.epoch, call_id), {})
            assert form not in forms
            assert self.style in ("auto", form)
            assert all(self.now - earlier >= LIFE_S for earlier in forms.values())
            forms[form] = self.now


@settings(max_examples=300)
@given(STEPS, st.sampled_from(["auto", "v2", "item"]))
def test_no_call_is_ever_returned_twice_in_one_form_or_in_two_without_the_silence_between(
    steps: list[tuple[str, Any]], style: str
) -> None:
    driver = Driver(style)
    for step, value in steps:
        driver.check(getattr(driver, step)(value))
