from __future__ import annotations

import pytest

from gateway.providers.base import ResponseActivity
from gateway.session.rhythm import ANSWER_QUIET_S, LONGEST_SPEECH_S, MAX_ANSWER_IDS, Rhythm

pytestmark = pytest.mark.unit

PIECE, END = ResponseActivity(), ResponseActivity(ended=True)


def test_an_answer_runs_until_it_ends_or_goes_quiet() -> None:
    rhythm = Rhythm()
    assert not rhythm.answer_runs(0)
    rhythm.answering(PIECE, 1)
    assert rhythm.answer_runs(1)
    assert not rhythm.answer_runs(1 + ANSWER_QUIET_S)
    rhythm.answering(PIECE, 10)
    rhythm.answering(END, 10.1)
    assert not rhythm.answer_runs(10.2)


def test_what_begins_after_a_result_is_new() -> None:
    rhythm = Rhythm()
    rhythm.result_sent(0)
    assert rhythm.answering(PIECE, 0.1)


def test_an_answer_that_ran_when_the_result_went_out_is_old_until_it_ends() -> None:
    rhythm = Rhythm()
    rhythm.answering(PIECE, 0)
    rhythm.result_sent(0.1)
    assert not rhythm.answering(PIECE, 0.2)
    assert not rhythm.answering(END, 0.3)
    assert rhythm.answering(PIECE, 0.4)


def test_an_old_answer_that_went_quiet_is_over() -> None:
    rhythm = Rhythm()
    rhythm.answering(PIECE, 0)
    rhythm.result_sent(0.1)
    assert rhythm.answering(PIECE, 0.2 + ANSWER_QUIET_S)


def test_the_end_of_something_never_seen_is_not_new() -> None:
    rhythm = Rhythm()
    rhythm.result_sent(0)
    assert not rhythm.answering(END, 0.1)


def test_ids_tell_the_answers_apart_whatever_runs() -> None:
    rhythm = Rhythm()
    rhythm.answering(ResponseActivity(response_id="a"), 0)
    rhythm.result_sent(0.1)
    assert not rhythm.answering(ResponseActivity(response_id="a"), 0.2)
    assert rhythm.answering(ResponseActivity(response_id="b"), 0.3)
    assert not rhythm.answering(ResponseActivity(ended=True, response_id="a"), 0.4)


def test_few_ids_are_remembered() -> None:
    rhythm = Rhythm()
    for number in range(MAX_ANSWER_IDS + 1):
        rhythm.answering(ResponseActivity(response_id=str(number)), 0)
    assert not rhythm.answering(ResponseActivity(response_id="1"), 0)
    assert rhythm.answering(ResponseActivity(response_id="0"), 0)


def test_silence_begins_when_everybody_stopped() -> None:
    rhythm = Rhythm()
    assert rhythm.quiet_since(5) == 5
    rhythm.speech_started(6)
    assert rhythm.quiet_since(5) == 6 + LONGEST_SPEECH_S
    rhythm.speech_stopped(8)
    assert rhythm.quiet_since(5) == 8
    rhythm.answering(PIECE, 9)
    assert rhythm.quiet_since(5) == 9 + ANSWER_QUIET_S
    rhythm.answering(END, 9.5)
    assert rhythm.quiet_since(5) == 9.5


def test_what_was_asked_for_counts_as_running_but_is_not_old() -> None:
    rhythm = Rhythm()
    rhythm.answer_asked(0)
    assert rhythm.answer_runs(1)
    rhythm.result_sent(1)
    assert rhythm.answering(PIECE, 1.1)
