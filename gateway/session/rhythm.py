"""Who is speaking: the user, the model, or nobody. Pure; times come in as parameters.

The provider may not say when an answer ended, so an answer that goes quiet is over.
"""

from __future__ import annotations

from gateway.providers.base import ResponseActivity

# Pieces of an answer come many times a second.
ANSWER_QUIET_S = 3.0
# A lost "speech stopped" must not hold anything up for ever.
LONGEST_SPEECH_S = 30.0
# Answers that may overlap; more ids are not worth remembering.
MAX_ANSWER_IDS = 32


class Rhythm:
    """The turns of one connection.

    An answer that began after the last result was sent is the sign that the result arrived.
    """

    def __init__(self) -> None:
        self._answer_at: float | None = None
        self._asked = False
        self._old_answer_runs = False
        self._ids: dict[str, None] = {}
        self._speech_from: float | None = None
        self._speech_until: float | None = None
        self._quiet_from: float | None = None

    def answering(self, event: ResponseActivity, now: float) -> bool:
        """The model is answering. True when this answer began after the last result was sent."""
        began = self._began(event, now)
        if event.ended:
            self._answer_over(now)
        else:
            self._answer_at, self._asked = now, False
        return began

    def answer_asked(self, now: float) -> None:
        """We asked for an answer: until it comes, it counts as running."""
        self._answer_at, self._asked = now, True

    def result_sent(self, now: float) -> None:
        """From here on, a new answer is a sign of life."""
        self._old_answer_runs = self.answer_runs(now) and not self._asked

    def answer_runs(self, now: float) -> bool:
        """Whether the model is in the middle of an answer."""
        return self._answer_at is not None and now < self.answer_over_at()

    def answer_over_at(self) -> float:
        """When the running answer counts as over if nothing more comes of it."""
        return 0.0 if self._answer_at is None else self._answer_at + ANSWER_QUIET_S

    def speech_started(self, now: float) -> None:
        """The user began to speak."""
        self._speech_from, self._speech_until = now, None

    def speech_stopped(self, now: float) -> None:
        """The user stopped speaking."""
        if self._speech_from is not None:
            self._speech_until = now

    def quiet_since(self, moment: float) -> float:
        """When silence began, not before `moment`; in the future while somebody speaks."""
        return max(moment, self._speech_over_at(), self.answer_over_at(), self._quiet_from or 0.0)

    def _began(self, event: ResponseActivity, now: float) -> bool:
        running = self.answer_runs(now)
        if event.response_id:
            known = event.response_id in self._ids
            self._remember(event.response_id)
            return not known
        if self._old_answer_runs and running:
            return False
        # The end of something that was not seen to run proves nothing.
        return running or not event.ended

    def _answer_over(self, now: float) -> None:
        if self.answer_runs(now):
            self._quiet_from = now
        self._answer_at, self._asked, self._old_answer_runs = None, False, False

    def _speech_over_at(self) -> float:
        if self._speech_from is None:
            return 0.0
        if self._speech_until is None:
            return self._speech_from + LONGEST_SPEECH_S
        return self._speech_until

    def _remember(self, response_id: str) -> None:
        self._ids.pop(response_id, None)
        while len(self._ids) >= MAX_ANSWER_IDS:
            del self._ids[next(iter(self._ids))]
        self._ids[response_id] = None
