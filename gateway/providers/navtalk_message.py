"""One NavTalk frame, and where its fields may be found.

The provider's documents, SDKs and sample applications disagree on the places; all known ones
are looked at, in a fixed order. Nothing here decides what a message means.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, quote_plus

from devices.contract.text import clean

MAX_ID_LENGTH = 256
MAX_NAME_LENGTH = 64
MAX_SENTENCE_LENGTH = 300

CALL = "response.function_call_arguments.done"
CALL_PIECE = "response.function_call_arguments.delta"


@dataclass(frozen=True, slots=True)
class Message:
    """A frame: its type without the `realtime.` prefix, and the places of its fields.

    `top` is the whole object, `data` what v2 wraps the payload in, `raw` the upstream event
    that calls carry along. `chars` is the frame's length, `is_plain` whether it is ASCII
    that spells no character as a number. `secrets` are blotted out of everything that may
    reach a log.
    """

    kind: str
    top: Mapping[str, Any]
    data: Mapping[str, Any]
    raw: Mapping[str, Any]
    chars: int
    is_plain: bool = False
    secrets: Sequence[str] = ()

    def content(self) -> str:
        """What was said, "" when the message holds no text."""
        places = (self.data, self.top)
        return _text(*((fields, key) for fields in places for key in ("content", "transcript")))

    def session_id(self) -> str:
        """The provider's name for the session, "" when it gives none."""
        return clean(_text((self.data, "sessionId")), MAX_ID_LENGTH)

    def call_id(self) -> str:
        """The id to answer with, "" when there is none or it could not be echoed safely."""
        found = _text(
            (self.data, "call_id"),
            (self.data, "callId"),
            (self.raw, "call_id"),
            (self.top, "call_id"),
            (self.data, "id"),
        )
        return found if clean(found, MAX_ID_LENGTH) == found else ""

    def call_name(self) -> str:
        """The function's name, cleaned; "" when no place holds one."""
        found = _text(
            (self.data, "function_name"),
            (self.data, "name"),
            (self.raw, "name"),
            (self.top, "name"),
            (self.top, "function_name"),
        )
        return clean(found, MAX_NAME_LENGTH)

    def arguments(self, pieces: str) -> object:
        """The arguments as they came, from any place; else the collected `pieces`."""
        found = (fields.get("arguments") for fields in (self.data, self.raw, self.top))
        return next((value for value in found if value is not None and value != ""), pieces)

    def piece(self) -> str:
        """A part of the arguments' text."""
        return _text((self.data, "delta"), (self.raw, "delta"), (self.top, "delta"))

    def response_id(self) -> str:
        """Which answer of the model this belongs to, "" when it is not said."""
        response = self.raw.get("response") or self.data.get("response")
        nested = response if isinstance(response, dict) else {}
        places = [(self.data, "response_id"), (self.raw, "response_id"), (nested, "id")]
        if self.kind != CALL:  # there `id` may name the call
            places.append((self.data, "id"))
        return clean(_text(*places), MAX_ID_LENGTH)

    def sentence(self) -> str:
        """What the service says to people, cleaned and without secrets, "" when nothing."""
        error = self.data.get("error") or self.top.get("error")
        nested = error if isinstance(error, dict) else {"message": error}
        text = _text((self.top, "message"), (self.data, "message"), (nested, "message"))
        return self.shown(text, MAX_SENTENCE_LENGTH)

    def shown(self, text: str, limit: int) -> str:
        """`text` for a log, at most `limit` long."""
        # Blotted before it is cut: cutting must not leave half a secret.
        text = text[:4096]
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return clean(text, limit)


def spellings(secret: str) -> tuple[str, ...]:
    """How the service may spell a secret that it had from the URL; () for an empty one."""
    written = json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]
    encoded = quote(secret, safe=""), quote(secret), quote_plus(secret)
    return tuple(dict.fromkeys(filter(None, (secret, *encoded, *written))))


def read_message(frame: str, secrets: Sequence[str] = ()) -> Message | None:
    """The message in `frame`, None when it is no JSON object with a type."""
    try:
        body = json.loads(frame)
    except (ValueError, RecursionError):
        return None
    if not isinstance(body, dict) or not isinstance(body.get("type"), str):
        return None
    data = _object(body.get("data"))
    raw = _object(body.get("raw_data")) or _object(data.get("raw_data"))
    kind = body["type"].removeprefix("realtime.")
    is_plain = frame.isascii() and "\\u" not in frame
    return Message(kind, body, data, raw, len(frame), is_plain, secrets)


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(*places: tuple[Mapping[str, Any], str]) -> str:
    """The first place that holds a text that is not empty, "" when none does."""
    for fields, key in places:
        value = fields.get(key)
        if isinstance(value, str) and value:
            return value
    return ""
