"""What can be said as the target of a tool, as a list for the model, while it is short."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from gateway.tools.entries import Entry
from gateway.tools.kinds import plural
from gateway.tools.names import fold
from gateway.tools.target import House, Match

MAX_TARGETS = 40


def targets(house: House, verb: str) -> tuple[str, ...]:
    """Names, areas and kinds that mean something for `verb`; () when more than MAX_TARGETS.

    Each of them resolves: a name that several devices have is given with its area, or as id.
    """
    able = house.supporting(verb)
    if len(able) > MAX_TARGETS:
        return ()
    said: dict[str, str] = {}
    for text in (*_devices(house, able, verb), *_groups(house, able, verb)):
        said.setdefault(fold(text), text)
    return tuple(said.values()) if len(said) <= MAX_TARGETS else ()


def _devices(house: House, able: Iterable[Entry], verb: str) -> Iterator[str]:
    for entry in able:
        spellings = (entry.name, f"{entry.area} {entry.name}", entry.id)
        yield next((text for text in spellings if _means(house, text, verb, entry)), entry.id)


def _groups(house: House, able: Iterable[Entry], verb: str) -> Iterator[str]:
    """Areas, then kinds in an area that are not all of it, then kinds in the whole house."""
    kinds = Counter(e.kind for e in able)
    areas = Counter(area for e in able if (area := e.area))
    for area in areas:
        if _is_group(house, area, verb):
            yield area
    within = Counter((e.area, e.kind) for e in able if e.area)
    for (area, kind), count in within.items():
        text = f"{area} {plural(kind)}"
        if 1 < count < areas[area] and _is_group(house, text, verb):
            yield text
    for kind, count in kinds.items():
        if count > 1 and _is_group(house, f"all {plural(kind)}", verb):
            yield f"all {plural(kind)}"


def _means(house: House, text: str, verb: str, entry: Entry) -> bool:
    match = house.resolve(text, verb)
    return isinstance(match, Match) and not match.group and match.entries == (entry,)


def _is_group(house: House, text: str, verb: str) -> bool:
    match = house.resolve(text, verb)
    return isinstance(match, Match) and match.group
