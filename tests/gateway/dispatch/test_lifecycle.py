from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.contract.command import AckStatus
from gateway.dispatch.lifecycle import FINAL, TABLE, Event, State, event_of, step
from gateway.errors import LifecycleError

pytestmark = pytest.mark.unit

WORDS = [event_of(status) for status in AckStatus]


@given(st.sampled_from(State), st.sampled_from(Event))
def test_only_what_the_table_has_can_happen(state: State, event: Event) -> None:
    if event in TABLE[state]:
        assert step(state, event) is TABLE[state][event]
    else:
        with pytest.raises(LifecycleError, match=f"{state} cannot {event}"):
            step(state, event)


@given(st.lists(st.sampled_from(Event)))
def test_no_history_leaves_a_final_state_or_ends_well_without_the_devices_word(
    events: list[Event],
) -> None:
    state, happened = State.CREATED, []
    for event in events:
        try:
            after = step(state, event)
        except LifecycleError:
            continue
        assert not state.final
        happened.append(event)
        state = after
    if state is State.SUCCEEDED:
        assert happened[0] is Event.SEND
        assert happened[-1] is Event.SUCCEED


def test_every_state_is_in_the_table_and_final_ones_have_no_way_out() -> None:
    assert set(TABLE) == set(State)
    assert {state for state in State if not TABLE[state]} == FINAL
    assert {state for state in State if state.final} == FINAL


@pytest.mark.parametrize("word", WORDS)
def test_the_devices_word_counts_at_any_time_after_sending_and_never_before(word: Event) -> None:
    for state in (State.SENT, State.ACCEPTED, State.IN_PROGRESS, State.TIMED_OUT):
        assert word in TABLE[state]
    for state in (State.CREATED, *FINAL):
        # Its time may run out, or nobody can put it in words: that is ours to say.
        assert word not in TABLE[state] or word in (Event.EXPIRE, Event.REJECT)


def test_a_command_that_timed_out_can_still_turn_out_well() -> None:
    assert step(State.TIMED_OUT, Event.SUCCEED) is State.SUCCEEDED
    assert not State.TIMED_OUT.final


def test_once_accepted_nothing_is_sent_again() -> None:
    assert Event.SEND in TABLE[State.SENT]
    for state in (State.ACCEPTED, State.IN_PROGRESS, State.TIMED_OUT):
        assert Event.SEND not in TABLE[state]


def test_acceptance_that_comes_after_progress_is_no_step_back() -> None:
    assert step(State.IN_PROGRESS, Event.ACCEPT) is State.IN_PROGRESS


def test_only_what_was_never_sent_can_be_superseded() -> None:
    assert [state for state in State if Event.SUPERSEDE in TABLE[state]] == [State.CREATED]
