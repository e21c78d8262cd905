"""The fields of one announced entity, each read with suspicion.

What cannot be what it should be is a PayloadError with a sentence; unknown keys stay unread.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from devices.contract.errors import PayloadError
from devices.contract.text import clean
from devices.ecosystems import payload

MAX_TOPIC_LENGTH = 256
MAX_TEXT_LENGTH = 256
MAX_TEMPLATE_BYTES = 4096
MAX_OPTIONS = 64
MAX_NUMBER = 1e9
_OTHER_COMMANDS = frozenset({"set_position_topic", "set_fan_speed_topic"})


class Fields:
    """An entity's configuration with long keys, as JSON gave it."""

    __slots__ = ("_raw",)

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self._raw = raw

    def __contains__(self, key: object) -> bool:
        """Whether the key was announced at all, be it as null."""
        return key in self._raw

    def __iter__(self) -> Iterator[str]:
        """The keys of all that was announced."""
        return iter(self._raw)

    def raw(self, key: str) -> Any:  # noqa: ANN401 -- JSON is of any shape
        """The value as it came, None when there is none."""
        return self._raw.get(key)

    def topic(self, key: str) -> str:
        """A topic without wildcards, "" when there is none. Raises PayloadError."""
        value = self._raw.get(key)
        return "" if value is None else checked_topic(value, key)

    def command_topics(self) -> frozenset[str]:
        """All topics that the entity is commanded by. Raises PayloadError."""
        keys = (key for key in self if key.endswith("command_topic") or key in _OTHER_COMMANDS)
        return frozenset(filter(None, map(self.topic, keys)))

    def state_topic(self, key: str) -> str:
        """A topic that tells a state, "" when there is none. Raises PayloadError.

        Nor when it is one that commands go to: there we would hear ourselves.
        """
        topic = self.topic(key)
        return "" if topic in self.command_topics() else topic

    def text(self, key: str, default: str = "") -> str:
        """A text, `default` when there is none or null. Raises PayloadError."""
        found = self.nullable(key, default)
        return default if found is None else found

    def nullable(self, key: str, default: str | None) -> str | None:
        """A text; None when it was announced as null, which is how a payload is switched off.

        What is no text is written as Python writes it: bridges announce `true` and then
        render `True`. Raises PayloadError.
        """
        value = self._raw.get(key, default)
        if value is None:
            return None
        if not isinstance(value, str | bool | int | float):
            raise PayloadError(f"{key} is no text")
        try:
            text = str(value)
        except ValueError:
            raise PayloadError(f"{key} is too large") from None
        if len(text) > MAX_TEXT_LENGTH:
            raise PayloadError(f"{key} is longer than {MAX_TEXT_LENGTH} characters")
        return text

    def template(self, key: str) -> str:
        """A template's source, "" when there is none. Raises PayloadError."""
        value = self._raw.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise PayloadError(f"{key} is no template")
        if len(value.encode(errors="replace")) > MAX_TEMPLATE_BYTES:
            raise PayloadError(f"{key} has more than {MAX_TEMPLATE_BYTES} bytes")
        return value

    def number(self, key: str, default: float) -> float:
        """A number of reasonable size, also from a text. Raises PayloadError."""
        value = self._raw.get(key)
        if value is None:
            return default
        found = payload.number(value)
        if found is None or abs(found) > MAX_NUMBER:
            raise PayloadError(f"{key} is no number")
        return found

    def flag(self, key: str, *, default: bool = False) -> bool:
        """True or false, in the spellings that are in use; `default` for anything else."""
        value = self._raw.get(key)
        word = str(value).casefold() if isinstance(value, str | bool | int) else ""
        if word in {"true", "1", "yes", "on"}:
            return True
        return False if word in {"false", "0", "no", "off"} else default

    def words(self, key: str, default: Iterable[str] = ()) -> dict[str, str]:
        """A list of texts: as they may be shown, and as they go on the wire.

        At most MAX_OPTIONS; what is no text is left out. Raises PayloadError for no list.
        """
        value = self._raw.get(key)
        if value is None:
            return {word: word for word in default}
        if isinstance(value, str):
            value = [value]
        if not isinstance(value, list):
            raise PayloadError(f"{key} is no list")
        found: dict[str, str] = {}
        for word in value[:MAX_OPTIONS]:
            if isinstance(word, str | int | float) and len(str(word)) <= MAX_TEXT_LENGTH:
                shown = clean(str(word), payload.NAME_LENGTH)
                if shown:
                    found.setdefault(shown, str(word))
        return found


def checked_topic(value: object, what: str) -> str:
    """`value` as a topic that can be published and listened to. Raises PayloadError."""
    if not isinstance(value, str) or not value:
        raise PayloadError(f"{what} is no topic")
    if len(value) > MAX_TOPIC_LENGTH:
        raise PayloadError(f"{what} is longer than {MAX_TOPIC_LENGTH} characters")
    if not value.isprintable() or any(sign in value for sign in "+#") or value.startswith("$"):
        raise PayloadError(f"{what} has wildcards or other characters that no topic may have")
    return value
