"""Commands that only the reports of their device can prove, by device.

It hears reports for their witnesses and says when to ask a device for its state; what a
finding means for a command is the dispatcher's business.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from devices.contract.command import Evidence
from devices.ecosystems.base import StateReport
from gateway.dispatch.flight import Flight
from gateway.dispatch.lifecycle import State
from gateway.dispatch.witness import Finding, Witness

# A movement that nothing was heard of for so long is asked about: it may have ended.
QUIET_S = 2.0
# Echoes of one command come in pieces some 25 ms apart (measured: brightness, then warmth); the
# last of them must not be taken for the answer to our question.
ECHO_S = 0.1
# How long before the end of the time to deliver a silent device is asked for its state.
READ_BACK_S = 1.0

Found = Callable[[Flight, Finding], None]
Ask = Callable[[Flight], None]


class Watch:
    """Open flights with a witness. `found` takes findings, `ask` sends a read-back."""

    def __init__(self, found: Found, ask: Ask) -> None:
        self._found = found
        self._ask = ask
        self._open: dict[str, dict[Flight, Witness]] = {}
        self._timers: dict[Flight, asyncio.TimerHandle] = {}

    def __len__(self) -> int:
        """How many commands wait for reports."""
        return sum(len(flights) for flights in self._open.values())

    def sent(self, flight: Flight) -> None:
        """An attempt went out: reports of the flight's device count for it from now on."""
        if flight.witness is not None:
            flight.witness.sent_again()
        elif flight.proof.state:
            flight.witness = Witness(flight.proof)
            self._overtake(flight)
            self._open.setdefault(flight.order.device_id, {})[flight] = flight.witness
            if flight.proof.read_back:
                self._ask_at(flight, flight.deliver_by - READ_BACK_S)

    def end(self, flight: Flight) -> None:
        """Nothing that is reported concerns the flight any more."""
        self._calm(flight)
        flights = self._open.get(flight.order.device_id)
        if flights is not None:
            flights.pop(flight, None)
            if not flights:
                del self._open[flight.order.device_id]

    def heard(self, report: StateReport) -> None:
        """A device reported something."""
        for flight, witness in tuple(self._open.get(report.device_id, {}).items()):
            self._weigh(flight, witness, witness.hear(report))

    def read_back(self, flight: Flight) -> None:
        """Ask the flight's device for its state, where that is possible."""
        self._calm(flight)
        if flight.witness is not None and flight.proof.read_back:
            flight.witness.asked()
            self._ask(flight)

    def close(self) -> None:
        """Ask for nothing more."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _weigh(self, flight: Flight, witness: Witness, finding: Finding) -> None:
        if finding in (Finding.ECHOED, Finding.PROGRESS):
            settles = flight.proof.needs >= Evidence.SETTLED
            if finding is Finding.ECHOED and not settles:
                self._ask_soon(flight, 0.0 if flight.proof.answers_apart else ECHO_S)
            elif not witness.moving:
                self._ask_when_quiet(flight, finding)
            else:
                self._calm(flight)
        if finding is not Finding.NOTHING:
            self._found(flight, finding)

    def _overtake(self, flight: Flight) -> None:
        """What comes now is about `flight`, not about an earlier one that nobody waits for."""
        for other in tuple(self._open.get(flight.order.device_id, ())):
            if other.state is State.TIMED_OUT and not other.writes.isdisjoint(flight.writes):
                self.end(other)

    def _ask_when_quiet(self, flight: Flight, finding: Finding) -> None:
        """It may have come to rest; what nobody but the bridge has said is asked in time."""
        now = asyncio.get_running_loop().time()
        in_time = max(now + ECHO_S, flight.deliver_by - READ_BACK_S)
        waits = finding is Finding.ECHOED and flight.state is State.SENT
        self._ask_at(flight, min(now + QUIET_S, in_time) if waits else now + QUIET_S)

    def _ask_soon(self, flight: Flight, delay_s: float) -> None:
        if delay_s:
            self._ask_at(flight, asyncio.get_running_loop().time() + delay_s)
        else:
            self.read_back(flight)

    def _ask_at(self, flight: Flight, moment: float) -> None:
        """Read back at `moment` (loop time) if nothing is heard before."""
        self._calm(flight)
        loop = asyncio.get_running_loop()
        self._timers[flight] = loop.call_at(moment, self.read_back, flight)

    def _calm(self, flight: Flight) -> None:
        timer = self._timers.pop(flight, None)
        if timer is not None:
            timer.cancel()
