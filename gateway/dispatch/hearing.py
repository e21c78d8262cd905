"""What devices say of the commands that were sent: by name, by their reports, by complaints.

Every word moves its command through the state table, until nothing can change it any more.
It never sends a command.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress

from devices.contract.command import Ack, AckError, AckStatus, Evidence
from devices.contract.errors import CommandRefusedError, LinkError
from devices.ecosystems.base import Acknowledged, StateReport, Trouble
from gateway.bus import Bus
from gateway.directory import Directory
from gateway.dispatch.flight import Flight
from gateway.dispatch.lifecycle import BEGUN, Event, State, event_of
from gateway.dispatch.matcher import Matcher, Stray
from gateway.dispatch.watch import Watch
from gateway.dispatch.wire import Wire
from gateway.dispatch.witness import Finding
from gateway.events import CommandEnded, CommandSent, EvidenceReceived

_AT_WORK = frozenset({State.SENT, *BEGUN})
_FINDINGS: Mapping[Finding, AckStatus] = {
    Finding.PROGRESS: AckStatus.IN_PROGRESS,
    Finding.DONE: AckStatus.SUCCEEDED,
    Finding.STUCK: AckStatus.FAILED,
}
_STUCK = AckError("stuck", "It stopped before it was there.")


class Hearing:
    """The commands of which devices may still say something. Takes the wire's messages.

    `matcher` has those that can be acknowledged by name.
    """

    def __init__(self, wire: Wire, directory: Directory, bus: Bus) -> None:
        self.matcher = Matcher()
        self._wire = wire
        self._directory = directory
        self._bus = bus
        self._watch = Watch(self._found, self._ask_state)
        self._completing: dict[str, asyncio.TimerHandle] = {}
        self._closed = False
        wire.on_ack = self._acknowledged
        wire.on_report = self._watch.heard
        wire.on_trouble = self._troubled

    def sent(self, flight: Flight) -> None:
        """An attempt went out: from now on its device may speak of it."""
        flight.attempts += 1
        flight.step(Event.SEND)
        self.matcher.expect(flight)
        self._watch.sent(flight)
        self._report_attempt(flight)
        if flight.proof.needs <= Evidence.ACCEPTED:
            flight.step(Event.RELEASE)
            self._ended(flight)

    def refused(self, flight: Flight, error: CommandRefusedError) -> None:
        """The ecosystem has no words for it, so this attempt was not sent."""
        flight.ack = Ack(flight.id, AckStatus.REJECTED, error=AckError(error.code, error.message))
        flight.step(Event.REJECT)
        # What never went out ends with its answer.
        if flight.attempts:
            self._ended(flight)

    def silent(self, flight: Flight) -> None:
        """The time to deliver is over, and no word ended the command."""
        witness = flight.witness
        settles = flight.proof.needs >= Evidence.SETTLED
        if witness is not None and witness.contradiction and not settles:
            # It has spoken, and what was asked for is not there. A bolt may still be on its way.
            self._take(flight, Ack(flight.id, AckStatus.FAILED, witness.state))
        elif flight.proof.sleepy:
            flight.step(Event.ACCEPT)
        else:
            flight.step(Event.TIME_OUT)

    def answered(self, flight: Flight) -> None:
        """The caller has its answer, or left: what its device says now is late news."""
        flight.answered = True
        if flight.state in BEGUN:
            self._listen_on(flight)
        elif flight.state is State.TIMED_OUT and flight.witness is not None:
            self._on_record(flight)
            self._listen_on(flight)
        elif flight.state is State.TIMED_OUT or not flight.attempts:
            self._ended(flight)

    def close(self) -> None:
        """Wait for nothing more. What a device still says counts."""
        self._closed = True
        self._watch.close()
        for timer in self._completing.values():
            timer.cancel()
        self._completing.clear()

    # --- what comes ----------------------------------------------------------------------

    def _acknowledged(self, heard: Acknowledged) -> None:
        """A device said something of a command."""
        flight = self.matcher.match(heard)
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
        for flight in tuple(self.matcher):
            meant = not trouble.keys or not trouble.keys.isdisjoint(flight.writes)
            if meant and flight.order.device_id == trouble.device_id and flight.state in _AT_WORK:
                self._take(flight, Ack(flight.id, status, error=error))

    def _take(self, flight: Flight, ack: Ack) -> None:
        """A word on a command that is open: the device's own, or what its reports come to."""
        flight.ack = ack
        self._report(Acknowledged(flight.order.device_id, ack), late=flight.answered)
        flight.step(event_of(ack.status))
        if flight.state.final:
            self._ended(flight)
            if flight.answered:
                flight.late(flight.result())

    # --- what ends -----------------------------------------------------------------------

    def _listen_on(self, flight: Flight) -> None:
        if not self._closed:
            self._completing[flight.id] = asyncio.get_running_loop().call_later(
                flight.completes_within_s, self._never_finished, flight
            )

    def _never_finished(self, flight: Flight) -> None:
        """The time to complete has passed: who accepted is told of, who never spoke was."""
        if flight.state is State.TIMED_OUT:
            self._forget(flight)
            return
        flight.step(Event.TIME_OUT)
        self._ended(flight)
        flight.late(flight.result())

    def _ended(self, flight: Flight) -> None:
        self._forget(flight)
        if flight.state is not State.TIMED_OUT:
            self.matcher.ended(flight)
        self._on_record(flight)

    def _forget(self, flight: Flight) -> None:
        """What its device reports concerns it no more."""
        timer = self._completing.pop(flight.id, None)
        if timer is not None:
            timer.cancel()
        self._watch.end(flight)

    def _on_record(self, flight: Flight) -> None:
        self._bus.publish(CommandEnded(flight.id, flight.order.device_id, flight.state.value))

    # --- what is told --------------------------------------------------------------------

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

    def _report_attempt(self, flight: Flight) -> None:
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
