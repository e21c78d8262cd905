"""Everything about the states of a command lives here; nothing here sends or waits.

`TABLE` is the whole truth: what is not in it is an error with a name. ARCHITECTURE.md shows
this table, and a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from devices.contract.command import AckStatus
from gateway.errors import LifecycleError


class State(StrEnum):
    """Where a command stands."""

    CREATED = "created"
    """waits for its turn or for the wire"""
    SENT = "sent"
    ACCEPTED = "accepted"
    IN_PROGRESS = "in_progress"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REJECTED = "rejected"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    UNCONFIRMED = "unconfirmed"
    """sent to a device that gives no proof: nobody will ever know"""
    TIMED_OUT = "timed_out"
    """nobody knows; a late acknowledgement may still tell"""

    @property
    def final(self) -> bool:
        """Whether nothing can change it any more."""
        return self in FINAL


FINAL = frozenset(
    {
        State.SUCCEEDED,
        State.FAILED,
        State.REJECTED,
        State.EXPIRED,
        State.SUPERSEDED,
        State.UNCONFIRMED,
    }
)
# The device has it and is at work.
BEGUN = frozenset({State.ACCEPTED, State.IN_PROGRESS})


class Event(StrEnum):
    """What can happen to a command."""

    SEND = "send"
    ACCEPT = "accept"
    PROGRESS = "progress"
    SUCCEED = "succeed"
    FAIL = "fail"
    REJECT = "reject"
    EXPIRE = "expire"
    SUPERSEDE = "supersede"
    RELEASE = "release"
    """sent, and no proof will come"""
    TIME_OUT = "time_out"


# The device's own words, which may come at any time after the command was sent.
_WORDS: Mapping[Event, State] = {
    Event.ACCEPT: State.ACCEPTED,
    Event.PROGRESS: State.IN_PROGRESS,
    Event.SUCCEED: State.SUCCEEDED,
    Event.FAIL: State.FAILED,
    Event.REJECT: State.REJECTED,
    Event.EXPIRE: State.EXPIRED,
}

TABLE: Mapping[State, Mapping[Event, State]] = {
    State.CREATED: {
        Event.SEND: State.SENT,
        Event.REJECT: State.REJECTED,
        Event.EXPIRE: State.EXPIRED,
        Event.SUPERSEDE: State.SUPERSEDED,
    },
    State.SENT: {
        Event.SEND: State.SENT,
        Event.RELEASE: State.UNCONFIRMED,
        Event.TIME_OUT: State.TIMED_OUT,
        **_WORDS,
    },
    State.ACCEPTED: {Event.TIME_OUT: State.TIMED_OUT, **_WORDS},
    # QoS 0 keeps no order: an `accepted` after progress says nothing new.
    State.IN_PROGRESS: {
        Event.TIME_OUT: State.TIMED_OUT,
        **_WORDS,
        Event.ACCEPT: State.IN_PROGRESS,
    },
    State.TIMED_OUT: _WORDS,
    **{state: {} for state in FINAL},
}

_ACK_EVENTS: Mapping[AckStatus, Event] = {
    AckStatus.ACCEPTED: Event.ACCEPT,
    AckStatus.IN_PROGRESS: Event.PROGRESS,
    AckStatus.SUCCEEDED: Event.SUCCEED,
    AckStatus.FAILED: Event.FAIL,
    AckStatus.REJECTED: Event.REJECT,
    AckStatus.EXPIRED: Event.EXPIRE,
}


def step(state: State, event: Event) -> State:
    """The state after `event`. Raises LifecycleError when the table has no such step."""
    try:
        return TABLE[state][event]
    except KeyError:
        raise LifecycleError(f"a command that is {state} cannot {event}") from None


def event_of(status: AckStatus) -> Event:
    """The event that a device's acknowledgement is."""
    return _ACK_EVENTS[status]
