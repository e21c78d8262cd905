"""Whether an entity is there: several topics, each with its own words, taken together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from devices.contract.errors import PayloadError
from devices.ecosystems.homeassistant import abbreviations
from devices.ecosystems.homeassistant.fields import Fields

MAX_TOPICS = 8
_MODES = ("latest", "all", "any")


@dataclass(frozen=True, slots=True)
class Sign:
    """One topic that tells of the entity, and its two words."""

    topic: str
    template: str
    present: str
    absent: str

    def read(self, text: str) -> bool | None:
        """What a message (after the template) says; None for another word."""
        if text == self.present:
            return True
        return False if text == self.absent else None


@dataclass(frozen=True, slots=True)
class Rule:
    """All signs of one entity and how they count together."""

    signs: tuple[Sign, ...]
    mode: str = "latest"

    def online(self, told: Mapping[str, bool], latest: bool | None) -> bool | None:
        """Whether the entity is there, None when that is not known yet.

        `told` is what each topic said last, `latest` what came last of all.
        """
        if self.mode == "latest":
            return latest
        said = [told[sign.topic] for sign in self.signs if sign.topic in told]
        decisive = self.mode == "any"
        if decisive in said:
            return decisive
        return (not decisive) if len(said) == len(self.signs) and said else None


def rule_of(fields: Fields) -> Rule:
    """The rule that an entity announces; without signs when it always counts as there.

    Raises PayloadError.
    """
    mode = fields.text("availability_mode", "latest")
    if mode not in _MODES:
        raise PayloadError("availability_mode is none that there is")
    return Rule(tuple(_signs(fields)), mode)


def _signs(fields: Fields) -> list[Sign]:
    if fields.topic("availability_topic"):
        return [_sign(fields, "availability_topic", "availability_template")]
    entries = fields.raw("availability")
    if isinstance(entries, dict):
        entries = [entries]
    if not isinstance(entries, list):
        return []
    blocks = [abbreviations.expand(e) for e in entries[:MAX_TOPICS] if isinstance(e, dict)]
    return [_sign(Fields(block), "topic", "value_template") for block in blocks]


def _sign(fields: Fields, topic_key: str, template_key: str) -> Sign:
    topic = fields.topic(topic_key)
    if not topic:
        raise PayloadError("an availability has no topic")
    return Sign(
        topic,
        fields.template(template_key),
        fields.text("payload_available", "online"),
        fields.text("payload_not_available", "offline"),
    )


class Presence:
    """What was heard of one entity's signs."""

    __slots__ = ("_latest", "_told", "rule")

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self._told: dict[str, bool] = {}
        self._latest: bool | None = None

    def hear(self, sign: Sign, text: str) -> None:
        """A message of `sign`, after its template; other words change nothing."""
        said = sign.read(text)
        if said is not None:
            self._told[sign.topic] = self._latest = said

    @property
    def online(self) -> bool | None:
        """Whether the entity is there, None when that is not known, or never told."""
        return self.rule.online(self._told, self._latest)
