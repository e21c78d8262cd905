"""What a link to a broker offers, whichever broker it is.

Every implementation passes tests/devices/link/contract.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Protocol, Self


@dataclass(frozen=True, slots=True)
class Message:
    """A message that arrived. `retained` is True when the broker had kept it: it is the past.

    `user_properties` are its pairs of name and value (MQTT 5), as the sender gave them.
    """

    topic: str
    payload: bytes
    retained: bool = False
    qos: int = 0
    user_properties: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Publish:
    """A message to send.

    `expiry_s` (whole seconds, MQTT 5 only) is when a broker must drop it undelivered; None
    means never. `correlation` is MQTT 5 Correlation Data, `user_properties` are pairs of name
    and value. On MQTT 3.1.1 all three are left out.
    """

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False
    expiry_s: int | None = None
    correlation: bytes | None = None
    user_properties: tuple[tuple[str, str], ...] = ()


Handler = Callable[[Message], None]
"""Called on the event loop for each message; must not block and must not raise."""

Unsubscribe = Callable[[], None]
"""Ends one subscription; calling it twice does nothing."""


class LinkState(StrEnum):
    """Where a link stands."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    LOST = "lost"
    """the connection ended; the link tries again by itself"""
    REFUSED = "refused"
    """the broker refuses us; the link has stopped trying"""
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class LinkChange:
    """The link came to `state`. `reason` is one plain sentence without secrets, "" when none."""

    state: LinkState
    reason: str = ""


class Link(Protocol):
    """One client's connection to a broker, reconnecting by itself between enter and exit."""

    @property
    def state(self) -> LinkState:
        """Where the link stands now."""

    async def __aenter__(self) -> Self:
        """Start connecting in the background and return at once."""

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Send what is queued (bounded wait), disconnect cleanly (the will is not published)."""

    async def connected(self, timeout_s: float | None = None) -> None:
        """Return once connected; None waits for ever.

        Raises LinkRefusedError when the broker refuses us, LinkDownError when `timeout_s` passed.
        """

    def publish(self, message: Publish) -> None:
        """Send now. Raises LinkDownError when not connected (nothing is kept), LinkFullError."""

    async def subscribe(self, topic_filter: str, handler: Handler, *, qos: int = 0) -> Unsubscribe:
        """Call `handler` for each matching message from now on, across reconnects.

        Returns once the broker granted it, or at once while not connected (it is then asked
        for at connect, before `connected` returns). Handlers of overlapping filters are each
        called once per message. Raises LinkRefusedError when the broker denies the filter,
        ValueError for a filter that MQTT does not allow.
        """

    def on_change(self, listener: Callable[[LinkChange], None]) -> Unsubscribe:
        """Call `listener` at each change of state, on the event loop."""
