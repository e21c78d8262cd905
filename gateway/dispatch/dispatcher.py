"""Brings commands to devices and answers who asked for them.

One command in flight per device attribute, on record before it is sent. Words and policy are
not its business; how often it is sent and what is heard of it have their own modules.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from devices.contract.verbs import VERBS, contradicts, expected_state, written_attributes
from gateway.bus import Bus
from gateway.clock import Clock
from gateway.directory import Device, Directory
from gateway.dispatch.flight import Flight
from gateway.dispatch.hearing import Hearing
from gateway.dispatch.lifecycle import BEGUN, Event, State
from gateway.dispatch.order import CommandLog, NoLog, Order, Result, Written
from gateway.dispatch.question import Questions
from gateway.dispatch.sending import Patience, Sending
from gateway.dispatch.turns import Turns
from gateway.dispatch.wire import Wire
from gateway.errors import JournalError

# A state older than this is no reason to send nothing.
FRESH_S = 60.0


class Dispatcher:
    """Carries out orders. Fulfils `Carrier`."""

    def __init__(
        self,
        wire: Wire,
        directory: Directory,
        bus: Bus,
        clock: Clock,
        patience: Patience | None = None,
        *,
        log: CommandLog | None = None,
    ) -> None:
        self._directory = directory
        self._clock = clock
        self._patience = patience or Patience()
        self._log = log or NoLog()
        self._hearing = Hearing(wire, directory, bus)
        self._sending = Sending(
            wire,
            clock,
            self._patience,
            sent=self._hearing.sent,
            refused=self._hearing.refused,
        )
        self._questions = Questions(
            wire, self._hearing.matcher, clock, answered_within_s=self._patience.delivery_s
        )
        self._turns = Turns()
        self._flights: set[Flight] = set()
        self._closing = False

    async def carry_out(self, order: Order, late: Callable[[Result], None]) -> Result:
        """As `Carrier.carry_out` says."""
        device = self._directory.get(order.device_id)
        if device is None or device.online is False:
            return Result(State.EXPIRED, offline=True)
        if self._is_already(device, order):
            return Result(State.SUCCEEDED, device_state=dict(device.state), already=True)
        started = self._clock.monotonic()
        patience_s = order.answer_within_s or self._patience.answer_s
        flight = self._flight(device, order, started, patience_s, late)
        recorded = True
        self._flights.add(flight)
        try:
            await self._own_turn(flight)
            if self._may_begin(flight):
                recorded = await self._record(device, flight)
            # The disk may have taken its time.
            if recorded and self._may_begin(flight):
                await self._sending.until_heard(device, flight)
            await self._finish(flight, started + patience_s)
        finally:
            self._answered(flight)
        return flight.result() if recorded else replace(flight.result(), unrecorded=True)

    async def ask(self, asked: Written, late: Callable[[Result], None]) -> Result:
        """As `Questions.ask` says; `timed_out` too when the device is not there."""
        device = self._directory.get(asked.order.device_id)
        if device is None or not device.traits.keeps_ids:
            return Result(State.TIMED_OUT, command_id=asked.id)
        return await self._questions.ask(device, asked, late)

    def look(self, asked: Written) -> None:
        """As `Questions.look` says; nothing when the device is not there."""
        device = self._directory.get(asked.order.device_id)
        if device is not None:
            self._questions.look(device, asked)

    def close(self) -> None:
        """Answer every waiting caller now with what is known, and send nothing more.

        Nothing is waited for any more; an acknowledgement still counts.
        """
        self._closing = True
        self._sending.close()
        self._hearing.close()
        for flight in self._flights:
            flight.wake()

    def _flight(
        self,
        device: Device,
        order: Order,
        started: float,
        patience_s: float,
        late: Callable[[Result], None],
    ) -> Flight:
        idempotent = _is_idempotent(device, order.command)
        return Flight(
            order,
            deliver_by=started + min(self._patience.delivery_s, patience_s),
            idempotent=idempotent,
            repeatable=idempotent or device.traits.keeps_ids,
            late=late,
            alone=device.traits.one_at_a_time,
        )

    async def _own_turn(self, flight: Flight) -> None:
        """Return when it is the flight's turn, or when it ended while it waited."""
        if self._turns.enter(flight):
            return
        while self._may_begin(flight) and not self._turns.holds(flight):
            await flight.listen(flight.deliver_by)

    def _may_begin(self, flight: Flight) -> bool:
        return not (flight.heard or self._sending.is_over(flight))

    async def _record(self, device: Device, flight: Flight) -> bool:
        """Whether the command is on record, or may be sent without.

        No disk is waited for longer than a device.
        """
        try:
            async with asyncio.timeout_at(flight.deliver_by):
                await self._log.ahead(Written(flight.id, flight.order, device.ecosystem))
        except (JournalError, TimeoutError):
            return False
        return True

    async def _finish(self, flight: Flight, answer_by: float) -> None:
        """Wait for the end of an accepted command as long as the caller has patience."""
        while flight.state in BEGUN and not self._closing:
            if self._clock.monotonic() >= answer_by:
                break
            await flight.listen(answer_by)

    def _answered(self, flight: Flight) -> None:
        """The caller has its answer, or left: free the turn, and listen on where more may come."""
        if flight.state is State.CREATED:
            flight.step(Event.EXPIRE)
        elif flight.state is State.SENT:
            self._hearing.silent(flight)
        self._flights.discard(flight)
        self._turns.leave(flight)
        self._hearing.answered(flight)

    def _is_already(self, device: Device, order: Order) -> bool:
        if not device.traits.silent_on_repeat or device.online is not True:
            return False
        expected = expected_state(order.command, order.args)
        age_s = self._directory.age_s(device, expected)
        if age_s is None or age_s > FRESH_S or self._may_change(order):
            return False
        known = all(device.state.get(key) is not None for key in expected)
        return bool(expected) and known and contradicts(device.state, expected) is None

    def _may_change(self, order: Order) -> bool:
        """Whether a command before `order` may still change what it asks for."""
        writes = written_attributes(order.command, order.args)
        return any(
            flight.order.device_id == order.device_id and not writes.isdisjoint(flight.writes)
            for flight in (*self._flights, *self._hearing.matcher)
        )


def _is_idempotent(device: Device, command: str) -> bool:
    verb = VERBS.get(command)
    if verb is not None:
        return verb.idempotent
    own = device.description.own_command(command)
    return own is not None and own.idempotent
