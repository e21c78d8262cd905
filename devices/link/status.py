"""Where a link stands, who is told of it, and who waits for it. Shared by all links."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from devices.contract.errors import LinkDownError, LinkRefusedError
from devices.link.base import LinkChange, LinkState, Unsubscribe

log = logging.getLogger(__name__)

Listener = Callable[[LinkChange], None]


class LinkStatus:
    """The state of one link. Touched on the event loop only."""

    def __init__(self) -> None:
        self._now = LinkChange(LinkState.CLOSED)
        self._turned = asyncio.Event()
        self._listeners: dict[object, Listener] = {}

    @property
    def state(self) -> LinkState:
        """The state now."""
        return self._now.state

    @property
    def reason(self) -> str:
        """Why, in one sentence; "" when there is nothing to say."""
        return self._now.reason

    def turn(self, state: LinkState, reason: str = "") -> None:
        """Come to `state` and tell everybody; nothing happens when it is the same as now."""
        change = LinkChange(state, reason)
        if change == self._now:
            return
        self._now = change
        self._turned.set()
        self._turned = asyncio.Event()
        for listener in tuple(self._listeners.values()):
            _tell(listener, change)

    def on_change(self, listener: Listener) -> Unsubscribe:
        """Call `listener` at each change from now on."""
        key = object()
        self._listeners[key] = listener
        return lambda: _forget(self._listeners, key)

    async def connected(self, timeout_s: float | None) -> None:
        """Return once connected. Raises LinkRefusedError, or LinkDownError after `timeout_s`."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._until_connected()
        except TimeoutError:
            because = f": {self.reason}" if self.reason else ""
            message = f"no connection to the broker within {timeout_s:g} s{because}"
            raise LinkDownError(message) from None

    async def _until_connected(self) -> None:
        while self.state is not LinkState.CONNECTED:
            if self.state is LinkState.REFUSED:
                raise LinkRefusedError(self.reason)
            if self.state is LinkState.CLOSED:
                raise LinkDownError("the link is closed")
            await self._turned.wait()


def _tell(listener: Listener, change: LinkChange) -> None:
    try:
        listener(change)
    except Exception:
        log.exception("a listener of link changes failed")


def _forget(listeners: dict[object, Listener], key: object) -> None:
    listeners.pop(key, None)
