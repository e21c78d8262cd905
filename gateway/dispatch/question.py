"""Asks a device what became of a command that was sent in an earlier life of ours.

The very same command goes out with no time left to live: a device that knows the id repeats
its last word, any other refuses it as expired. A device without ids is only asked for its
state. So nothing is ever done by asking.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Protocol

from devices.contract.command import Command
from devices.contract.errors import DevicesError
from devices.ecosystems.base import Proof
from devices.link.base import Publish
from gateway.clock import Clock
from gateway.directory import Device
from gateway.dispatch.flight import Flight
from gateway.dispatch.lifecycle import BEGUN, Event, State
from gateway.dispatch.matcher import Matcher
from gateway.dispatch.order import Result, Written

PAUSE_S = 0.4


class Sender(Protocol):
    """What is needed of the wire."""

    def send(self, device: Device, command: Command) -> object:
        """Publish now, or raise a DevicesError."""

    def proof(self, device: Device, command: Command) -> Proof:
        """What would prove `command` done, or raise a DevicesError."""

    def say(self, messages: Iterable[Publish]) -> None:
        """Publish `messages`, or raise a DevicesError."""


class Questions:
    """Puts questions on the wire; the dispatcher hands the answers to `matcher`'s flights."""

    def __init__(
        self, wire: Sender, matcher: Matcher, clock: Clock, *, answered_within_s: float
    ) -> None:
        self._wire = wire
        self._matcher = matcher
        self._clock = clock
        self._answered_within_s = answered_within_s

    async def ask(self, device: Device, asked: Written, late: Callable[[Result], None]) -> Result:
        """Where `asked` stands: final, or `timed_out` when `device` said nothing.

        While the device is still at it, this waits as long as a new command would take;
        then it is `accepted` or `in_progress`. What the device says after that goes to
        `late`. `expired` means that the device does not know the command.
        """
        flight = Flight(
            asked.order,
            deliver_by=self._clock.monotonic() + self._answered_within_s,
            idempotent=False,
            repeatable=True,
            late=late,
        )
        flight.id, flight.asked = asked.id, True
        flight.step(Event.SEND)
        self._matcher.expect(flight)
        try:
            await self._until_heard(device, flight, asked)
            await self._until_done(flight)
        finally:
            flight.answered = True
            if flight.state is State.SENT:
                flight.step(Event.TIME_OUT)
        return flight.result()

    def look(self, device: Device, asked: Written) -> None:
        """Have `device` report the state that `asked` wanted, where its ecosystem can."""
        with suppress(DevicesError):
            self._wire.say(self._wire.proof(device, _question(asked)).read_back)

    async def _until_heard(self, device: Device, flight: Flight, asked: Written) -> None:
        while not flight.heard and self._clock.monotonic() < flight.deliver_by:
            flight.attempts += 1
            with suppress(DevicesError):
                self._wire.send(device, _question(asked, flight.attempts))
            pause_until = self._clock.monotonic() + PAUSE_S
            await flight.listen(min(flight.deliver_by, pause_until))

    async def _until_done(self, flight: Flight) -> None:
        until = self._clock.monotonic() + flight.completes_within_s
        while flight.state in BEGUN:
            if self._clock.monotonic() >= until:
                return
            await flight.listen(until)


def _question(asked: Written, attempt: int = 1) -> Command:
    return Command(asked.id, asked.order.command, asked.order.args, 0, attempt)
