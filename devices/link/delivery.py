"""Handing messages to the handlers of a link: each once, in order, whatever one of them does."""

from __future__ import annotations

import logging
from collections.abc import Collection

from devices.contract.text import clean
from devices.link.base import Handler, Message
from devices.link.filters import FilterTable

log = logging.getLogger(__name__)

# Topics whose messages were too large; those of more are only counted.
MAX_COMPLAINTS = 100


class Delivery:
    """Calls the handlers that `table` has for a message.

    A handler that raises is a bug: its first failure is logged with the traceback, later
    ones only counted, and the other handlers are called all the same.
    """

    def __init__(self, table: FilterTable) -> None:
        self._table = table
        self._blamed: set[Handler] = set()
        self._large: set[str] = set()
        self.busy = False
        """whether a handler is running now"""
        self.failures = 0
        """how often a handler raised"""
        self.dropped = 0
        """messages that were too large, or whose topic was no text"""

    def deliver(self, message: Message, numbers: Collection[int] = ()) -> None:
        """Call each handler once; see FilterTable for `numbers`."""
        self.busy = True
        for handler in self._table.handlers(message.topic, numbers):
            try:
                handler(message)
            except Exception as error:  # noqa: BLE001 -- the root of every handler
                self._blame(handler, message, error)
        self.busy = False

    def too_large(self, topic: str, size_bytes: int, limit_bytes: int) -> None:
        """Count a message that is not handed on; say so once a topic, MAX_COMPLAINTS times."""
        self.dropped += 1
        topic = clean(topic, 120)
        if topic in self._large or len(self._large) >= MAX_COMPLAINTS:
            return
        self._large.add(topic)
        log.warning(
            "ignored a message to %s: it has %d bytes, more than %d", topic, size_bytes, limit_bytes
        )

    def _blame(self, handler: Handler, message: Message, error: Exception) -> None:
        self.failures += 1
        if handler in self._blamed:
            return
        self._blamed.add(handler)
        topic = clean(message.topic, 120)
        log.error("a handler failed on a message to %s", topic, exc_info=error)
