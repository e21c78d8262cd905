"""The command ids that a device remembers, each with its last acknowledgement.

It decides nothing about new commands and never sends; a repeated id is never run again.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from dataclasses import dataclass

from devices.contract.command import Ack, AckError, AckStatus, Command
from devices.sdk.logbook import REMEMBERED_IDS, Logbook


@dataclass(slots=True)
class _Entry:
    # What the command was, as a fingerprint: arguments may be secret. "" when unreadable.
    content: str
    ack: Ack


class Dedupe:
    """The last `size` command ids; the one unheard of for longest is forgotten first.

    A command that still runs is never forgotten: its retry would run a second time. With a
    `logbook` (open) a restart forgets nothing either.
    """

    def __init__(self, size: int = REMEMBERED_IDS, logbook: Logbook | None = None) -> None:
        self._size = size
        self._logbook = logbook
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        for command_id, kept in logbook.entries.items() if logbook else ():
            if kept.ack is not None:
                self._entries[command_id] = _Entry(kept.content, kept.ack)

    def __len__(self) -> int:
        """How many ids are remembered."""
        return len(self._entries)

    def __contains__(self, command_id: str) -> bool:
        """Whether `command_id` came before and is remembered."""
        return command_id in self._entries

    def replay(self, command: Command) -> Ack | None:
        """What to answer when the id of `command` came before; None when it is new.

        The same id with another command or other arguments is answered `rejected`
        (`id_reused`); what is remembered of the first one stays.
        """
        entry = self._entries.get(command.id)
        if entry is None:
            return None
        self._entries.move_to_end(command.id)
        if entry.content and entry.content != _fingerprint(command):
            error = AckError("id_reused", "This command id was used for another command.")
            return Ack(command.id, AckStatus.REJECTED, error=error)
        return entry.ack

    def begin(self, command: Command) -> None:
        """Remember a new command as accepted, until more is known.

        Raises MemoryFailedError when a restart would forget it; it is remembered until then.
        """
        content = _fingerprint(command)
        self._keep(command.id, _Entry(content, Ack(command.id, AckStatus.ACCEPTED)))
        if self._logbook is not None:
            self._logbook.began(command.id, content)

    def remember(self, ack: Ack) -> None:
        """Remember the latest word on a command, also on one that could not be read."""
        entry = self._entries.get(ack.id)
        if entry is None:
            self._keep(ack.id, _Entry("", ack))
        else:
            entry.ack = ack
        if self._logbook is not None and ack.status.final:
            self._logbook.ended(ack)

    def _keep(self, command_id: str, entry: _Entry) -> None:
        self._entries[command_id] = entry
        if len(self._entries) > self._size:
            ended = (key for key, e in self._entries.items() if e.ack.status.final)
            oldest = next(ended, None)
            if oldest is not None:
                del self._entries[oldest]


def _fingerprint(command: Command) -> str:
    text = json.dumps([command.id, command.command, dict(command.args)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
