"""What a broker's code or an error of the system means for a link, and in words. Pure."""

from __future__ import annotations

import ssl

from devices.contract.text import clean
from devices.link.reconnect import Verdict

TAKEN_OVER = 0x8E

_VERSION = 0x84
_KEEPALIVE = 0x8D
# Client id, credentials, authorisation, ban, method, will (topic, retain, QoS), server moved.
_REFUSALS = frozenset({0x85, 0x86, 0x87, 0x8A, 0x8C, 0x90, 0x9A, 0x9B, 0x9D})


def judge(code: int) -> Verdict:
    """What a CONNACK that is no success means; a code that is not final may pass by itself."""
    if code == _VERSION:
        return Verdict.VERSION
    return Verdict.REFUSED if code in _REFUSALS else Verdict.LOST


def farewell(code: int, name: str, *, from_broker: bool) -> str:
    """How the connection ended, as the second half of a sentence about the broker."""
    if from_broker:
        return f"sent us away: {name}"
    return "does not answer any more" if code == _KEEPALIVE else "closed the connection"


def why(error: Exception) -> str:
    """An error of the system or of TLS, as half a sentence."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not valid ({error.verify_message})"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed ({getattr(error, 'reason', '') or 'no reason given'})"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    text = error.strerror if isinstance(error, OSError) else None
    return (text or clean(str(error), 120) or type(error).__name__).lower()
