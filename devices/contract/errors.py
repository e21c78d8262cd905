"""Errors of the `devices` package.

DevicesError
+-- ContractError        a message breaks the device contract; drop it, log it once
|   +-- PayloadError     no JSON, wrong shape, too large
|   +-- VersionError     a contract version that is not ours
|   +-- TopicError       an id or topic that the contract does not allow
+-- LinkError            the wire did not carry a message
|   +-- LinkDownError         not connected now; retry while the deadline stands
|   +-- LinkFullError         the outgoing queue is full; retry later
|   +-- LinkRefusedError      the broker refuses us; stop and ask the operator
+-- MemoryFailedError    a device cannot write down which commands it was given
+-- CommandRefusedError  raised by device code: the command is refused or has failed
"""

from __future__ import annotations


class DevicesError(Exception):
    """Base of every error of this package."""


class ContractError(DevicesError):
    """A message breaks the device contract. The caller drops it and says so."""


class PayloadError(ContractError):
    """The payload is no JSON, has the wrong shape, or is too large."""


class VersionError(ContractError):
    """The description states a contract version other than ours."""


class TopicError(ContractError):
    """A topic or device id that the contract does not allow."""


class LinkError(DevicesError):
    """The wire did not carry a message."""


class LinkDownError(LinkError):
    """There is no connection to the broker now. Transient: retry while time is left."""


class LinkFullError(LinkError):
    """The bounded outgoing queue is full. Transient: retry later."""


class LinkRefusedError(LinkError):
    """The broker refuses this client (credentials, client id, protocol). Do not retry."""


class MemoryFailedError(DevicesError):
    """The file of a device's command ids cannot be written, or is another process's."""


class CommandRefusedError(DevicesError):
    """Raised by device code to answer a command with `rejected` or `failed`.

    `code` is a short machine word, the message a sentence that may be spoken; `effect`
    says whether the device may have changed (`failed`) or surely has not (`rejected`).
    """

    def __init__(self, code: str, message: str, *, effect: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.effect = effect
