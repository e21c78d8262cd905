"""Everything about the states of a session lives here; nothing here connects or waits.

`TABLE` is the whole truth: what is not in it is an error with a name.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from gateway.errors import SessionError


class SessionStateError(SessionError):
    """An event that the session's state table does not have: a bug of ours."""


class State(StrEnum):
    """Where a session stands."""

    IDLE = "idle"
    CONNECTING = "connecting"
    OPENING = "opening"
    """the socket is open, the model is not known to be there"""
    LIVE = "live"
    WAITING = "waiting"
    """pauses before the next attempt"""
    ASKING = "asking"
    """a person must act first; looks again in minutes"""
    RENEWING = "renewing"
    """the connection became old and is let go; the next one follows at once"""
    DRAINING = "draining"
    """takes no new calls and waits for those in flight"""
    STOPPED = "stopped"


class Event(StrEnum):
    """What can happen to a session."""

    CONNECT = "connect"
    OPEN = "open"
    READY = "ready"
    LOSE = "lose"
    """the connection ended or could not be made; trying again may help"""
    ASK = "ask"
    """it ended for a reason that a person must clear"""
    RENEW = "renew"
    """the connection is old, and nobody speaks"""
    DRAIN = "drain"
    STOP = "stop"


_ENDS: Mapping[Event, State] = {
    Event.LOSE: State.WAITING,
    Event.ASK: State.ASKING,
    Event.DRAIN: State.DRAINING,
    Event.STOP: State.STOPPED,
}
_PAUSED: Mapping[Event, State] = {
    Event.CONNECT: State.CONNECTING,
    Event.DRAIN: State.DRAINING,
    Event.STOP: State.STOPPED,
}

TABLE: Mapping[State, Mapping[Event, State]] = {
    State.IDLE: _PAUSED,
    State.CONNECTING: {Event.OPEN: State.OPENING, **_ENDS},
    State.OPENING: {Event.READY: State.LIVE, **_ENDS},
    State.LIVE: {Event.RENEW: State.RENEWING, **_ENDS},
    State.WAITING: _PAUSED,
    State.ASKING: _PAUSED,
    State.RENEWING: _PAUSED,
    State.DRAINING: {Event.STOP: State.STOPPED},
    State.STOPPED: {},
}


def step(state: State, event: Event) -> State:
    """The state after `event`. Raises SessionStateError when the table has no such step."""
    try:
        return TABLE[state][event]
    except KeyError:
        raise SessionStateError(f"a session that is {state} cannot {event}") from None
