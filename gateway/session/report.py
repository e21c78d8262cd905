"""What a session says about its failures: the first of a kind to people, repetitions to DEBUG.

A wrong licence is one warning, however often the session looks again.
"""

from __future__ import annotations

import logging

from gateway.errors import SessionError

log = logging.getLogger(__name__)


class Report:
    """The failures since the session last worked."""

    def __init__(self) -> None:
        self._kinds: set[str] = set()

    def failed(self, error: SessionError, then: str) -> None:
        """A connection ended with `error`; `then` is what follows."""
        self._log(type(error).__name__, f"{error}; {then}")

    def silent(self) -> None:
        """The service took a connection and says nothing."""
        self._log("silence", "the service took the connection and says nothing")

    def live(self) -> None:
        """The model is there."""
        if self._kinds:
            log.info("the session is live again")

    def worked(self) -> None:
        """The session was of use: what comes now is news."""
        self._kinds.clear()

    def _log(self, kind: str, sentence: str) -> None:
        level = logging.DEBUG if kind in self._kinds else logging.WARNING
        self._kinds.add(kind)
        log.log(level, "%s", sentence)
