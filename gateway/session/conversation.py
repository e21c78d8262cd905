"""One connection's life after it opened: the opening frames, then frame by frame.

It only reads and hands on; a tool never holds up the reading.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress

from gateway.bus import Bus
from gateway.clock import Clock
from gateway.events import FunctionCall, MessageDropped, Spoken
from gateway.once import Once
from gateway.providers.base import (
    AssistantSaid,
    Called,
    Connected,
    Dialect,
    Ignored,
    Offer,
    ProviderEvent,
    Ready,
    Refused,
    ResponseActivity,
    SpeechStarted,
    SpeechStopped,
    Unreadable,
    UserSaid,
    Warned,
)
from gateway.session.calls import CallDesk
from gateway.session.connection import Connection, EndedError
from gateway.session.ending import Ending, Silent, Told
from gateway.session.history import History

log = logging.getLogger(__name__)


# What a service sends over and over is a few dozen texts.
MAX_TEXTS = 256

# Signs that the session is of use to somebody.
_USEFUL = (Called, ResponseActivity, SpeechStarted, UserSaid, AssistantSaid)


class Conversation:
    """One connection with one dialect, in one session generation.

    Calls are bound to the offer that was last sent when they came. `on_ready` is called at
    the first sign that the provider's model is there. `history` is what was said before, and
    grows with what is said here.

    `heard`: the service said something that makes sense. `ready`: its model is there.
    `productive`: somebody spoke, or a function was called.
    """

    def __init__(
        self,
        *,
        connection: Connection,
        dialect: Dialect,
        offer: Offer,
        epoch: int,
        desk: CallDesk,
        history: History,
        clock: Clock,
        bus: Bus,
        logged: Once,
        on_ready: Callable[[], None],
    ) -> None:
        self._connection = connection
        self._dialect = dialect
        self._offer = offer
        self._epoch = epoch
        self._desk = desk
        self._history = history
        self._clock = clock
        self._bus = bus
        self._logged = logged
        self._on_ready = on_ready
        self._given_up: Ending | None = None
        self.heard = False
        self.ready = False
        self.productive = False

    async def run(self) -> None:
        """Talk until it ends. Raises EndedError."""
        self._desk.opened(self._connection, self._dialect, self._epoch)
        # A service that refuses closes at once; why it does is still to be read.
        with suppress(EndedError):
            await self._connection.send(self._dialect.opening(self._offer))
        try:
            async for frame in self._connection.frames():
                for event in self._dialect.decode(frame):
                    self._take(event)
        except EndedError as end:
            end = EndedError(self._given_up) if self._given_up else end
            raise end.known(was_ready=self.ready) from None

    async def say(self, text: str) -> None:
        """Say `text` as the user. Raises EndedError."""
        self.productive = True
        self._history.typed(text, self._clock.monotonic())
        self._desk.speech(started=True)
        self._desk.speech(started=False)
        await self._connection.send(self._dialect.user_text(text))

    async def offer_again(self, offer: Offer) -> None:
        """Calls are bound to `offer` from now on; its tools are sent when they differ.

        Nothing changes where the provider takes tools only at the start.
        """
        if list(offer.definitions) != list(self._offer.definitions):
            capabilities = self._dialect.capabilities
            if capabilities.defines_tools and not capabilities.changes_tools:
                return
            try:
                await self._connection.send(self._dialect.tools(offer))
            except EndedError:
                return  # the next connection opens with the newest offer
        self._offer = offer

    async def close(self) -> None:
        """End the connection; `run` then raises EndedError."""
        await self._connection.close()

    async def give_up(self) -> None:
        """End the connection because the service says nothing; `run` then raises EndedError."""
        self._given_up = Silent()
        await self._connection.close()

    def _take(self, event: ProviderEvent) -> None:
        self.heard = self.heard or not isinstance(event, Unreadable)
        self.productive = self.productive or isinstance(event, _USEFUL)
        match event:
            case Called(call):
                self._is_ready()
                self._called(call)
            case ResponseActivity():
                self._is_ready()
                self._desk.activity(event)
            case Ready():
                self._is_ready()
            case SpeechStarted():
                self._history.began(self._clock.monotonic())
                self._desk.speech(started=True)
            case SpeechStopped():
                self._desk.speech(started=False)
            case Refused():
                raise EndedError(Told(event))
            case _:
                self._note_down(event)

    def _called(self, call: FunctionCall) -> None:
        self._history.called(self._clock.monotonic())
        if not self._desk.call(call, self._offer):
            self._dropped("a function call came twice")

    def _note_down(self, event: ProviderEvent) -> None:
        """What starts nothing."""
        match event:
            case UserSaid(text):
                self._history.said(text, self._clock.monotonic())
                self._bus.publish(Spoken("user", text))
            case AssistantSaid(text):
                self._bus.publish(Spoken("assistant", text))
            case Connected(session_id):
                log.debug("the service took the connection as %s", session_id or "(no name)")
            case Warned(message):
                level = logging.WARNING if self._logged.first(message) else logging.DEBUG
                log.log(level, "%s", message)
            case Unreadable(reason):
                self._dropped(reason)
            case Ignored(kind) if self._logged.first(kind):
                log.debug("messages of type %s need no action", kind)

    def _is_ready(self) -> None:
        if not self.ready:
            self.ready = True
            self._on_ready()
            self._desk.ready(self._replayed())

    def _replayed(self) -> list[str]:
        """What the user said on earlier connections. No answer is asked for."""
        if not self._dialect.capabilities.takes_history:
            return []
        sentences = self._history.sentences(self._clock.monotonic())
        return [frame for text in sentences for frame in self._dialect.history(text)]

    def _dropped(self, reason: str) -> None:
        level = logging.WARNING if self._logged.first(reason) else logging.DEBUG
        log.log(level, "dropped what the service sent: %s", reason)
        self._bus.publish(MessageDropped("session", reason))
