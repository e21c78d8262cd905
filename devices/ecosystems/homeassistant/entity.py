"""An announced entity in the hands of its component: fields, senders, sources, capabilities.

Everything that several components do alike is here. It holds no state.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from devices.contract.capability import Capability, Kind, Risk
from devices.contract.command import Evidence, Scalar
from devices.contract.errors import PayloadError
from devices.ecosystems import payload
from devices.ecosystems.homeassistant.fields import Fields
from devices.ecosystems.homeassistant.part import Source, State, Trip, refused
from devices.ecosystems.homeassistant.templates import Templates
from devices.ecosystems.risk import risk_of

# A rendered `None` says that the value is not known.
UNKNOWN = "None"


@dataclass(frozen=True, slots=True)
class Sender:
    """A command topic, and the template that makes its payloads ("" for none)."""

    topic: str
    template: str
    templates: Templates

    def message(self, value: Scalar, **variables: Any) -> tuple[str, str]:  # noqa: ANN401 -- whatever a template may see
        """The topic and the payload for `value`. Raises CommandRefusedError."""
        if not self.template:
            return self.topic, str(value)
        try:
            text = self.templates.command(self.template, {"value": value, **variables})
        except PayloadError as error:
            raise refused(f"It cannot be told that: {error}.", "template") from None
        return self.topic, text


@dataclass(frozen=True, slots=True)
class Entity:
    """One entity: its component, what it is called, its fields.

    `label` is a name that may be shown; `words` are all the names by which its risk is judged.
    """

    component: str
    label: str
    fields: Fields
    words: tuple[str, ...]
    templates: Templates

    def sender(self, topic_key: str, template_key: str = "") -> Sender | None:
        """Where commands go, None when no such topic was announced. Raises PayloadError."""
        topic = self.fields.topic(topic_key)
        template = self.fields.template(template_key) if template_key else ""
        return Sender(topic, template, self.templates) if topic else None

    def sources(
        self,
        topic_key: str,
        template_key: str,
        read: Callable[[str], State],
        *,
        evidence: Evidence = Evidence.ECHOED,
        trip: Callable[[str], Trip | None] = lambda _: None,
    ) -> tuple[Source, ...]:
        """One source, or none when no such topic was announced. Raises PayloadError."""
        topic = self.fields.state_topic(topic_key)
        template = self.fields.template(template_key) if template_key else ""
        return (Source(topic, template, read, evidence, trip),) if topic else ()

    def needs(self, state_topic_key: str, level: Evidence = Evidence.ECHOED) -> Evidence:
        """The level that counts: PUBLISHED where nothing will ever be told."""
        if self.fields.flag("optimistic") or not self.fields.state_topic(state_topic_key):
            return Evidence.PUBLISHED
        return level

    def capability(
        self,
        kind: Kind,
        name: str | None = None,
        *,
        guarded: bool = False,
        **details: Any,  # noqa: ANN401 -- those of Capability
    ) -> Capability:
        """A capability with its risk; `guarded` where the component itself says so."""
        words = (*self.words, name or "")
        risk = Risk.GUARDED if guarded else risk_of(kind, *words)
        return Capability(kind, name, risk=risk, **details)


def on_off(key: str, on: str, off: str) -> Callable[[str], State]:
    """Reads two words as true and false, `None` as not known."""
    return word(key, {on: True, off: False})


def word(key: str, meanings: Mapping[str, Scalar]) -> Callable[[str], State]:
    """Reads the words of `meanings`, `None` as not known."""

    def read(text: str) -> State:
        if text in meanings:
            return {key: meanings[text]}
        return {key: None} if text == UNKNOWN else {}

    return read


def amount(
    key: str, convert: Callable[[float], float | None] | None = None
) -> Callable[[str], State]:
    """Reads a number, in the units of the contract after `convert` (None: it tells nothing)."""

    def read(text: str) -> State:
        found = payload.number(text)
        if found is None:
            return {key: None} if text == UNKNOWN else {}
        value = convert(found) if convert else found
        return {} if value is None else {key: value}

    return read


def wording(key: str) -> Callable[[str], State]:
    """Reads any text."""

    def read(text: str) -> State:
        return {key: None if text == UNKNOWN else payload.scalar(text)}

    return read


def json_object(text: str) -> dict[str, Any]:
    """The JSON object that a message is, {} when it is none."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
