"""The journal as it grows: each call when its answer is on record, and when more became known.

It looks when it is asked; it never waits.
"""

from __future__ import annotations

from dataclasses import replace

from gateway.journal.queries import Reader, Wanted
from gateway.journal.records import Action

# Calls that are watched for an answer or for later news; the oldest go.
MAX_WATCHED = 256
# Answers after which more may come.
_OPEN = frozenset({"", "pending", "timed_out", "unknown"})


class Follower:
    """What is new in the journal, from the first wanted call on."""

    def __init__(self, reader: Reader, wanted: Wanted) -> None:
        self._reader = reader
        # What is not answered is watched: only its end tells whether it is wanted.
        self._wanted = replace(wanted, unanswered=True)
        self._last = 0
        self._shown_as: dict[int, str] = {}

    def news(self) -> list[Action]:
        """The calls to show now, oldest first; [] when there is nothing new. JournalError.

        It gives at most a page of new calls: ask again until it gives none.
        """
        watched = self._reader.these(list(self._shown_as), self._wanted)
        news = [action for action in watched if action.known != self._shown_as[action.number]]
        self._shown_as = {a.number: a.known for a in watched if _may_change(a)}
        return [*news, *self._new()]

    def _new(self) -> list[Action]:
        page = self._reader.after(self._last, self._wanted)
        while page:
            self._last = page[-1].number
            self._watch(page)
            if told := [action for action in page if action.known]:
                return told
            page = self._reader.after(self._last, self._wanted)
        return []

    def _watch(self, page: list[Action]) -> None:
        self._shown_as |= {a.number: a.known for a in page if _may_change(a)}
        for number in list(self._shown_as)[:-MAX_WATCHED]:
            del self._shown_as[number]


def _may_change(action: Action) -> bool:
    return action.later is None and action.known in _OPEN
