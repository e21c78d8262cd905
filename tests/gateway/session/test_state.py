from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import SessionError
from gateway.session.state import TABLE, Event, SessionStateError, State, step

pytestmark = pytest.mark.unit


def test_a_session_comes_up_is_lost_and_comes_up_again() -> None:
    state = State.IDLE
    for event in (Event.CONNECT, Event.OPEN, Event.READY, Event.LOSE, Event.CONNECT):
        state = step(state, event)
    assert state is State.CONNECTING


def test_a_session_that_drains_only_stops() -> None:
    assert step(State.LIVE, Event.DRAIN) is State.DRAINING
    for event in set(Event) - {Event.STOP}:
        with pytest.raises(SessionStateError):
            step(State.DRAINING, event)


def test_what_is_not_in_the_table_is_an_error_with_a_name() -> None:
    with pytest.raises(SessionError, match="a session that is stopped cannot connect"):
        step(State.STOPPED, Event.CONNECT)


def test_every_state_but_the_last_can_be_stopped() -> None:
    assert set(TABLE) == set(State)
    for state in set(State) - {State.STOPPED}:
        assert step(state, Event.STOP) is State.STOPPED


@given(st.lists(st.sampled_from(Event), max_size=20))
def test_any_events_lead_to_a_state_or_to_the_named_error(events: list[Event]) -> None:
    state = State.IDLE
    for event in events:
        try:
            state = step(state, event)
        except SessionStateError:
            assert event not in TABLE[state]
    assert state in State
