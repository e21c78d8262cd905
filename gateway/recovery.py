"""What an earlier run left open is found out, and told: nothing is ever sent again.

A device that keeps ids is asked about the very command; one that does not is believed when it
reports, live, what was asked of it. What nobody can find out is `unknown`, and said so.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from devices.contract.command import Evidence
from devices.contract.text import clean
from devices.contract.verbs import contradicts, expected_state
from gateway.clock import Clock
from gateway.directory import Device, Directory
from gateway.dispatch.lifecycle import BEGUN, FINAL, State
from gateway.dispatch.order import Order, Result, Written
from gateway.errors import JournalError
from gateway.journal.records import Sent
from gateway.journal.unfinished import Left
from gateway.outcome import Outcome, Status
from gateway.tools import speech

log = logging.getLogger(__name__)

UNKNOWN = "unknown"

# Devices come back with the power, later than we do.
PRESENT_WITHIN_S = 60.0
LOOK_EVERY_S = 0.25
MAX_ASKED_AT_ONCE = 16
# A device that has forgotten a command refuses it like one that never saw it. In so short a
# time, on a machine that kept running, it has not forgotten.
REMEMBERED_S = 600.0
# Nobody wants to hear of what is older.
WORTH_TELLING_S = 600.0
MAX_TARGET_LENGTH = 64


class Devices(Protocol):
    """What is needed of the dispatcher."""

    async def ask(self, asked: Written, late: Callable[[Result], None]) -> Result:
        """Where a command stands, by the word of a device that keeps ids.

        `timed_out` when it says nothing; what it says after that goes to `late`.
        """

    def look(self, asked: Written) -> None:
        """Have the device report the state that `asked` wanted, where it can be asked to."""


_Found = dict[str, Result]
"""Where each command of one call stands, by its id."""


class Record(Protocol):
    """What is needed of the journal."""

    async def unfinished(self) -> Sequence[Left]:
        """What earlier runs left open. Raises JournalError."""

    def resolved(self, command_id: str, state: str) -> None:
        """A command of an earlier run came to `state`."""

    def became(self, run: int, call: tuple[int, str], outcome: Outcome) -> None:
        """What became of the call (epoch, call id) of an earlier `run`."""


class Recovery:
    """Settles what earlier runs left open. `tell` takes a sentence for the model."""

    def __init__(
        self,
        record: Record,
        devices: Devices,
        directory: Directory,
        clock: Clock,
        tell: Callable[[str], None],
    ) -> None:
        self._record = record
        self._devices = devices
        self._directory = directory
        self._clock = clock
        self._tell = tell
        self._few = asyncio.Semaphore(MAX_ASKED_AT_ONCE)

    async def run(self) -> None:
        """Settle everything, once. To be called when the broker is there.

        May be ended at any time: what is not settled then is found again at the next start.
        """
        try:
            every = await self._record.unfinished()
        except JournalError as error:
            log.warning("what was left open before the restart is not settled: %s", error)
            return
        if every:
            log.info("%d calls were left open before the restart", len(every))
            await asyncio.gather(*(self._settle(left) for left in every))

    async def _settle(self, left: Left) -> None:
        found: _Found = {}
        await asyncio.gather(*(self._resolve(left, sent, found) for sent in left.commands))
        if _is_worth_keeping(left, found):
            self._became(left, found)

    # --- one command ---------------------------------------------------------------------

    async def _resolve(self, left: Left, sent: Sent, found: _Found) -> None:
        if not _is_open(sent):
            found[sent.id] = _on_record(sent)
            return
        result = await self._find_out(left, sent, partial(self._late, left, sent, found))
        state = result.state.value if result.state in FINAL else UNKNOWN
        self._record.resolved(sent.id, state)
        found[sent.id] = result

    async def _find_out(self, left: Left, sent: Sent, late: Callable[[Result], None]) -> Result:
        device = None if sent.masked else await self._presence(left, sent)
        if device is None:
            return _unknown(sent)
        if not device.traits.keeps_ids:
            return _read_back(sent, device)
        async with self._few:
            result = await self._devices.ask(_written(left, sent), late)
        return self._believed(left, sent, result)

    async def _presence(self, left: Left, sent: Sent) -> Device | None:
        """The device, once it can say something of the command; None when it does not come."""
        until = self._clock.monotonic() + PRESENT_WITHIN_S
        has_been_asked = False
        while not self._can_tell(device := self._directory.get(sent.device), sent):
            if self._clock.monotonic() >= until:
                return None
            if device is not None and device.online is not False and not has_been_asked:
                has_been_asked = True
                self._devices.look(_written(left, sent))
            await asyncio.sleep(LOOK_EVERY_S)
        return device

    def _can_tell(self, device: Device | None, sent: Sent) -> bool:
        if device is None or device.online is False:
            return False
        if device.traits.keeps_ids:
            return True
        expected = expected_state(sent.command, sent.args)
        # What only the broker has kept is the past.
        is_heard = self._directory.age_s(device, expected) is not None
        return not expected or (is_heard and device.state.get("moving") is not True)

    def _believed(self, left: Left, sent: Sent, result: Result) -> Result:
        """`result`, where it settles the command."""
        if result.state is State.EXPIRED and not self._never_had_it(left, sent):
            return _unknown(sent)
        return result if result.state in FINAL else _unknown(sent)

    def _never_had_it(self, left: Left, sent: Sent) -> bool:
        """Whether that is what "I do not know this command" means."""
        age_s = self._clock.wall().timestamp() - sent.at
        had_it = sent.state in BEGUN or bool(sent.evidence)
        return left.same_boot and 0 <= age_s <= REMEMBERED_S and not had_it

    def _late(self, left: Left, sent: Sent, found: _Found, said: Result) -> None:
        """A device spoke after it was given up; the bus has told the journal its state."""
        found[sent.id] = self._believed(left, sent, said)
        if found[sent.id].state not in FINAL:
            self._record.resolved(sent.id, UNKNOWN)
        elif len(found) == len(left.commands):
            self._became(left, found)

    # --- one call ------------------------------------------------------------------------

    def _became(self, left: Left, found: _Found) -> None:
        outcome = self._outcome(left, found)
        self._record.became(left.run, (left.epoch, left.call_id), outcome)
        # Without a session (epoch 0) nobody in the conversation asked for it.
        age_s = self._clock.wall().timestamp() - left.at
        if left.epoch > 0 and age_s <= WORTH_TELLING_S:
            self._tell(f"Before the gateway restarted, {left.tool} was called: {outcome.message}")

    def _outcome(self, left: Left, found: _Found) -> Outcome:
        outcomes = [self._said(sent, found[sent.id]) for sent in left.commands]
        if not outcomes:
            return _nothing_sent(left)
        if len(outcomes) == 1:
            return outcomes[0]
        return speech.group(left.target or left.tool, outcomes)

    def _said(self, sent: Sent, result: Result) -> Outcome:
        device = self._directory.get(sent.device)
        name = device.name if device is not None else sent.device
        return speech.outcome(name, sent.command, sent.args, result)


def _is_open(sent: Sent) -> bool:
    """Whether nobody has found out yet what became of it."""
    return sent.state not in FINAL and sent.state != UNKNOWN


def _nothing_sent(left: Left) -> Outcome:
    about = f" for “{clean(left.target, MAX_TARGET_LENGTH)}”" if left.target else ""
    return Outcome(Status.ERROR, f"It was not answered, and nothing was sent to a device{about}.")


def _is_worth_keeping(left: Left, found: _Found) -> bool:
    """Whether it says more than the answer did."""
    if not left.status:
        return not left.is_told
    is_promised = left.status == Status.PENDING and not left.is_told
    settled = (sent for sent in left.commands if found[sent.id].state in FINAL)
    return is_promised or any(_is_open(sent) for sent in settled)


def _written(left: Left, sent: Sent) -> Written:
    order = Order(sent.device, sent.command, sent.args, left.call_id, epoch=left.epoch)
    return Written(sent.id, order, sent.ecosystem)


def _on_record(sent: Sent) -> Result:
    """A command whose end was written down."""
    if sent.state == UNKNOWN:
        return _unknown(sent)
    state = State(sent.state)
    reported = sent.evidence[-1].state if sent.evidence else {}
    expected = expected_state(sent.command, sent.args) if state is State.SUCCEEDED else {}
    wrong = contradicts(reported, expected) or ""
    return Result(state, sent.id, reported, contradiction=wrong)


def _unknown(sent: Sent) -> Result:
    """Nobody knows; more is said where the device had begun."""
    had_it = sent.state in BEGUN
    evidence = Evidence.ACCEPTED if had_it else Evidence.PUBLISHED
    return Result(State.TIMED_OUT, sent.id, evidence=evidence)


def _read_back(sent: Sent, device: Device) -> Result:
    """What `device` reports, live, of what was asked of it."""
    expected = expected_state(sent.command, sent.args)
    known = all(device.state.get(key) is not None for key in expected)
    if not expected or not known or contradicts(device.state, expected):
        return _unknown(sent)
    return Result(State.SUCCEEDED, sent.id, dict(device.state), evidence=Evidence.ECHOED)
