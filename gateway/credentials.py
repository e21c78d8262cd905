"""Secrets: where they come from, and a configuration shown without them.

A secret is a field of type SecretStr with "" as its default. No text of a secret ever reaches
a log line or an error from here.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr

from gateway.errors import ConfigError

MASK = "**********"
MAX_SECRET_BYTES = 16 * 1024

log = logging.getLogger(__name__)

_SECRET_NAME = re.compile(
    r"(.*_)?(password|passphrase|secret|token|licen[sc]e|pin|key)", re.IGNORECASE
)
_URL = re.compile(r"[a-z]+://", re.IGNORECASE)
# As far as the last @: a password that was not percent-encoded may hold any other mark.
_USER = re.compile(r"(?<=://).*@", re.DOTALL)
_QUERY = re.compile(r"\?.*", re.DOTALL)


def fill(config: BaseModel, folder: Path | None) -> None:
    """Fill each secret that is empty: from its `*_file`, else from a file in `folder`.

    `folder` is where systemd puts credentials, each named as its field (`session.license`);
    None where there is none. Raises ConfigError, with the field, for a file that is missing,
    unreadable, empty or no single line.
    """
    for place, model, name in list(_secrets(config, "")):
        if getattr(model, name).get_secret_value():
            continue
        file: Path | None = getattr(model, f"{name}_file", None)
        if file is not None:
            setattr(model, name, _read(file, f"{place}_file"))
            warn_if_others_can_read(file, f"{place}_file")
        elif folder is not None and "/" not in place and (folder / place).exists():
            setattr(model, name, _read(folder / place, f"the systemd credential {place}"))


def warn_if_others_can_read(path: Path, what: str) -> None:
    """Log a warning with its cure when `path` is not for its owner's eyes only.

    The group of a file of somebody else's may read it: that is how we do.
    """
    try:
        status = path.stat()
    except OSError:
        return
    ours = status.st_uid == os.geteuid()
    if status.st_mode & (0o077 if ours else 0o007):
        cure = f"chmod 600 {path}" if ours else f"give it to our user and chmod 600 {path}"
        log.warning("%s holds a secret that others can read: %s", what, cure)


def masked(value: Any) -> Any:  # noqa: ANN401 -- whatever a configuration holds
    """A model or plain data as plain data, with secrets and the secrets in URLs masked."""
    if isinstance(value, BaseModel):
        return masked(value.model_dump(mode="json"))
    if isinstance(value, dict):
        return {
            key: MASK if item and _is_secret(key, item) else masked(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [masked(item) for item in value]
    return shown_url(value) if isinstance(value, str) and _URL.match(value) else value


def shown_url(url: str) -> str:
    """`url` without what may be secret in it: user, password and query."""
    return _QUERY.sub(f"?{MASK}", _USER.sub(f"{MASK}@", url))


def _is_secret(key: object, value: object) -> bool:
    named = isinstance(key, str) and _SECRET_NAME.fullmatch(key)
    return bool(named) and isinstance(value, str | int) and not isinstance(value, bool)


def _secrets(value: object, place: str) -> Iterator[tuple[str, BaseModel, str]]:
    """Each secret inside `value`: its place, the model that holds it, and its name there."""
    for name, inner in _items(value):
        here = f"{place}.{name}" if place else name
        if isinstance(inner, SecretStr) and isinstance(value, BaseModel):
            yield here, value, name
        else:
            yield from _secrets(inner, here)


def _items(value: object) -> Iterable[tuple[str, object]]:
    if isinstance(value, BaseModel):
        return value
    if isinstance(value, dict):
        return [(str(key), item) for key, item in value.items()]
    if isinstance(value, list):
        return [(str(number), item) for number, item in enumerate(value)]
    return ()


def _read(path: Path, what: str) -> SecretStr:
    try:
        with path.open("rb") as file:
            text = file.read(MAX_SECRET_BYTES + 1).decode().strip()
    except OSError as error:
        raise ConfigError(f"{what}: cannot read {path} ({error.strerror})") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{what}: {path} is no text") from None
    if not text:
        raise ConfigError(f"{what}: {path} is empty")
    if not text.isprintable() or len(text) > MAX_SECRET_BYTES:
        raise ConfigError(f"{what}: {path} must hold the secret alone, on one line")
    return SecretStr(text)
