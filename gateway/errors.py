"""Errors of the `gateway` package.

GatewayError
+-- ConfigError         the configuration is wrong; one sentence says how to mend it
+-- SessionError        the cloud session could not be held
|   +-- TransientError  try again after a pause
|   |   +-- NetworkError   nobody was reached: asking often costs the service nothing
|   |   +-- ExpiredError   a session that worked is over: the next one may follow at once
|   +-- FatalError      trying again cannot help; stop and say why
|   +-- OperatorError   a person must act first (licence, balance); look again in minutes
+-- JournalError        the record of what happened cannot be read or written
+-- LifecycleError      our bug: an event that the command's state table does not have
+-- ToolError           a tool cannot do what was asked; its message may be spoken
"""

from __future__ import annotations


class GatewayError(Exception):
    """Base of every error of this package. The text is one sentence without secrets."""


class ConfigError(GatewayError):
    """The configuration is wrong. The text names the field and what to write instead."""


class SessionError(GatewayError):
    """The cloud session could not be held."""


class TransientError(SessionError):
    """It may work later. `retry_after_s` is the least pause, None when the usual one will do."""

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class NetworkError(TransientError):
    """The network is in the way. The session asks again every second or so."""


class ExpiredError(TransientError):
    """The service ended a session that had worked, as services do after a while."""


class FatalError(SessionError):
    """Trying again cannot help."""


class OperatorError(SessionError):
    """A person must act first. The session looks again after minutes."""


class LifecycleError(GatewayError):
    """An event that the command's state table does not have: a bug of ours."""


class JournalError(GatewayError):
    """The journal cannot be read or written. The text says what to do."""


class ToolError(GatewayError):
    """A tool cannot do what was asked. The text is a sentence that may be spoken."""
