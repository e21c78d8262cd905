"""The attempts of one command: the first, then repeats under the same id until its device speaks.

Nothing is sent after its deadline, nor twice what may only come once. It hears nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from random import random

from tenacity import AsyncRetrying, RetryCallState, RetryError, retry_if_exception_type

from devices.contract.command import Command
from devices.contract.errors import CommandRefusedError, LinkError
from gateway.clock import Clock
from gateway.directory import Device
from gateway.dispatch.flight import Flight
from gateway.dispatch.wire import Wire


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


class _UnansweredError(Exception):
    """The device has not said a word yet: the one reason to try again."""


class Sending:
    """Sends flights. `sent` takes each that went out, `refused` what no ecosystem has words for."""

    def __init__(
        self,
        wire: Wire,
        clock: Clock,
        patience: Patience,
        *,
        sent: Callable[[Flight], None],
        refused: Callable[[Flight, CommandRefusedError], None],
    ) -> None:
        self._wire = wire
        self._clock = clock
        self._patience = patience
        self._sent = sent
        self._refused = refused
        self._closed = False

    def close(self) -> None:
        """Send nothing more."""
        self._closed = True

    def is_over(self, flight: Flight) -> bool:
        """Whether nothing may be sent for `flight` any more."""
        return self._closed or self._clock.monotonic() >= flight.deliver_by

    async def until_heard(self, device: Device, flight: Flight) -> None:
        """Send, and again where it needs that, until the device speaks or the time is over."""
        self._attempt(device, flight)
        if not flight.heard:
            pause_until = self._clock.monotonic() + self._pause_s(flight)
            await flight.listen(min(flight.deliver_by, pause_until))
        if not flight.heard:
            await self._repeat(device, flight)
        while not (flight.heard or self.is_over(flight)):
            await flight.listen(flight.deliver_by)

    async def _repeat(self, device: Device, flight: Flight) -> None:
        """Send again, with growing pauses."""

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
        if self._closed or left_ms <= 0 or not _may_go_out(flight):
            return
        order = flight.order
        command = Command(flight.id, order.command, order.args, left_ms, flight.attempts + 1)
        try:
            flight.proof = self._wire.send(device, command)
        except LinkError:
            return  # a broker that is away may be back before the delivery time is over
        except CommandRefusedError as error:
            self._refused(flight, error)
        else:
            self._sent(flight)

    def _pause_s(self, flight: Flight) -> float:
        """How long to listen before the next attempt; what was never sent does not back off."""
        doublings = max(0, flight.attempts - 1)
        return self._patience.first_pause_s * 2.0**doublings + random() * self._patience.jitter_s

    def _is_last(self, flight: Flight, call: RetryCallState) -> bool:
        """Whether another attempt after the coming pause would be too late, or is not allowed."""
        if self._closed or not _may_go_out(flight):
            return True
        return self._clock.monotonic() + call.upcoming_sleep >= flight.deliver_by


def _may_go_out(flight: Flight) -> bool:
    return flight.attempts == 0 or flight.repeatable
