"""The command ids of one device in a file, so that a restart forgets none of them.

A line before a command is carried out, a line with its final acknowledgement. It survives the
death of the process; what the last second before a power cut brought may be lost.
"""

from __future__ import annotations

import errno
import fcntl
import json
import logging
import os
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from devices.contract import codec
from devices.contract.command import Ack, AckError, AckStatus
from devices.contract.errors import ContractError, MemoryFailedError

# Contract version 1: a device keeps the last 256 command ids.
REMEMBERED_IDS = 256
# How many lines for each id that is kept before the file is written anew.
_LINES_PER_ID = 4

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Entry:
    """One command: its fingerprint ("" when it could not be read) and its final answer.

    `ack` is None while it is carried out.
    """

    content: str
    ack: Ack | None = None


class Logbook:
    """The last `size` commands of `device_id`, in the folder `folder`.

    `with` reads what earlier processes left (`entries`, oldest first; what they had begun and
    not ended is answered `failed`, code interrupted) and keeps others out. Raises
    MemoryFailedError, with one sentence, when the file cannot be written or is in use.
    """

    def __init__(self, folder: Path, device_id: str, size: int = REMEMBERED_IDS) -> None:
        self._path = folder / f"{device_id}.jsonl"
        self._size = size
        self._lines = 0
        self._lock = -1
        self._file = -1
        self._failing = False
        self.entries: OrderedDict[str, Entry] = OrderedDict()
        self.interrupted: list[Ack] = []

    def __enter__(self) -> Self:
        """Lock, read, and write the file anew."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._take_lock()
            self._read()
            self._rewrite()
        except OSError as error:
            self._close()
            raise MemoryFailedError(self._complaint(error)) from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file and let others have it."""
        self._close()

    def began(self, command_id: str, content: str) -> None:
        """Write that a command will be carried out. Raises MemoryFailedError."""
        self._keep(command_id, Entry(content))
        try:
            self._write(_begin_line(command_id, content))
        except OSError as error:
            self._report(error)
            raise MemoryFailedError(self._complaint(error)) from None

    def ended(self, ack: Ack) -> None:
        """Write the final answer to a command. What cannot be written is logged, once."""
        entry = self.entries.get(ack.id)
        if entry is None:
            entry = Entry("")
            self._keep(ack.id, entry)
        entry.ack = ack
        try:
            self._write(_end_line(ack))
        except OSError as error:
            self._report(error)

    def _keep(self, command_id: str, entry: Entry) -> None:
        self.entries[command_id] = entry
        if len(self.entries) > self._size:
            oldest = next((key for key, e in self.entries.items() if e.ack is not None), None)
            if oldest is not None:
                del self.entries[oldest]

    def _write(self, line: bytes) -> None:
        # After a failure there may be half a line, and what followed is missing.
        if self._failing or self._lines >= self._size * _LINES_PER_ID:
            self._rewrite()
        else:
            _write_all(self._file, line)
            self._lines += 1
        if self._failing:
            self._failing = False
            log.info("%s can be written again", self._path)

    def _rewrite(self) -> None:
        """Put a fresh file in the place of the old one, all of it or nothing."""
        fresh = self._path.with_suffix(".new")
        lines = list(self._all_lines())
        file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            _write_all(file, b"".join(lines))
            os.fsync(file)
            fresh.replace(self._path)
        except OSError:
            os.close(file)
            raise
        if self._file >= 0:
            os.close(self._file)
        self._file, self._lines = file, len(lines)

    def _all_lines(self) -> Iterator[bytes]:
        for command_id, entry in self.entries.items():
            if entry.content:
                yield _begin_line(command_id, entry.content)
            if entry.ack is not None:
                yield _end_line(entry.ack)

    def _read(self) -> None:
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            for line in file:
                self._take(line)
        for command_id, entry in self.entries.items():
            if entry.ack is None:
                entry.ack = _interrupted(command_id)
                self.interrupted.append(entry.ack)

    def _take(self, line: bytes) -> None:
        """One line of the file; a torn one tells nothing."""
        try:
            match json.loads(line):
                case {"began": str(command_id), "content": str(content)}:
                    self._keep(command_id, Entry(content))
                case {"ended": dict(body)}:
                    self._take_end(body)
        except (ValueError, RecursionError, ContractError):
            log.warning("%s has a line that cannot be read; it is left out", self._path)

    def _take_end(self, body: dict[str, Any]) -> None:
        ack = codec.decode_ack(json.dumps(body).encode())
        if ack.id not in self.entries:
            self._keep(ack.id, Entry(""))
        self.entries[ack.id].ack = ack

    def _take_lock(self) -> None:
        lock = self._path.with_suffix(".lock")
        self._lock = os.open(lock, os.O_WRONLY | os.O_CREAT, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _close(self) -> None:
        for file in (self._file, self._lock):
            if file >= 0:
                os.close(file)
        self._file = self._lock = -1

    def _report(self, error: OSError) -> None:
        if not self._failing:
            self._failing = True
            log.error("%s; commands are refused until it can", self._complaint(error))

    def _complaint(self, error: OSError) -> str:
        if isinstance(error, BlockingIOError):
            return f"the memory {self._path} is in use by another process"
        return f"the memory {self._path} cannot be written: {(error.strerror or 'no reason')}"


def _interrupted(command_id: str) -> Ack:
    message = "The device restarted before it was done; it may have happened."
    return Ack(command_id, AckStatus.FAILED, error=AckError("interrupted", message))


def _begin_line(command_id: str, content: str) -> bytes:
    return json.dumps({"began": command_id, "content": content}).encode() + b"\n"


def _end_line(ack: Ack) -> bytes:
    return b'{"ended": ' + codec.encode_ack(ack) + b"}\n"


def _write_all(file: int, data: bytes) -> None:
    if os.write(file, data) != len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
