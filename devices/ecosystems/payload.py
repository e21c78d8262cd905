"""What other people's devices send, read with suspicion: bounded JSON, scalars, names, ids.

Nothing here knows an ecosystem. What cannot be read is a PayloadError with a sentence.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import unicodedata
from typing import Any

from devices.contract.command import Scalar
from devices.contract.errors import PayloadError
from devices.contract.text import clean

NAME_LENGTH = 64
VALUE_LENGTH = 256
MAX_DEPTH = 32
# More than anything in a house comes to, and safe in every sum.
MAX_NUMBER = 1e15
_DEVICE_ID_LENGTH = 63


def read_json(payload: bytes, max_bytes: int) -> Any:  # noqa: ANN401 -- JSON is of any shape
    """The JSON value in `payload`. Raises PayloadError: too long, too deep, or no JSON."""
    if len(payload) > max_bytes:
        raise PayloadError(f"the message has more than {max_bytes} bytes")
    try:
        value = json.loads(payload)
    except (ValueError, RecursionError):
        raise PayloadError("the message is no JSON") from None
    if not _shallow(value, MAX_DEPTH):
        raise PayloadError("the message is nested too deeply")
    return value


def read_object(payload: bytes, max_bytes: int) -> dict[str, Any]:
    """The JSON object in `payload`. Raises PayloadError."""
    value = read_json(payload, max_bytes)
    if not isinstance(value, dict):
        raise PayloadError("the message is no JSON object")
    return value


def read_text(payload: bytes, max_bytes: int = 1024) -> str:
    """The text in `payload`. Raises PayloadError when it is too long or no UTF-8."""
    if len(payload) > max_bytes:
        raise PayloadError(f"the message has more than {max_bytes} bytes")
    try:
        return payload.decode()
    except UnicodeDecodeError:
        raise PayloadError("the message is no UTF-8 text") from None


def number(value: object) -> float | None:
    """`value` as a number, also from a text such as "15.0"; None when it is none, or too large."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    if math.isnan(found) or abs(found) > MAX_NUMBER:
        return None
    return int(found) if found.is_integer() else found


def scalar(value: object) -> Scalar:
    """`value` as a state value: texts are cleaned and cut; None for lists, objects and NaN."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return number(value)
    return clean(value, VALUE_LENGTH) if isinstance(value, str) else None


def name(value: object, otherwise: str) -> str:
    """`value` as a name that may be shown and spoken; `otherwise` when it is none."""
    found = clean(value, NAME_LENGTH) if isinstance(value, str) else ""
    return found or clean(otherwise, NAME_LENGTH)


def device_id(ecosystem: str, key: str) -> str:
    """`key` as a device id of `ecosystem`: lower-case letters, digits and hyphens, at most 63.

    The same key gives the same id always, another one another: a key that an id cannot hold
    as it is ends in a short digest.
    """
    ascii_key = unicodedata.normalize("NFKD", key).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", ascii_key.lower()).strip("-")
    plain = f"{ecosystem}-{slug}"
    if re.sub(r"[ _/.:-]", "-", key).lower() == slug and len(plain) <= _DEVICE_ID_LENGTH:
        return plain
    digest = hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()[:8]
    return f"{plain[: _DEVICE_ID_LENGTH - 9].rstrip('-')}-{digest}"


def mac(text: str) -> str:
    """A MAC address as twelve lower-case digits, however it was written; "" when it is none."""
    digits = re.sub(r"[:. -]", "", text.lower())
    return digits if re.fullmatch(r"[0-9a-f]{12}", digits) else ""


def _shallow(value: object, depth: int) -> bool:
    if depth == 0:
        return False
    if isinstance(value, dict):
        return all(_shallow(v, depth - 1) for v in value.values())
    if isinstance(value, list):
        return all(_shallow(v, depth - 1) for v in value)
    return True
