"""Brings commands to devices and waits for what they say.

One command in flight per device attribute; every attempt under the same id; nothing is sent
after its deadline. Words and policy are not its business.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from random import random

from tenacity import AsyncRetrying, RetryCallState, RetryError, retry_if_exception_type

from devices.contract.command import Ack, AckError, AckStatus, Command, Evidence
from devices.contract.errors import CommandRefusedError, LinkError
from devices.contract.verbs import VERBS, contradicts, expected_state, written_attributes
from devices.ecosystems.base import Acknowledged, StateReport, Trouble
from gateway.bus import Bus
from gateway.clock import Clock
from gateway.directory import Device, Directory
from gateway.dispatch.flight import Flight
from gateway.dispatch.lifecycle import Event, State, event_of
from gateway.dispatch.matcher import Matcher, Stray
from gateway.dispatch.order import CommandLog, NoLog, Order, Result, Written
from gateway.dispatch.question import Questions
from gateway.dispatch.turns import Turns
from gateway.dispatch.watch import Watch
from gateway.dispatch.wire import Wire
from gateway.dispatch.witness import Finding
from gateway.errors import JournalError
from gateway.events import CommandEnded, CommandSent, EvidenceReceived

# A state older than this is no reason to send nothing.
FRESH_S = 60.0
# Two cups of coffee: the device's own word ends it, this is the longest that we listen for it.
OWN_COMMAND_COMPLETES_S = 120.0
# A device that sleeps wakes when it likes; of what is older nobody wants to hear.
WAKES_WITHIN_S = 600.0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long things may take.

    `delivery_s`: until a command must have reached its device. `answer_s`: until the caller
    is answered. `first_pause_s`: before the second attempt; it doubles each time.
    `jitter_s` spreads the attempts of many gateways.
    """

    delivery_s: float = 3.0
    answer_s: float = 4.0
    first_pause_s: float = 0.4
    jitter_s: float = 0.1


_AT_WORK = frozenset({State.SENT, State.ACCEPTED, State.IN_PROGRESS})
_FINDINGS: Mapping[Finding, AckStatus] = {
    Finding.PROGRESS: AckStatus.IN_PROGRESS,
    Finding.DONE: AckStatus.SUCCEEDED,
    Finding.STUCK: AckStatus.FAILED,
}
_STUCK = AckError("stuck", "It stopped before it was there.")


class _UnansweredError(Exception):
    """The device has not said a word yet: the one reason to try again."""


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
        self._wire = wire
        self._directory = directory
        self._bus = bus
        self._clock = clock
        self._patience = patience or Patience()
        self._log = log or NoLog()
        self._matcher = Matcher()
        self._questions = Questions(
            wire, self._matcher, clock, answered_within_s=self._patience.delivery_s
        )
        self._turns = Turns()
        self._flights: set[Flight] = set()
        self._completing: dict[str, asyncio.TimerHandle] = {}
        self._watch = Watch(self._found, self._ask_state)
        self._closing = False
        wire.on_ack = self.acknowledged
        wire.on_report = self._watch.heard
        wire.on_trouble = self._troubled

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
                await self._send_until_heard(device, flight)
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

    def acknowledged(self, heard: Acknowledged) -> None:
        """A device said something of a command."""
        flight = self._matcher.match(heard)
        ack = heard.ack
        if isinstance(flight, Stray):
            if flight.duplicate:
                self._report(heard, duplicate=True)
            else:
                self._wire.drop(heard.device_id, f"an acknowledgement: {flight.reason}")
            return
        if ack.state and not flight.asked:
            self._directory.reported(StateReport(heard.device_id, ack.state, live=True))
        self._take(flight, ack)

    def close(self) -> None:
        """Answer every waiting caller now with what is known, and send nothing more.

        What was answered before is no longer waited for; an acknowledgement still counts.
        """
        self._closing = True
        self._watch.close()
        for timer in self._completing.values():
            timer.cancel()
        self._completing.clear()
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
        while not (flight.heard or self._turns.holds(flight) or self._is_over(flight)):
            await flight.listen(flight.deliver_by)

    def _may_begin(self, flight: Flight) -> bool:
        return not (flight.heard or self._is_over(flight))

    async def _record(self, device: Device, flight: Flight) -> bool:
        """Whether the command is on record, or may be sent without. No disk is waited for longer
        than a device.
        """
        try:
            async with asyncio.timeout_at(flight.deliver_by):
                await self._log.ahead(Written(flight.id, flight.order, device.ecosystem))
        except (JournalError, TimeoutError):
            return False
        return True

    async def _send_until_heard(self, device: Device, flight: Flight) -> None:
        """The first attempt, the repeats where it needs them, and the time that is left."""
        self._attempt(device, flight)
        if not flight.heard:
            pause_until = self._clock.monotonic() + self._pause_s(flight)
            await flight.listen(min(flight.deliver_by, pause_until))
        if not flight.heard:
            await self._repeat(device, flight)
        while not (flight.heard or self._is_over(flight)):
            await flight.listen(flight.deliver_by)

    async def _repeat(self, device: Device, flight: Flight) -> None:
        """Send again under the same id, with growing pauses, until the device says a word."""

        async def again() -> None:
            if not flight.heard:
                self._attempt(device, flight)
            if not flight.heard:
                raise _UnansweredError

        retrying = AsyncRetrying(
            retry=retry_if_exception_type(_UnansweredError),
            wait=lambda _: self._pause_s(flight),
            stop=lambda call: self._is_last(flight, call),
            # The pause between two attempts is spent listening.
            sleep=lambda pause_s: flight.listen(self._clock.monotonic() + pause_s),
        )
        with suppress(RetryError):
            await retrying(again)

    def _attempt(self, device: Device, flight: Flight) -> None:
        """Send now, if that is still allowed and the broker is there."""
        left_ms = int((flight.deliver_by - self._clock.monotonic()) * 1000)
        if self._closing or left_ms <= 0 or (flight.attempts > 0 and not flight.repeatable):
            return
        order = flight.order
        command = Command(flight.id, order.command, order.args, left_ms, flight.attempts + 1)
        try:
            flight.proof = self._wire.send(device, command)
        except LinkError:
            return  # a broker that is away may be back before the delivery time is over
        except CommandRefusedError as error:
            self._cannot_be_told(flight, error)
            return
        self._sent(flight)

    async def _finish(self, flight: Flight, answer_by: float) -> None:
        """Wait for the end of an accepted command as long as the caller has patience."""
        while flight.state in (State.ACCEPTED, State.IN_PROGRESS) and not self._closing:
            if self._clock.monotonic() >= answer_by:
                break
            await flight.listen(answer_by)

    def _answered(self, flight: Flight) -> None:
        """The caller has its answer, or left: free the turn, and listen on where more may come."""
        if flight.state is State.CREATED:
            flight.step(Event.EXPIRE)
        elif flight.state is State.SENT:
            self._in_silence(flight)
        self._flights.discard(flight)
        self._turns.leave(flight)
        flight.answered = True
        if flight.state in (State.ACCEPTED, State.IN_PROGRESS) and not self._closing:
            loop = asyncio.get_running_loop()
            timer = loop.call_later(_completes_s(flight), self._never_finished, flight)
            self._completing[flight.id] = timer
        elif not flight.state.final or (flight.ack is None and not flight.attempts):
            self._ended(flight)

    def _in_silence(self, flight: Flight) -> None:
        """The time to deliver is over, and no word ended the command."""
        witness = flight.witness
        if witness is not None and witness.contradiction:
            # It has spoken, and what was asked for is not there.
            self._take(flight, Ack(flight.id, AckStatus.FAILED, witness.state))
        elif flight.proof.sleepy:
            flight.step(Event.ACCEPT)
        else:
            flight.step(Event.TIME_OUT)

    def _never_finished(self, flight: Flight) -> None:
        """The device accepted, and its time to complete has passed."""
        flight.step(Event.TIME_OUT)
        self._ended(flight)
        flight.late(flight.result())

    def _ended(self, flight: Flight) -> None:
        timer = self._completing.pop(flight.id, None)
        if timer is not None:
            timer.cancel()
        if flight.state is not State.TIMED_OUT:
            self._matcher.ended(flight)
        self._watch.end(flight)
        self._bus.publish(CommandEnded(flight.id, flight.order.device_id, flight.state.value))

    def _pause_s(self, flight: Flight) -> float:
        """How long to listen before the next attempt; what was never sent does not back off."""
        doublings = max(0, flight.attempts - 1)
        return self._patience.first_pause_s * 2.0**doublings + random() * self._patience.jitter_s

    def _is_over(self, flight: Flight) -> bool:
        return self._closing or self._clock.monotonic() >= flight.deliver_by

    def _is_last(self, flight: Flight, call: RetryCallState) -> bool:
        """Whether another attempt after the coming pause would be too late, or is not allowed."""
        if self._closing or (flight.attempts > 0 and not flight.repeatable):
            return True
        return self._clock.monotonic() + call.upcoming_sleep >= flight.deliver_by

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
            for flight in (*self._flights, *self._matcher)
        )

    # --- what devices say -----------------------------------------------------------------

    def _take(self, flight: Flight, ack: Ack) -> None:
        """A word on a command that is open: the device's own, or what its reports come to."""
        flight.ack = ack
        self._report(Acknowledged(flight.order.device_id, ack), late=flight.answered)
        flight.step(event_of(ack.status))
        if flight.state.final:
            self._ended(flight)
            if flight.answered:
                flight.late(flight.result())

    def _found(self, flight: Flight, finding: Finding) -> None:
        """What the reports of a device come to for one of its commands."""
        witness = flight.witness
        status = _FINDINGS.get(finding)
        if witness is None or status is None:
            return
        if status is AckStatus.IN_PROGRESS and flight.state is State.TIMED_OUT:
            return  # the caller was told that nobody knows; only an end is news
        error = _STUCK if finding is Finding.STUCK else None
        self._take(flight, Ack(flight.id, status, dict(witness.state), error))

    def _troubled(self, trouble: Trouble) -> None:
        """A device or its bridge complains, without naming a command."""
        status = AckStatus.REJECTED if trouble.rejected else AckStatus.FAILED
        error = AckError(trouble.code, trouble.message)
        for flight in tuple(self._matcher):
            meant = not trouble.keys or not trouble.keys.isdisjoint(flight.writes)
            if meant and flight.order.device_id == trouble.device_id and flight.state in _AT_WORK:
                self._take(flight, Ack(flight.id, status, error=error))

    def _cannot_be_told(self, flight: Flight, error: CommandRefusedError) -> None:
        """The ecosystem has no words for it: refused before anything was sent."""
        flight.ack = Ack(flight.id, AckStatus.REJECTED, error=AckError(error.code, error.message))
        flight.step(Event.REJECT)
        self._ended(flight)

    def _ask_state(self, flight: Flight) -> None:
        with suppress(LinkError):
            self._wire.say(flight.proof.read_back)

    def _report(self, heard: Acknowledged, *, late: bool = False, duplicate: bool = False) -> None:
        if self._bus.listening:
            ack = heard.ack
            self._bus.publish(
                EvidenceReceived(
                    ack.id, heard.device_id, ack.status.value, ack.state, late, duplicate
                )
            )

    def _sent(self, flight: Flight) -> None:
        flight.attempts += 1
        flight.step(Event.SEND)
        self._matcher.expect(flight)
        self._watch.sent(flight)
        if self._bus.listening:
            order = flight.order
            self._bus.publish(
                CommandSent(
                    order.call_id,
                    flight.id,
                    order.device_id,
                    order.command,
                    order.args,
                    flight.attempts,
                )
            )
        if flight.proof.needs <= Evidence.ACCEPTED:
            flight.step(Event.RELEASE)
            self._ended(flight)


def _completes_s(flight: Flight) -> float:
    """How long an answered command is listened for."""
    if flight.proof.sleepy:
        return WAKES_WITHIN_S
    verb = VERBS.get(flight.order.command)
    return verb.completes_within_s if verb else OWN_COMMAND_COMPLETES_S


def _is_idempotent(device: Device, command: str) -> bool:
    verb = VERBS.get(command)
    if verb is not None:
        return verb.idempotent
    own = device.description.own_command(command)
    return own is not None and own.idempotent
