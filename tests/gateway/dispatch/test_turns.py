from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from gateway.dispatch.flight import Flight
from gateway.dispatch.lifecycle import Event, State
from gateway.dispatch.turns import Turns
from tests.gateway.dispatch.bench import flight

pytestmark = pytest.mark.unit


def test_the_next_has_its_turn_when_the_first_leaves() -> None:
    turns = Turns()
    first, second, third = (flight("brew") for _ in range(3))
    assert [turns.enter(f) for f in (first, second, third)] == [True, False, False]
    turns.leave(first)
    assert [turns.holds(f) for f in (first, second, third)] == [False, True, False]
    turns.leave(third)
    turns.leave(second)
    assert not turns.holds(third)


def test_devices_and_attributes_do_not_wait_for_each_other() -> None:
    turns = Turns()
    others = [
        flight("turn_on"),
        flight("turn_on", "hall"),
        flight("set_cover", position=1),
        flight("set_value", name="volume", value=1),
        flight("set_value", name="bass", value=1),
        flight("press", name="next"),
        flight("brew"),
    ]
    assert all(turns.enter(one) for one in others)


def test_a_newer_wish_ends_one_that_waits() -> None:
    turns = Turns()
    first, waiting, newest = flight("turn_on"), flight("turn_off"), flight("turn_on")
    first.step(Event.SEND) if turns.enter(first) else pytest.fail("it is free")
    assert not turns.enter(waiting)
    assert not turns.enter(newest)
    assert (first.state, waiting.state) == (State.SENT, State.SUPERSEDED)
    turns.leave(first)
    assert turns.holds(newest)


def test_a_newer_wish_ends_one_that_had_its_turn_and_was_not_sent() -> None:
    turns = Turns()
    unsent, newest = flight("turn_on"), flight("turn_off")
    turns.enter(unsent)
    assert turns.enter(newest)
    assert unsent.state is State.SUPERSEDED


def test_off_replaces_a_waiting_brightness_but_on_does_not() -> None:
    for command, state in (("turn_off", State.SUPERSEDED), ("turn_on", State.CREATED)):
        turns = Turns()
        first, dim = flight("turn_on"), flight("turn_on", brightness=40)
        turns.enter(first)
        first.step(Event.SEND)
        turns.enter(dim)
        turns.enter(flight(command))
        assert dim.state is state


def test_stop_goes_ahead_and_ends_what_would_move_again() -> None:
    turns = Turns()
    moving, waiting, stop = (
        flight("set_cover", position=0),
        flight("set_cover", position=50),
        flight("stop"),
    )
    turns.enter(moving)
    moving.step(Event.SEND)
    turns.enter(waiting)
    assert turns.enter(stop)
    assert waiting.state is State.SUPERSEDED
    assert (moving.state, moving.repeatable) == (State.SENT, False)


def test_a_later_movement_ends_the_repeats_of_a_stop() -> None:
    turns = Turns()
    stop, moving = flight("stop"), flight("set_cover", position=50)
    turns.enter(stop)
    stop.step(Event.SEND)
    assert turns.enter(moving)
    assert not stop.repeatable


COMMANDS = st.sampled_from(
    [
        ("turn_on", {}),
        ("turn_on", {"brightness": 5}),
        ("turn_off", {}),
        ("set_cover", {"position": 5}),
        ("stop", {}),
        ("brew", {}),
    ]
)


class TurnsMachine(RuleBasedStateMachine):
    """Flights come, are sent when it is their turn, end, and leave, in any order."""

    flights = Bundle("flights")

    def __init__(self) -> None:
        super().__init__()
        self.turns = Turns()
        self.inside: list[Flight] = []

    @rule(target=flights, asked=COMMANDS, device=st.sampled_from(["lamp", "hall"]))
    def enter(self, asked: tuple[str, dict[str, int]], device: str) -> Flight:
        made = flight(asked[0], device, **asked[1])
        assert self.turns.enter(made) == self.turns.holds(made)
        self.inside.append(made)
        return made

    @rule(one=flights)
    def send(self, one: Flight) -> None:
        if self.turns.holds(one) and one.state is State.CREATED:
            one.step(Event.SEND)

    @rule(one=flights)
    def succeed(self, one: Flight) -> None:
        if one.state is State.SENT:
            one.step(Event.SUCCEED)

    @rule(one=consumes(flights))
    def leave(self, one: Flight) -> None:
        self.turns.leave(one)
        self.inside.remove(one)
        assert not self.turns.holds(one)

    @invariant()
    def at_most_one_holds_an_attribute(self) -> None:
        holding = [f for f in self.inside if self.turns.holds(f) and not f.state.final]
        taken = [(f.order.device_id, key) for f in holding for key in f.writes]
        assert len(taken) == len(set(taken))

    @invariant()
    def whoever_waits_waits_for_somebody(self) -> None:
        for one in self.inside:
            if one.state is State.CREATED and not self.turns.holds(one):
                others = [f for f in self.inside if f is not one]
                assert any(
                    f.order.device_id == one.order.device_id and not f.writes.isdisjoint(one.writes)
                    for f in others
                )

    @invariant()
    def nothing_is_kept_of_who_left(self) -> None:
        kept = [
            f
            for table in (self.turns._holding, self.turns._waiting)
            for queue in table.values()
            for f in queue
        ]
        assert len(kept) == len(self.inside)
        if not self.inside:
            assert not self.turns._holding
            assert not self.turns._waiting


TestTurnsMachine = TurnsMachine.TestCase
