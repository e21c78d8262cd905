"""What the user said lately, for the next connection: the service forgets with the old one.

Pure; times come in as parameters. It never tells a sentence that led to a function call, nor
one that cannot be told from such a sentence: repeating it could do a thing twice.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from devices.contract.text import clean

MAX_SENTENCES = 10
MAX_SENTENCE_LENGTH = 500
MAX_BYTES = 4000
# What was said longer ago is not what people come back to.
LIFE_S = 600.0
# Transcriptions and calls may still come when the user speaks again already.
LATE_S = 15.0


@dataclass(slots=True)
class _Turn:
    since: float
    text: str = ""
    command: bool = False


class History:
    """The user's turns over all connections of a session, the newest MAX_SENTENCES of them.

    A turn is from one beginning of speech (or typed text) to the next. A call makes its turn a
    command, also when the text comes later.
    """

    def __init__(self) -> None:
        self._turns: deque[_Turn] = deque(maxlen=MAX_SENTENCES)
        self._called_at: float | None = None

    def began(self, now: float) -> None:
        """The user begins to speak."""
        self._turns.append(_Turn(now))

    def said(self, text: str, now: float) -> None:
        """The text of what the user said last."""
        text = clean(text, MAX_SENTENCE_LENGTH)
        if self._turns and self._turns[-1].text == text:
            return
        if not self._turns or self._turns[-1].text:
            # A service that does not say when speech begins.
            self._turns.append(_Turn(now, command=self._called_lately(now)))
        if not self._unclear(now):
            self._turns[-1].text = text

    def typed(self, text: str, now: float) -> None:
        """A turn that came as text."""
        self._turns.append(_Turn(now, clean(text, MAX_SENTENCE_LENGTH)))

    def called(self, now: float) -> None:
        """The model called a function because of this turn, or of one just before."""
        self._called_at = now
        for number, turn in enumerate(reversed(self._turns)):
            if number == 0 or now - turn.since < LATE_S:
                turn.command = True

    def sentences(self, now: float) -> Sequence[str]:
        """What may be told again, oldest first."""
        kept: list[str] = []
        size = 0
        for turn in reversed(self._turns):
            size += len(turn.text.encode())
            if size > MAX_BYTES or now - turn.since > LIFE_S:
                break
            if turn.text and not turn.command:
                kept.append(turn.text)
        return kept[::-1]

    def _unclear(self, now: float) -> bool:
        """Whether the text may be that of the turn before, which has none yet."""
        if len(self._turns) < 2:  # noqa: PLR2004 - one turn, and no other before it
            return False
        before = self._turns[-2]
        return not before.text and now - before.since < LATE_S

    def _called_lately(self, now: float) -> bool:
        return self._called_at is not None and now - self._called_at < LATE_S
