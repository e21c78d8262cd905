"""What NavTalk v2 frames mean, as session events.

Nothing here guesses: a call without an id cannot be answered and is refused, a call
without a name is handed on with its problem.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from devices.contract.text import clean
from gateway.events import FunctionCall
from gateway.providers.base import (
    AssistantSaid,
    Called,
    Connected,
    Ignored,
    ProviderEvent,
    Ready,
    Refusal,
    Refused,
    ResponseActivity,
    SpeechStarted,
    SpeechStopped,
    Unreadable,
    UserSaid,
    Warned,
    read_arguments,
)
from gateway.providers.navtalk_message import (
    CALL,
    CALL_PIECE,
    MAX_NAME_LENGTH,
    Message,
    read_message,
)

MAX_TRANSCRIPT_LENGTH = 4000
# A call is a few hundred bytes; a frame beyond this holds no command.
MAX_CALL_CHARS = 256 * 1024

# A model makes a handful of calls at once; older unfinished ones are garbage.
MAX_DELTA_CALLS = 16
MAX_DELTA_CHARS = 64 * 1024

_TOOLS_IN_DASHBOARD = (
    "no tools are sent for this avatar: define the tools in the ElevenLabs dashboard; "
    "`gateway tools --format elevenlabs` prints them"
)


class FrameReader:
    """Reads the frames of one connection.

    `secrets` are blotted out of everything that the service says. Pieces of arguments are
    kept for at most MAX_DELTA_CALLS calls.
    """

    def __init__(self, secrets: Sequence[str] = (), *, tools_in_dashboard: bool = False) -> None:
        self._secrets = secrets
        self._tools_in_dashboard = tools_in_dashboard
        self._pieces: dict[str, str] = {}
        self._answer_id = ""

    def read(self, frame: str | bytes) -> Sequence[ProviderEvent]:
        """What `frame` says; never raises."""
        if isinstance(frame, bytes):
            return [Ignored("binary")]
        message = read_message(frame, self._secrets)
        if message is None:
            return [Unreadable("a frame is no JSON object with a type")]
        if message.kind == CALL:
            return self._called(message)
        if message.kind == CALL_PIECE:
            return self._called_in_part(message)
        events = [self._named(event) for event in _READERS.get(message.kind, _other)(message)]
        if self._tools_in_dashboard and message.kind == "conversation.connected.success":
            return [*events, Warned(_TOOLS_IN_DASHBOARD)]
        return events

    def _named(self, event: ProviderEvent) -> ProviderEvent:
        """A piece without an id belongs to the answer that was named last.

        Sound goes on after its words were told whole, and must not look like a new answer.
        """
        if not isinstance(event, ResponseActivity):
            return event
        self._answer_id = event.response_id or self._answer_id
        return replace(event, response_id=self._answer_id)

    def _called(self, message: Message) -> Sequence[ProviderEvent]:
        call_id = message.call_id()
        if not call_id:
            return [Unreadable("a function call has no usable call id and cannot be answered")]
        call = _call(message, call_id, self._pieces.pop(call_id, ""))
        response_id = message.response_id()
        # Only an id tells whether this is still the old answer or a new one.
        if response_id:
            return [ResponseActivity(ended=True, response_id=response_id), Called(call)]
        return [Called(call)]

    def _called_in_part(self, message: Message) -> Sequence[ProviderEvent]:
        call_id = message.call_id()
        known = self._pieces.pop(call_id, "")
        if call_id:
            while len(self._pieces) >= MAX_DELTA_CALLS:
                del self._pieces[next(iter(self._pieces))]
            self._pieces[call_id] = (known + message.piece())[: MAX_DELTA_CHARS + 1]
        return [Ignored(message.kind)]


def _call(message: Message, call_id: str, pieces: str) -> FunctionCall:
    name = message.call_name()
    if not name:
        return FunctionCall(call_id, "", problem="The function name is missing.")
    if message.chars > MAX_CALL_CHARS or len(pieces) > MAX_DELTA_CHARS:
        return FunctionCall(call_id, name, problem="The arguments are too long.")
    arguments, problem = read_arguments(message.arguments(pieces))
    sure = message.is_plain and not pieces
    if not sure and not _is_text(arguments):
        return FunctionCall(call_id, name, problem="The arguments are not valid text.")
    return FunctionCall(call_id, name, arguments, problem=problem)


def _is_text(arguments: Mapping[str, Any]) -> bool:
    """Whether every text in `arguments` can be written as UTF-8 (no lone surrogates)."""
    try:
        json.dumps(arguments, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return False
    return True


# --- what is said -----------------------------------------------------------------------------


def _ready(_message: Message) -> Sequence[ProviderEvent]:
    return [Ready()]


def _speech_started(_message: Message) -> Sequence[ProviderEvent]:
    return [SpeechStarted()]


def _speech_stopped(_message: Message) -> Sequence[ProviderEvent]:
    return [SpeechStopped()]


def _user_said(message: Message) -> Sequence[ProviderEvent]:
    text = clean(message.content(), MAX_TRANSCRIPT_LENGTH)
    return [UserSaid(text)] if text else [Ignored(message.kind)]


def _assistant_said(message: Message) -> Sequence[ProviderEvent]:
    """Begun and ended at once: it proves an answer also where no piece of it came before."""
    text = clean(message.content(), MAX_TRANSCRIPT_LENGTH)
    said = [AssistantSaid(text)] if text else []
    return [*_answering(message), *said, *_answered(message)]


def _answering(message: Message) -> Sequence[ProviderEvent]:
    return [ResponseActivity(response_id=message.response_id())]


def _answered(message: Message) -> Sequence[ProviderEvent]:
    return [ResponseActivity(ended=True, response_id=message.response_id())]


def _answer_failed(message: Message) -> Sequence[ProviderEvent]:
    return [*_answered(message), *_warned(message)]


def _other(message: Message) -> Sequence[ProviderEvent]:
    if message.kind.startswith("response."):
        return _answering(message)
    return [Ignored(message.shown(message.kind, MAX_NAME_LENGTH))]


# --- the connection, and what its end asks of us ----------------------------------------------


def _connected(message: Message) -> Sequence[ProviderEvent]:
    return [Connected(message.session_id())]


def _warned(message: Message) -> Sequence[ProviderEvent]:
    return [Warned(f"NavTalk says: {message.sentence() or 'something went wrong'}")]


def _refused(message: Message) -> Sequence[ProviderEvent]:
    said = message.sentence()
    why = _ENDINGS[message.kind.removeprefix("session.").rpartition("connected.")[2]]
    refusal = why if isinstance(why, Refusal) else why(said)
    cure = "check session.license and the avatar" if refusal is Refusal.NOT_ALLOWED else ""
    return [Refused(refusal, "NavTalk", said, cure)]


def _fail(sentence: str) -> Refusal:
    late = "timeout" in sentence.casefold() or "timed out" in sentence.casefold()
    return Refusal.BROKEN if late else Refusal.NOT_ALLOWED


def _closed(sentence: str) -> Refusal:
    return Refusal.NO_BALANCE if "insufficient" in sentence.casefold() else Refusal.ENDED


_ENDINGS: Mapping[str, Refusal | Callable[[str], Refusal]] = {
    "fail": _fail,
    "insufficient_balance": Refusal.NO_BALANCE,
    "connection_limit_exceeded": Refusal.TOO_MANY,
    "gpu_full": Refusal.NO_CAPACITY,
    "backend_error": Refusal.BROKEN,
    "backend.error": Refusal.BROKEN,
    "close": _closed,
}

_READERS: Mapping[str, Callable[[Message], Sequence[ProviderEvent]]] = {
    "session.created": _ready,
    "session.updated": _ready,
    "input_audio_buffer.speech_started": _speech_started,
    "input_audio_buffer.speech_stopped": _speech_stopped,
    "conversation.item.input_audio_transcription.completed": _user_said,
    "response.audio_transcript.done": _assistant_said,
    "response.audio.done": _answered,
    "response.completed": _answered,
    "response.done": _answered,
    "response.cancelled": _answered,
    "response.error": _answer_failed,
    "error": _warned,
    "conversation.connected.success": _connected,
    "conversation.connected.warning": _warned,
    "conversation.connected.fail": _refused,
    "conversation.connected.insufficient_balance": _refused,
    "conversation.connected.connection_limit_exceeded": _refused,
    "conversation.connected.gpu_full": _refused,
    "conversation.connected.backend_error": _refused,
    "conversation.connected.close": _refused,
    "session.gpu_full": _refused,
    "session.insufficient_balance": _refused,
    "session.backend.error": _refused,
}
