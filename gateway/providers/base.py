"""What every realtime dialect is: a translator between frames and session events.

A dialect object serves one connection (one epoch) and holds no socket, clock or task. The
session asks its `capabilities`; it never asks which provider it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from gateway.events import FunctionCall

# What a call may carry beyond any tool's need: deeper or wider is an attack or a mistake.
MAX_DEPTH = 8
MAX_VALUES = 1000
# All texts of a call together: thousands of calls are remembered.
MAX_TEXT = 16 * 1024
MAX_KEY_LENGTH = 128


@dataclass(frozen=True, slots=True)
class ResultForm:
    """One way to return a tool's result.

    `asks_to_speak`: the frames of `Dialect.speak` must follow, when no response is active,
    for the model to go on.
    """

    name: str
    asks_to_speak: bool


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the session may expect of this provider.

    `defines_tools`: tools are sent over the socket (else they live in a dashboard).
    `changes_tools`: they can be sent again in mid-session. `result_forms`: the ways to return
    a result, best first; when there is a second one, a result that wakes no sign of life
    within `sign_of_life_s` is sent once more in the next form, which then stays.
    `takes_history`: what the user said before a lost connection can be told again.
    `two_connections`: the next session may be opened before the old one is let go.
    """

    defines_tools: bool
    changes_tools: bool
    result_forms: tuple[ResultForm, ...]
    sign_of_life_s: float = 5.0
    takes_history: bool = False
    two_connections: bool = False


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to connect. `url` may hold a secret; `shown` is the form for logs.

    `secrets` are what the service knows of us and might repeat. `ca_file`: who signed the
    service's certificate, "" for the authorities of the system.
    """

    url: str = field(repr=False)
    shown: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    ca_file: str = ""

    def blotted(self, text: str) -> str:
        """`text` of the service, without the secrets."""
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return text


class Offer(Protocol):
    """What the model is told: a snapshot that does not change."""

    @property
    def instructions(self) -> str:
        """The system prompt, with the house in it."""

    @property
    def definitions(self) -> Sequence[Mapping[str, Any]]:
        """Function tools: {"type": "function", "name", "description", "parameters"}."""


# --- what a frame from the provider says ------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Connected:
    """The provider took the connection."""

    session_id: str = ""


@dataclass(frozen=True, slots=True)
class Ready:
    """The provider's model is there and configured: calls may come."""


@dataclass(frozen=True, slots=True)
class Called:
    """The model calls a function; `call.epoch` is for the session to set."""

    call: FunctionCall


@dataclass(frozen=True, slots=True)
class UserSaid:
    """What the user said, as text."""

    text: str


@dataclass(frozen=True, slots=True)
class AssistantSaid:
    """What the model said, as whole text."""

    text: str


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The user began to speak: barge-in."""


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """The user stopped speaking."""


@dataclass(frozen=True, slots=True)
class ResponseActivity:
    """The model is answering; `ended` when this was the last of one answer.

    `response_id` tells answers apart, "" when the provider does not say.
    """

    ended: bool = False
    response_id: str = ""


@dataclass(frozen=True, slots=True)
class Warned:
    """Something to log that changes nothing."""

    message: str


class Refusal(StrEnum):
    """Why a provider ends or refuses a session, in words that all providers share."""

    NOT_ALLOWED = "not_allowed"
    """credentials or settings that it does not take"""
    NO_BALANCE = "no_balance"
    TOO_MANY = "too_many"
    """too many connections of this account are open"""
    NO_CAPACITY = "no_capacity"
    BROKEN = "broken"
    """something failed on its side"""
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Refused:
    """`service` ends or refuses the session. What follows is for the session to decide.

    `said` is its own sentence, cleaned, without secrets, "" when it gave none; `cure` what
    people may do about it.
    """

    why: Refusal
    service: str
    said: str = ""
    cure: str = ""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A frame that is no message of this provider; the session goes on."""

    reason: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """A message that needs no action; `type` for the debug log, once each."""

    type: str


ProviderEvent = (
    Connected
    | Ready
    | Called
    | UserSaid
    | AssistantSaid
    | SpeechStarted
    | SpeechStopped
    | ResponseActivity
    | Warned
    | Refused
    | Unreadable
    | Ignored
)


class Dialect(Protocol):
    """One provider's language, for one connection."""

    @property
    def capabilities(self) -> Capabilities:
        """What this provider can do."""

    def endpoint(self, offer: Offer | None = None) -> Endpoint:
        """Where to connect. `offer` is for providers that take the instructions in the URL."""

    def opening(self, offer: Offer) -> Sequence[str]:
        """The frames to send on open, before anything is received."""

    def decode(self, frame: str | bytes) -> Sequence[ProviderEvent]:
        """What a frame says; never raises for any frame."""

    def result(self, call_id: str, output: str, form: ResultForm) -> Sequence[str]:
        """The frames that return a tool's output (JSON text) for `call_id`."""

    def speak(self) -> Sequence[str]:
        """The frames that make the model answer now."""

    def note(self, text: str) -> Sequence[str]:
        """The frames that tell the model a fact outside any call (without asking it to speak)."""

    def user_text(self, text: str) -> Sequence[str]:
        """The frames that say `text` as the user."""

    def history(self, text: str) -> Sequence[str]:
        """The frames that tell what the user said before, asking for no answer; [] for none."""

    def tools(self, offer: Offer) -> Sequence[str]:
        """The frames that replace the tools in mid-session; [] where that is impossible."""


def read_arguments(raw: object) -> tuple[dict[str, Any], str]:
    """A call's arguments and what is wrong with them ("" when nothing).

    An object is taken as it is, a text must be a JSON object, nothing at all means {}.
    Broken JSON is never repaired: half an argument could be half a command. More than
    MAX_VALUES or MAX_TEXT characters, or deeper than MAX_DEPTH, is taken as wrong.
    """
    if raw is None or raw == "":
        return {}, ""
    if isinstance(raw, str):
        try:
            raw = json.loads(raw)
        except (ValueError, RecursionError):
            return {}, "The arguments are not valid JSON."
    if not isinstance(raw, dict):
        return {}, "The arguments must be one JSON object."
    problem = _too_much(raw)
    return ({}, problem) if problem else (raw, "")


def _too_much(arguments: dict[str, Any]) -> str:
    """What no tool would take and every reader would stumble over, as a sentence, else ""."""
    level: list[object] = [arguments]
    count = text = 0
    for _ in range(MAX_DEPTH + 1):
        keys = [key for value in level if isinstance(value, dict) for key in value]
        level = [item for value in level for item in _inside(value)]
        count += len(level)
        text += sum(len(item) for item in level if isinstance(item, str))
        too_long = count > MAX_VALUES or text > MAX_TEXT
        if too_long or any(len(key) > MAX_KEY_LENGTH for key in keys):
            return "The arguments are too long."
        if not level:
            return ""
    return "The arguments are nested too deeply."


def _inside(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
