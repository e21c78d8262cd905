"""Why a connection ended, and what follows: try again, stop, or wait for a person.

One pure function decides for every kind of end. No sentence here repeats an exception's own
text: those may hold the URL, and the URL may hold the secret.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from devices.contract.text import clean
from gateway.errors import (
    ExpiredError,
    FatalError,
    NetworkError,
    OperatorError,
    SessionError,
    TransientError,
)
from gateway.providers.base import Refusal, Refused

MAX_REASON_LENGTH = 200
# A service counts our own old connection for a while after it ended.
TOO_MANY_PAUSE_S = 30.0


@dataclass(frozen=True, slots=True)
class Closed:
    """The WebSocket closed. `code` is None when the connection broke without a close frame.

    `by_us`: our side sent the close frame first. `was_ready`: the model had been there.
    """

    code: int | None
    reason: str = ""
    by_us: bool = False
    was_ready: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """The service said in a frame that it ends or refuses the session."""

    refused: Refused
    was_ready: bool = False


@dataclass(frozen=True, slots=True)
class Silent:
    """The service took the connection and said nothing on it; we gave it up."""


@dataclass(frozen=True, slots=True)
class HttpRefused:
    """The handshake was answered with an HTTP status other than 101."""

    status: int
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class NotConnected:
    """No handshake came about: no network, no name, a timeout, or TLS."""

    cause: OSError


@dataclass(frozen=True, slots=True)
class NoWebSocket:
    """What answered does not speak WebSocket, or hung up in the middle of the handshake."""


@dataclass(frozen=True, slots=True)
class BadUrl:
    """The URL is no WebSocket URL."""


@dataclass(frozen=True, slots=True)
class BadAuthority:
    """session.ca_file cannot be read, or holds no certificate."""


Ending = Closed | Told | Silent | HttpRefused | NotConnected | NoWebSocket | BadUrl | BadAuthority

_ASKS_FOR_LOGIN = frozenset({401, 402, 403, 407})
_TRY_LATER = frozenset({408, 425, 429})
_TOO_LONG = frozenset({413, 414, 431})

# Normal closure, going away, and a close without a code: nobody did anything wrong.
_SIMPLY_OVER = frozenset({1000, 1001, 1005})
_MESSAGE_TOO_BIG = 1009
# Sent by our side when pings stay without an answer.
_INTERNAL_ERROR = 1011
# Registered or customary codes for "you may not": 3000 and 3003 are in the IANA registry.
_CLOSED_FOR_LOGIN = frozenset({3000, 3003, 4001, 4003, 4401, 4402, 4403})
# Unsupported data, policy violation, missing extension: it dislikes what we are or send.
_DISLIKES_US = frozenset({1003, 1008, 1010})
_OPERATOR_WORDS = (
    "insufficient points",
    "insufficient balance",
    "insufficient_balance",
    "license",
    "licence",
    "unauthorized",
    "invalid api key",
)

_NOT_YET_VALID, _EXPIRED = 9, 10


def classify(ending: Ending) -> SessionError:
    """The error that says what to do: TransientError, FatalError or OperatorError."""
    match ending:
        case Closed():
            return _closed(ending)
        case Told(refused, was_ready):
            return _told(refused, was_ready=was_ready)
        case HttpRefused():
            return _http(ending)
        case NotConnected(cause):
            return _not_connected(cause)
        case _:
            kind, text = _PLAIN[type(ending)]
            return kind(text)


_PLAIN: Mapping[type[Ending], tuple[Callable[[str], SessionError], str]] = {
    Silent: (TransientError, "the service takes the connection and says nothing"),
    NoWebSocket: (TransientError, "what answered at the session URL does not speak WebSocket"),
    BadUrl: (FatalError, "session.url is no WebSocket URL: it starts with wss:// or ws://"),
    BadAuthority: (OperatorError, "session.ca_file holds no certificate that can be read: mend it"),
}


def _closed(end: Closed) -> SessionError:
    if end.code is None:
        return NetworkError("the connection to the service broke")
    if end.code == _MESSAGE_TOO_BIG:
        whose = "the service sent a message" if end.by_us else "the service found our message"
        return TransientError(f"{whose} too large to take; the session starts again (1009)")
    if end.code == _INTERNAL_ERROR and end.by_us:
        return NetworkError("the service does not answer any more")
    return _closed_by_them(end, clean(end.reason, MAX_REASON_LENGTH))


def _closed_by_them(end: Closed, reason: str) -> SessionError:
    what = f"the service closed the session ({end.code}{': ' if reason else ''}{reason})"
    if any(word in reason.casefold() for word in _OPERATOR_WORDS):
        return OperatorError(what)
    if end.code in _CLOSED_FOR_LOGIN:
        return OperatorError(f"{what}: check the credentials")
    # In mid-session the same codes are one bad turn, and a new session helps.
    if end.code in _DISLIKES_US and not end.was_ready:
        return OperatorError(f"{what}: check the session's settings")
    if end.code in _SIMPLY_OVER and end.was_ready:
        return ExpiredError(what)
    return TransientError(what)


def _told(refused: Refused, *, was_ready: bool) -> SessionError:
    kind, sentence, unsaid = _REFUSALS[refused.why]
    text = f"{sentence.format(refused.service)}: {refused.said or unsaid}"
    if refused.cure:
        text = f"{text} ({refused.cure})"
    if refused.why is Refusal.ENDED and was_ready:
        return ExpiredError(text)
    if refused.why is Refusal.TOO_MANY:
        return TransientError(text, retry_after_s=TOO_MANY_PAUSE_S)
    return kind(text)


_REFUSALS: Mapping[Refusal, tuple[Callable[[str], SessionError], str, str]] = {
    Refusal.NOT_ALLOWED: (OperatorError, "{} refused the session", "no reason given"),
    Refusal.NO_BALANCE: (OperatorError, "the {} balance is used up", "top it up"),
    Refusal.TOO_MANY: (TransientError, "{} takes no more connections", "too many are open"),
    Refusal.NO_CAPACITY: (TransientError, "{} has no capacity now", "all of it is in use"),
    Refusal.BROKEN: (TransientError, "{} failed on its side", "no reason given"),
    Refusal.ENDED: (TransientError, "{} ended the session", "no reason given"),
}


def _http(end: HttpRefused) -> SessionError:
    what = f"the service refused the connection (HTTP {end.status})"
    if end.status in _ASKS_FOR_LOGIN:
        return OperatorError(f"{what}: check the credentials")
    if end.status in _TRY_LATER or end.status >= 500:  # noqa: PLR2004
        return TransientError(what, retry_after_s=end.retry_after_s)
    if end.status in _TOO_LONG:
        return FatalError(f"{what}: the URL is too long; session.config_via: message shortens it")
    if end.status >= 400:  # noqa: PLR2004
        return FatalError(f"{what}: check session.url")
    # A page instead of a WebSocket: a hotel's or a router's log-in stands in between.
    return OperatorError(f"{what}: something between here and the service answers with a page")


def _not_connected(cause: OSError) -> SessionError:
    if isinstance(cause, ssl.SSLCertVerificationError):
        return _certificate(cause.verify_code)
    if isinstance(cause, ssl.SSLError):
        return TransientError("the encrypted connection to the service failed (TLS)")
    if isinstance(cause, TimeoutError):
        return NetworkError("the service did not answer in time")
    if isinstance(cause, ConnectionRefusedError):
        return NetworkError("nothing listens at the session URL")
    return NetworkError(f"the service cannot be reached ({type(cause).__name__})")


def _certificate(verify_code: int) -> SessionError:
    if verify_code in (_NOT_YET_VALID, _EXPIRED):
        # A Pi has no clock of its own: until the network told it the time, this is normal.
        return TransientError("the service's certificate is not valid on this machine's date")
    return OperatorError("the service's certificate cannot be trusted: something is in between")
