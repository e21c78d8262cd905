"""What is owed to the provider: results, notes, and the wish to be spoken to.

A pure state machine: events and the time go in, frames to send come out; `next_deadline`
says when to ask `due`. It is the only thing that outlives a connection. It never returns
one call twice in one form, and never a call of an older session generation as a result.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

from gateway.events import FunctionCall
from gateway.outcome import Outcome
from gateway.providers.base import Capabilities, Dialect, ResponseActivity, ResultForm
from gateway.session.rhythm import Rhythm

log = logging.getLogger(__name__)

# Calls of one answer are spoken of together; the slow one is waited for this long.
BATCH_WAIT_S = 1.0
# A fact that is older than this is better asked anew.
NOTE_LIFE_S = 600.0
MAX_NOTES = 32
# Call ids remembered in one session generation, to refuse repetitions.
MAX_KNOWN_CALLS = 4096
# Results without a sign of life that are remembered; a silent service gets no more than that.
MAX_UNPROVEN = 64
# What the model spoke after, before it was known to have arrived.
MAX_UNCERTAIN = 256


@dataclass(frozen=True, slots=True)
class _Sent:
    """A result that went out in the current form, as number `number` of all that went out."""

    call: FunctionCall
    outcome: Outcome
    number: int = 0


@dataclass(frozen=True, slots=True)
class _Note:
    text: str
    since: float
    number: int = 0


class Outbox:
    """One session's debts. Times are seconds of one clock that never jumps.

    `sent` numbers the results and notes that went out, over all connections. `dropped` counts
    notes that were too many or too old, and notes and results that were sent to a service
    which gives no sign of life and are no longer watched.
    """

    def __init__(self, capabilities: Capabilities) -> None:
        self._forms = capabilities.result_forms
        self._sign_of_life_s = capabilities.sign_of_life_s
        self._form = 0
        self._proven = len(self._forms) == 1
        self._dialect: Dialect | None = None
        self._epoch = 0
        self._ready = False
        self._rhythm = Rhythm()
        self._known: dict[str, None] = {}
        self._open: dict[str, FunctionCall] = {}
        self._unproven: deque[_Sent] = deque(maxlen=MAX_UNPROVEN)
        self._watch_from: float | None = None
        self._speak_by: float | None = None
        self._returned_at = 0.0
        self._notes: deque[_Note] = deque()
        self._told: deque[_Note] = deque(maxlen=MAX_NOTES)
        self._uncertain: deque[_Note] = deque(maxlen=MAX_UNCERTAIN)
        self._arrived = 0
        self.sent = 0
        self.dropped = 0

    @property
    def form(self) -> ResultForm:
        """The form in which results go out now."""
        return self._forms[self._form]

    @property
    def all_arrived(self) -> bool:
        """Whether everything that went out is known to have arrived."""
        return self._arrived >= self.sent

    @property
    def open_calls(self) -> Sequence[FunctionCall]:
        """The calls of this generation that have no result yet."""
        return tuple(self._open.values())

    # --- the connection ------------------------------------------------------------------

    def opened(self, dialect: Dialect, epoch: int) -> None:
        """A new connection: a new generation, in which no call is known."""
        self._dialect, self._epoch, self._ready = dialect, epoch, False
        self._rhythm = Rhythm()
        self._known.clear()
        self._open.clear()

    def ready(self, now: float) -> list[str]:
        """The model is there: what it must be told of the past."""
        if self._ready or self._dialect is None:
            return []
        self._ready = True
        notes = [note for note in self._notes if now - note.since <= NOTE_LIFE_S]
        self.dropped += len(self._notes) - len(notes)
        self._notes.clear()
        return [frame for note in notes for frame in self._tell(self._dialect, note)]

    def lost(self, now: float) -> None:
        """The connection is gone. Notes and results that nobody may have heard are told again."""
        self._dialect, self._ready = None, False
        self._watch_from = self._speak_by = None
        for note in (*self._uncertain, *self._unheard(now)):
            self._keep(note.text, note.since)
        self._uncertain.clear()
        self._arrived = self.sent

    # --- calls ---------------------------------------------------------------------------

    def called(self, call: FunctionCall) -> bool:
        """A call came. False when its id is known in this generation: it must not run."""
        if call.call_id in self._known:
            return False
        while len(self._known) >= MAX_KNOWN_CALLS:
            del self._known[next(iter(self._known))]
        self._known[call.call_id] = None
        self._open[call.call_id] = call
        return True

    def answered(self, call: FunctionCall, outcome: Outcome, now: float) -> list[str]:
        """The call's outcome: a result now, or a note when its generation is over.

        [] when it was answered before.
        """
        if call.epoch != self._epoch or self._dialect is None:
            return self.note(_note_of(call, outcome), now)
        if self._open.pop(call.call_id, None) is None:
            return []
        frames = self._return(self._dialect, [_Sent(call, outcome)], now)
        return [*frames, *self._speak_if_due(now)]

    def note(self, text: str, now: float) -> list[str]:
        """Tell the model a fact: at once, or at the next chance."""
        if self._ready and self._dialect is not None:
            return self._tell(self._dialect, _Note(text, now))
        self._keep(text, now)
        return []

    # --- what is heard -------------------------------------------------------------------

    def activity(self, event: ResponseActivity, now: float) -> list[str]:
        """The model is answering."""
        if self._rhythm.answering(event, now):
            self._proven = self._proven or bool(self._unproven)
            # An answer to an earlier result may be on its way while a later one goes out.
            uncertain = [note for note in self._unheard(now) if note.number > self._arrived]
            self.dropped += max(0, len(self._uncertain) + len(uncertain) - MAX_UNCERTAIN)
            self._uncertain.extend(uncertain)
            self._watch_from = None
        return self._speak_if_due(now)

    def arrived(self, number: int) -> None:
        """What went out up to `number` has arrived."""
        self._arrived = max(self._arrived, number)
        while self._uncertain and self._uncertain[0].number <= self._arrived:
            self._uncertain.popleft()

    def speech_started(self, now: float) -> None:
        """The user began to speak."""
        self._rhythm.speech_started(now)

    def speech_stopped(self, now: float) -> None:
        """The user stopped speaking."""
        self._rhythm.speech_stopped(now)

    def quiet_since(self) -> float | None:
        """Since when nobody speaks and no result is new; in the future while somebody speaks.

        None while a call has no result, or a result waits for its answer.
        """
        if self._open or self._speak_by is not None or self._watch_from is not None:
            return None
        return self._rhythm.quiet_since(self._returned_at)

    # --- time ----------------------------------------------------------------------------

    def next_deadline(self) -> float | None:
        """When `due` has something to look at, None when only an event can bring anything."""
        times = []
        if self._speak_by is not None:
            batch_over_at = self._speak_by if self._open else 0.0
            times.append(max(batch_over_at, self._rhythm.answer_over_at()))
        if self._watch_from is not None:
            times.append(self._silent_at(self._watch_from))
        return min(times, default=None)

    def due(self, now: float) -> list[str]:
        """What the passing of time asks for."""
        if self._dialect is None:
            return []
        frames: list[str] = []
        if self._watch_from is not None and now >= self._silent_at(self._watch_from):
            frames = self._send_again(self._dialect, now)
        return [*frames, *self._speak_if_due(now)]

    # --- inside --------------------------------------------------------------------------

    def _return(self, dialect: Dialect, results: Sequence[_Sent], now: float) -> list[str]:
        form = self.form
        frames = [
            frame
            for sent in results
            for frame in dialect.result(sent.call.call_id, sent.outcome.text(), form)
        ]
        self.dropped += max(0, len(self._unproven) + len(results) - MAX_UNPROVEN)
        self._unproven.extend(replace(sent, number=self._count()) for sent in results)
        self._rhythm.result_sent(now)
        self._returned_at = now
        if not self._proven and self._watch_from is None:
            self._watch_from = now
        if form.asks_to_speak and self._speak_by is None:
            self._speak_by = now + BATCH_WAIT_S
        return frames

    def _send_again(self, dialect: Dialect, now: float) -> list[str]:
        """No sign of life: the same results in the next form, which then stays."""
        silent, self._watch_from = self.form, None
        self._form += 1
        self._proven = self._form == len(self._forms) - 1
        log.warning(
            "the service gave no sign of life for a result in form %s: form %s from now on",
            silent.name,
            self.form.name,
        )
        results = list(self._unproven)
        self._unproven.clear()
        return self._return(dialect, results, now)

    def _speak_if_due(self, now: float) -> list[str]:
        """Ask for an answer: once for all results, and never into a running answer."""
        if self._speak_by is None or self._dialect is None or self._rhythm.answer_runs(now):
            return []
        if self._open and now < self._speak_by:
            return []
        self._speak_by = None
        self._rhythm.answer_asked(now)
        return list(self._dialect.speak())

    def _silent_at(self, sent_at: float) -> float:
        return self._rhythm.quiet_since(sent_at) + self._sign_of_life_s

    def _tell(self, dialect: Dialect, note: _Note) -> list[str]:
        if len(self._told) == MAX_NOTES:
            self.dropped += 1
        self._told.append(replace(note, number=self._count()))
        return list(dialect.note(note.text))

    def _unheard(self, now: float) -> list[_Note]:
        """What went out and was not spoken after yet, oldest first, as notes; forgets it."""
        results = (_Note(_note_of(s.call, s.outcome), now, s.number) for s in self._unproven)
        notes = sorted((*self._told, *results), key=lambda note: note.number)
        self._told.clear()
        self._unproven.clear()
        return notes

    def _count(self) -> int:
        self.sent += 1
        return self.sent

    def _keep(self, text: str, now: float) -> None:
        if len(self._notes) >= MAX_NOTES:
            self._notes.popleft()
            self.dropped += 1
        self._notes.append(_Note(text, now))


def _note_of(call: FunctionCall, outcome: Outcome) -> str:
    """A result of an older generation, told as a fact."""
    return (
        f"Before the connection was renewed, {call.name or 'a function'} was called. "
        f"What became of it ({outcome.status}): {outcome.message}"
    )
