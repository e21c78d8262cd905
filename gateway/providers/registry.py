"""The realtime providers by name: settings in, a maker of dialects out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from gateway.errors import ConfigError
from gateway.providers.base import Dialect
from gateway.providers.navtalk import NavTalk, NavTalkSettings

DialectMaker = Callable[[], Dialect]
"""Makes the dialect of one connection; called anew for each."""


def dialect_maker(provider: str, settings: Mapping[str, Any]) -> DialectMaker:
    """What makes `provider`'s dialects. Keys of `settings` that it does not know are left out.

    Empty values mean the provider's own defaults. Raises ConfigError for an unknown provider
    or when a setting that it cannot do without is missing.
    """
    try:
        maker = _MAKERS[provider]
    except KeyError:
        known = ", ".join(sorted(_MAKERS))
        raise ConfigError(f"session.provider {provider!r} is unknown; known: {known}") from None
    return maker(settings)


def _navtalk(settings: Mapping[str, Any]) -> DialectMaker:
    known = {field.name for field in dataclasses.fields(NavTalkSettings)}
    given = {key: value for key, value in settings.items() if key in known and value}
    # A stand-in on one's own URL may want no key; the real service refuses without one.
    if "license" not in given and "url" not in given:
        raise ConfigError(
            "session.license is empty: set GATEWAY_SESSION__LICENSE or session.license_file"
        )
    if not given.get("avatar_id") and not given.get("avatar_name"):
        raise ConfigError("session.avatar_name or session.avatar_id must say which avatar to use")
    chosen = NavTalkSettings(**given)
    _check_url(chosen.url)
    return lambda: NavTalk(chosen)


def _check_url(url: str) -> None:
    """A broken URL is told at start, without repeating it: it may hold a secret."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("ws", "wss") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise ConfigError("session.url is no WebSocket URL: write wss://host/path")


_MAKERS: Mapping[str, Callable[[Mapping[str, Any]], DialectMaker]] = {"navtalk": _navtalk}
