"""Which devices a text means: an exact answer or none.

Names come before areas, areas before kinds. An unknown or ambiguous text acts on nothing: it
is answered with the nearest names. One wrong letter in the name of one harmless device is
forgiven, where nothing else is near.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from devices.contract.text import clean
from gateway.directory import Device
from gateway.outcome import Outcome, Status
from gateway.tools import vocabulary
from gateway.tools.entries import Entry, area_key, by_area, by_name, entry_of
from gateway.tools.kinds import ANYTHING, KIND_WORDS
from gateway.tools.names import (
    did_you_mean,
    fold,
    is_slip,
    near_spellings,
    parted,
    trimmed,
    without_articles,
)

_EVERY = vocabulary.EVERY | {"all", "every", "each"}
MAX_CANDIDATES = 6


@dataclass(frozen=True, slots=True)
class Match:
    """What a text means. `group` is False when it names one device; `label` is its name."""

    label: str
    entries: tuple[Entry, ...]
    group: bool


class House:
    """The devices by name, area and kind, as they were when it was built. Never changes."""

    def __init__(self, devices: Iterable[Device]) -> None:
        self.entries = tuple(entry_of(device) for device in devices)
        self._by_id = {e.id: e for e in self.entries}
        self._by_name = by_name(self.entries)
        self._areas = by_area(self.entries)
        self._suggested: dict[str, dict[str, str]] = {}

    @property
    def areas(self) -> list[str]:
        """The areas that have devices, as they are written."""
        return [area.name for area in self._areas.values()]

    def supporting(self, verb: str) -> tuple[Entry, ...]:
        """The devices that understand `verb`; "" stands for all."""
        return tuple(e for e in self.entries if _able(e, verb))

    def in_area(self, name: str) -> tuple[Entry, ...]:
        """The devices of an area, () when there is no such area."""
        area = self._areas.get(area_key(name))
        return area.entries if area else ()

    def named(self, name: str) -> tuple[Entry, ...]:
        """The devices with exactly this name or alias."""
        return self._by_name.get(fold(name), ())

    def resolve(self, text: str, verb: str) -> Match | Outcome:
        """What `text` means among the devices that understand `verb` ("" for all).

        A refusal is `unknown_target` (nothing of that name, an ambiguous name, an area
        without such a device) or `invalid` (the device cannot do that).
        """
        words = fold(text).split()
        found = self._device(" ".join(words), verb) or self._phrase(without_articles(words), verb)
        if isinstance(found, Match):
            return found
        # A refusal that names the very device tells more than one about its kind.
        known = self._by_exact_id(text, verb) or self._unable(words, verb)
        return (
            known
            or found
            or self._unparted(words, verb)
            or self._misspelt(" ".join(without_articles(words)), verb)
            or self._unknown(text, verb)
        )

    def _device(self, name: str, verb: str) -> Match | Outcome | None:
        return _one(self._by_name.get(name, ()), verb)

    def _by_exact_id(self, text: str, verb: str) -> Match | Outcome | None:
        entry = self._by_id.get(text.strip())
        return None if entry is None else _one((entry,), verb) or _cannot(entry, verb)

    def _phrase(self, words: list[str], verb: str) -> Match | Outcome | None:
        """A text without its articles: a name, an area, a kind, or a place and a kind."""
        every = len(words) > 1 and words[0] in _EVERY
        if not every and (found := self._device(" ".join(words), verb)):
            return found
        words = trimmed(words[1:] if every else words) or words
        return (
            self._area_part(words, verb, every=every)
            or self._whole_area(" ".join(words), verb)
            or _of_kind(self.entries, words, verb, "", every=every)
        )

    def _whole_area(self, name: str, verb: str) -> Match | Outcome | None:
        area = self._areas.get(name)
        if area is None:
            return None
        able = tuple(e for e in area.entries if _able(e, verb))
        if not able:
            return Outcome(Status.UNKNOWN_TARGET, f"Nothing in {area.name} {_can(verb)}.")
        return Match(area.name, able, group=True)

    def _area_part(self, words: list[str], verb: str, *, every: bool) -> Match | Outcome | None:
        """ "kitchen lamp", "lights in the kitchen", "kitchen everything"."""
        for cut in range(1, len(words)):
            for place, what in ((words[:cut], words[cut:]), (words[cut:], words[:cut])):
                area = self._areas.get(" ".join(trimmed(place)))
                rest = trimmed(what)
                if area is None or not rest:
                    continue
                named = () if every else area.by_name.get(" ".join(rest), ())
                found = _one(named, verb) or _of_kind(
                    area.entries, rest, verb, area.name, every=every
                )
                if found:
                    return found
        return None

    def _unable(self, words: list[str], verb: str) -> Outcome | None:
        """The refusal for a device that is known and cannot do this, None for other words."""
        for name in (words, without_articles(words)):
            known = self._by_name.get(" ".join(name), ())
            if known and not any(_able(e, verb) for e in known):
                return _cannot(known[0], verb)
        return None

    def _unparted(self, words: list[str], verb: str) -> Match | Outcome | None:
        """A phrase in a language that does not part words: "客厅的灯"."""
        text = "".join(words)
        if text.isascii():
            return None
        apart = parted(text)
        area = next((key for key in self._areas if apart and apart[-1].startswith(key)), "")
        if area and (rest := apart[-1].removeprefix(area)):
            apart[-1:] = [area, rest]
        return None if apart == words else self._phrase(apart, verb)

    def _misspelt(self, name: str, verb: str) -> Match | None:
        """The one harmless device whose name was meant, None when that is not clear."""
        near = near_spellings(name, self._by_name)
        entries = {e.id: e for key in near for e in self._by_name[key]}
        if len(entries) != 1:
            return None
        (entry,) = entries.values()
        clear = any(
            errors == 1 and is_slip(name, key, self._vocabulary) for key, errors in near.items()
        )
        if not clear or entry.risky or not _able(entry, verb):
            return None
        return Match(entry.name, (entry,), group=False)

    @cached_property
    def _vocabulary(self) -> frozenset[str]:
        """All words of names, areas and kinds."""
        texts = (*self._by_name, *self._areas, *KIND_WORDS)
        return frozenset(word for text in texts for word in text.split())

    def _unknown(self, text: str, verb: str) -> Outcome:
        shown = clean(text, 60)
        hint = did_you_mean(text, self._suggestions(verb)) if shown else ""
        return Outcome(Status.UNKNOWN_TARGET, f"I know nothing called “{shown}”.{hint}")

    def _suggestions(self, verb: str) -> dict[str, str]:
        """Names and areas, with how they are compared; made once a verb, when first needed."""
        if verb not in self._suggested:
            names = [*(e.name for e in self.supporting(verb)), *self.areas]
            self._suggested[verb] = {name: fold(name) for name in names}
        return self._suggested[verb]


def _one(entries: tuple[Entry, ...], verb: str) -> Match | Outcome | None:
    """The one of `entries` that is able; a question when there are several; None when none is."""
    able = tuple(e for e in entries if _able(e, verb))
    if not able:
        return None
    if len(able) == 1:
        return Match(able[0].name, able, group=False)
    return _ambiguous(able)


def _of_kind(
    entries: tuple[Entry, ...], words: list[str], verb: str, area: str, *, every: bool
) -> Match | Outcome | None:
    """All of a kind; one when the word is in the singular and there is but one."""
    known = KIND_WORDS.get(" ".join(words))
    if known is None:
        return None
    kind, many = known
    able = tuple(e for e in entries if kind in e.kinds and _able(e, verb))
    word = " ".join(words)
    if not able:
        place = f" in {area}" if area else ""
        return Outcome(Status.UNKNOWN_TARGET, f"There is no {word}{place} that {_can(verb)}.")
    if not (many or every):
        return _one(able, verb)
    label = f"{area} {word}" if area else (word if kind == ANYTHING else f"all {word}")
    return Match(label, able, group=True)


def _cannot(entry: Entry, verb: str) -> Outcome:
    message = f"{entry.name} is not something that {_can(verb)}."
    return Outcome(Status.INVALID, message, target=entry.name)


def _ambiguous(entries: tuple[Entry, ...]) -> Outcome:
    places = list(dict.fromkeys(e.place for e in entries))
    if len(places) < len(entries):
        places = [f"{e.place} ({e.id})" for e in entries]
    shown = places[:MAX_CANDIDATES]
    more = f" or {len(places) - len(shown)} more" if len(places) > len(shown) else ""
    return Outcome(
        Status.UNKNOWN_TARGET, f"That could be several devices: {' or '.join(shown)}{more}. Which?"
    )


def _able(entry: Entry, verb: str) -> bool:
    return not verb or verb in entry.verbs


_CAN = {
    "turn_on": "can be turned on",
    "turn_off": "can be turned off",
    "set_cover": "can be opened or closed",
    "stop": "can be stopped",
    "lock": "can be locked",
    "unlock": "can be unlocked",
    "set_climate": "heats or cools",
    "set_fan": "has a fan",
    "set_value": "has a value to set",
    "press": "can be pressed",
    "vacuum": "can vacuum",
    "alarm": "is an alarm",
}


def _can(verb: str) -> str:
    return _CAN.get(verb, f"can do {verb.replace('_', ' ')}" if verb else "is known")
