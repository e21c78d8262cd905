"""Which devices a text means: an exact answer or none.

Names come before areas, areas before kinds. An unknown or ambiguous text acts on nothing: it
is answered with the nearest names, never with a guess.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from devices.contract.capability import Description, Kind
from devices.contract.text import clean
from devices.contract.verbs import VERBS
from gateway.directory import Device
from gateway.outcome import Outcome, Status
from gateway.tools.kinds import ANYTHING, KIND_WORDS, kinds_of, main_kind
from gateway.tools.names import fold, nearest

_ARTICLES = frozenset({"the", "a", "an", "my", "our", "your", "this", "that"})
_EVERY = frozenset({"all", "every", "each"})
_BETWEEN = frozenset({"in", "of", "at", "on", "from", "inside", "within", "for"}) | _ARTICLES
MAX_CANDIDATES = 6


@dataclass(frozen=True, slots=True)
class Entry:
    """A device as it was described when the house was built; `device` is what it is now."""

    device: Device
    description: Description
    verbs: frozenset[str]
    """standard verbs and own commands"""
    kinds: frozenset[str]
    kind: str
    """the main one"""

    @property
    def id(self) -> str:
        """The device's id."""
        return self.description.id

    @property
    def name(self) -> str:
        """The name to speak."""
        return self.description.name

    @property
    def area(self) -> str:
        """The area, "" when none is known."""
        return self.description.area

    @property
    def place(self) -> str:
        """Its name, with its area where that tells more."""
        name, area = self.name, self.area
        return f"{name} in {area}" if area and fold(area) not in fold(name) else name


@dataclass(frozen=True, slots=True)
class Match:
    """What a text means. `group` is False when it names one device; `label` is its name."""

    label: str
    entries: tuple[Entry, ...]
    group: bool


@dataclass(frozen=True, slots=True)
class _Area:
    name: str
    entries: tuple[Entry, ...]
    by_name: dict[str, tuple[Entry, ...]]


class House:
    """The devices by name, area and kind, as they were when it was built. Never changes."""

    def __init__(self, devices: Iterable[Device]) -> None:
        self.entries = tuple(_entry(device) for device in devices)
        self._by_id = {e.id: e for e in self.entries}
        self._by_name = _index(self.entries)
        self._areas = _areas(self.entries)
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
        area = self._areas.get(fold(name))
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
        if not words:
            return self._unknown(text, verb)
        return (
            self._device(" ".join(words), verb)
            or self._phrase(_without_articles(words), verb)
            or self._by_exact_id(text, verb)
            or self._unable(text, words, verb)
            or self._unknown(text, verb)
        )

    def _device(self, name: str, verb: str) -> Match | Outcome | None:
        return _one(self._by_name.get(name, ()), verb)

    def _by_exact_id(self, text: str, verb: str) -> Match | Outcome | None:
        entry = self._by_id.get(text.strip())
        return None if entry is None else _one((entry,), verb)

    def _phrase(self, words: list[str], verb: str) -> Match | Outcome | None:
        """A text without its articles: a name, an area, a kind, or a place and a kind."""
        every = len(words) > 1 and words[0] in _EVERY
        if not every and (found := self._device(" ".join(words), verb)):
            return found
        words = _trimmed(words[1:] if every else words) or words
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
                area = self._areas.get(" ".join(_trimmed(place)))
                rest = _trimmed(what)
                if area is None or not rest:
                    continue
                named = () if every else area.by_name.get(" ".join(rest), ())
                found = _one(named, verb) or _of_kind(
                    area.entries, rest, verb, area.name, every=every
                )
                if found:
                    return found
        return None

    def _unable(self, text: str, words: list[str], verb: str) -> Outcome | None:
        """The device is known, and cannot do this."""
        known = self._by_name.get(" ".join(words)) or self._by_name.get(
            " ".join(_without_articles(words))
        )
        if not known and text.strip() in self._by_id:
            known = (self._by_id[text.strip()],)
        if not known:
            return None
        name = known[0].name
        return Outcome(Status.INVALID, f"{name} is not something that {_can(verb)}.", target=name)

    def _unknown(self, text: str, verb: str) -> Outcome:
        shown = clean(text, 60)
        near = nearest(text, self._suggestions(verb), 3) if shown else []
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
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


def _ambiguous(entries: tuple[Entry, ...]) -> Outcome:
    places = list(dict.fromkeys(e.place for e in entries))
    if len(places) < len(entries):
        places = [f"{e.place} ({e.id})" for e in entries]
    shown = places[:MAX_CANDIDATES]
    more = f" or {len(places) - len(shown)} more" if len(places) > len(shown) else ""
    return Outcome(
        Status.UNKNOWN_TARGET, f"That could be several devices: {' or '.join(shown)}{more}. Which?"
    )


def _entry(device: Device) -> Entry:
    description = device.description
    verbs = _verbs(frozenset(c.kind for c in description.capabilities))
    if description.commands:
        verbs |= {c.name for c in description.commands if c.name not in VERBS}
    return Entry(device, description, verbs, _shared(kinds_of(description)), main_kind(description))


@lru_cache(maxsize=1024)
def _verbs(kinds: frozenset[Kind]) -> frozenset[str]:
    return frozenset(name for name, verb in VERBS.items() if verb.kinds & kinds)


@lru_cache(maxsize=1024)
def _shared(words: frozenset[str]) -> frozenset[str]:
    """An equal set that many devices share: ten thousand of them fit a small machine."""
    return words


def _index(entries: Iterable[Entry]) -> dict[str, tuple[Entry, ...]]:
    """Each name and alias, with and without a leading article."""
    table: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        description = entry.description
        for key in {fold(name) for name in (description.name, *description.aliases)}:
            table[key].append(entry)
    for key in [key for key in table if key.split()[:1] and key.split()[0] in _ARTICLES]:
        bare = " ".join(_without_articles(key.split()))
        if bare not in table:
            table[bare] = table[key]
    return {key: tuple(found) for key, found in table.items() if key}


def _areas(entries: Iterable[Entry]) -> dict[str, _Area]:
    table: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        if key := fold(entry.area):
            table[key].append(entry)
    return {
        " ".join(_without_articles(key.split())): _Area(
            found[0].area, tuple(found), _within(key, found)
        )
        for key, found in table.items()
    }


def _within(area: str, entries: list[Entry]) -> dict[str, tuple[Entry, ...]]:
    """The names of an area's devices, also without the area's own name at their beginning."""
    table = _index(entries)
    prefix = f"{area} "
    for name in [name for name in table if name.startswith(prefix)]:
        table.setdefault(name.removeprefix(prefix), table[name])
    return table


def _without_articles(words: list[str]) -> list[str]:
    """Without leading articles, unless nothing else would be left."""
    first = next((i for i, word in enumerate(words) if word not in _ARTICLES), 0)
    return words[first:]


def _trimmed(words: list[str]) -> list[str]:
    """Without the small words at both ends: "lights in the" is "lights"."""
    start, end = 0, len(words)
    while start < end and words[start] in _BETWEEN:
        start += 1
    while end > start and words[end - 1] in _BETWEEN:
        end -= 1
    return words[start:end]


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
