"""The journal's writing side: what happens goes in, before it happens where that matters.

A command is committed before it is sent; everything else a moment later, in groups. It
decides nothing about calls and commands, and reads nothing back.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from gateway.clock import Clock
from gateway.errors import JournalError
from gateway.events import BusEvent, CallReceived
from gateway.journal import rows
from gateway.journal.ration import Ration
from gateway.journal.rows import Command, Row
from gateway.journal.safety import Safety
from gateway.journal.unfinished import Left, left_by_others
from gateway.journal.writer import BusyError, Writer
from gateway.outcome import Outcome
from gateway.tasks import TaskSet

log = logging.getLogger(__name__)

# What waits to be written; more than this only comes together while the disk is full.
MAX_WAITING = 10_000
MAX_GROUP = 1_000
GROUP_EVERY_S = 0.005
# Another program holds the file for milliseconds; who is asked to do something waits for it.
BUSY_PAUSE_S = 0.002
BUSY_PATIENCE_S = 1.0
# How often a file that failed is tried when nothing is asked.
RETRY_EVERY_S = 2.0

_REFUSING = (
    "the journal %s cannot be written (%s): commands are refused until it can be. Free space on"
    " its disk, mend its permissions, or set journal.required: false"
)
_WITHOUT = "the journal %s cannot be written (%s): what happens now is not on record"

_Entry = Callable[[int], Iterable[Row]]
"""Makes the rows of one entry, given the number of the run."""


@dataclass(frozen=True, slots=True)
class JournalSettings:
    """Where the journal is, who writes it, and what hangs on it.

    `client_id` is our name at the broker. `required`: no command is sent that it could not
    take; `before_send`: nor one that is not on the disk itself yet.
    """

    path: Path
    client_id: str = "gateway"
    required: bool = True
    before_send: bool = False


class Journal:
    """Fulfils the dispatcher's `CommandLog`; `note` taps the bus.

    `async with` opens the file in the background: a command waits for it. `dropped` counts
    what did not fit while the file could not be written.
    """

    def __init__(self, settings: JournalSettings, clock: Clock) -> None:
        self.dropped = 0
        self._settings = settings
        self._clock = clock
        self._worker = ThreadPoolExecutor(1, "gateway-journal")
        self._writer = Writer(settings.path, settings.client_id)
        self._safety = Safety(settings.path, self._worker)
        self._ration = Ration()
        self._waiting: list[_Entry] = []
        self._lost = 0
        self._timer: asyncio.TimerHandle | None = None
        self._is_urgent = False
        self._tasks = TaskSet("journal")
        self._opening: asyncio.Task[None] | None = None
        self._tried_at = 0.0
        self._problem = ""

    async def __aenter__(self) -> Self:
        """Begin to open the file."""
        self._opening = self._tasks.start(self._open(), "open")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Write what waits, bring it to the disk, and note a good end."""
        if self._opening is not None:
            await self._opening
        try:
            if self._writer.is_open:
                while self._waiting:
                    await self._patiently(self._write)
                await self._safety.close()
        except JournalError as problem:
            self._failed(problem)
        finally:
            self._disarm()
            await self._close()

    async def opened(self) -> None:
        """Return when the file is open. Raises JournalError when it cannot be."""
        if self._writer.is_open:
            return
        await asyncio.shield(self._open_again())
        if not self._writer.is_open:
            raise JournalError(self._problem)

    async def ahead(self, command: Command) -> None:
        """As `CommandLog.ahead` says."""
        at = self._now()
        try:
            await self.opened()
            await self._patiently(
                lambda: self._write_now(rows.command(self._writer.run, at, command))
            )
            if self._settings.before_send:
                await self._safety.safe()
        except JournalError as error:
            self._failed(error)
            if self._settings.required:
                raise
            self._keep(lambda run: (rows.command(run, at, command),))
        else:
            self._works()

    def note(self, event: BusEvent) -> None:
        """Write down `event` soon. Never blocks, never raises."""
        at = self._now()
        if not self._ration.allows(event, at):
            return
        self._keep(lambda run: rows.of(run, at, event))
        # In the next turn of the loop: its command is on its way then, and the loop waits.
        if isinstance(event, CallReceived):
            self._is_urgent = True
            asyncio.get_running_loop().call_soon(self._flush_urgent)

    async def unfinished(self) -> list[Left]:
        """What earlier runs left open. Raises JournalError."""
        await self.opened()
        return await asyncio.to_thread(left_by_others, self._settings.path, self._writer.run)

    def resolved(self, command_id: str, state: str) -> None:
        """A command of an earlier run came to `state`."""
        at = self._now()
        self._keep(lambda _: rows.resolved(at, command_id, state))

    def became(self, run: int, call: tuple[int, str], outcome: Outcome) -> None:
        """What became of the call (epoch, call id) of an earlier `run`."""
        at = self._now()
        self._keep(lambda _: (rows.later(run, at, call, outcome),))

    # --- writing -------------------------------------------------------------------------

    async def _patiently(self, write: Callable[[], None]) -> None:
        """`write`, as soon as no other program does. Raises JournalError."""
        until = self._clock.monotonic() + BUSY_PATIENCE_S
        while True:
            try:
                return write()
            except BusyError:
                if self._clock.monotonic() >= until:
                    raise
            await asyncio.sleep(BUSY_PAUSE_S)

    def _write_now(self, row: Row) -> None:
        """One row, before all that waits."""
        self._writer.write((row,))
        self._safety.wrote()

    def _write(self) -> None:
        """A group of what waits, in one transaction. Raises JournalError."""
        self._is_urgent = False
        self._keep_gaps()
        group, run = self._waiting[:MAX_GROUP], self._writer.run
        if group:
            self._writer.write([row for entry in group for row in entry(run)])
            del self._waiting[: len(group)]
            self._safety.wrote()

    def _flush_urgent(self) -> None:
        if self._is_urgent:
            self._flush()

    def _flush(self) -> None:
        """Write a group now, or say when to try next."""
        self._disarm()
        if not self._writer.is_open:
            self._open_again()
            self._arm(RETRY_EVERY_S)
            return
        try:
            self._write()
        except BusyError:
            self._arm(BUSY_PAUSE_S)
        except JournalError as error:
            self._failed(error)
            self._arm(RETRY_EVERY_S)
        else:
            self._written()

    def _written(self) -> None:
        if not self._settings.before_send:
            self._works()
        if self._waiting:
            self._arm(GROUP_EVERY_S)

    def _keep(self, entry: _Entry) -> None:
        if len(self._waiting) >= MAX_WAITING:
            self.dropped += 1
            self._lost += 1
            return
        self._waiting.append(entry)
        if self._timer is None:
            self._arm(GROUP_EVERY_S)

    def _keep_gaps(self) -> None:
        """Say in the journal itself what is missing there."""
        at = self._now()
        missed = self._ration.missed(at)
        lost, self._lost = self._lost, 0
        if missed or lost:
            reason = f"{lost} entries were lost and {missed} repetitions left out"
            self._waiting.append(lambda run: (rows.gap(run, at, reason),))

    def _arm(self, delay_s: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._flush)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # --- the file ------------------------------------------------------------------------

    def _open_again(self) -> asyncio.Task[None]:
        """The attempt to open that runs, or a new one when the last is long enough ago."""
        # A file that was in use and went away is begun anew at once.
        is_due = not self._problem or self._clock.monotonic() - self._tried_at >= RETRY_EVERY_S
        if self._opening is None or (self._opening.done() and is_due):
            self._opening = self._tasks.start(self._open(), "open")
        return self._opening

    async def _open(self) -> None:
        self._tried_at = self._clock.monotonic()
        try:
            await self._in_thread(self._open_file, self._clock.wall())
        except JournalError as error:
            self._failed(error)
        else:
            self._flush()

    def _open_file(self, now: datetime) -> None:
        self._safety.let_go()
        self._writer.open(now)

    async def _close(self) -> None:
        try:
            # The last one to close copies the whole log into the file.
            await self._in_thread(self._writer.close, self._clock.wall())
        except JournalError as problem:
            self._failed(problem)
        finally:
            self._worker.shutdown()

    def _failed(self, error: JournalError) -> None:
        """Say it once for as long as it lasts."""
        is_news = not self._problem
        self._problem = str(error)
        if is_news and self._settings.required:
            log.error(_REFUSING, self._settings.path, error)
        elif is_news:
            log.warning(_WITHOUT, self._settings.path, error)

    def _works(self) -> None:
        if self._problem:
            self._problem = ""
            log.info("the journal %s is written again", self._settings.path)

    async def _in_thread(self, work: Callable[..., None], *arguments: object) -> None:
        await asyncio.get_running_loop().run_in_executor(self._worker, work, *arguments)

    def _now(self) -> float:
        return self._clock.wall().timestamp()
