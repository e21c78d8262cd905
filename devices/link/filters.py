"""MQTT topic filters: which are valid, what they match, and whom a message concerns.

Pure logic: no link, no event loop, no broker.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import NamedTuple

from devices.link.base import Handler

MAX_TOPIC_BYTES = 65_535
"""What the length field of an MQTT string can hold."""

_AT_ONCE = 50
_HOT_TOPICS = 4096
# A hostile publisher may use names of 64 KB; those are looked up each time.
_HOT_TOPIC_CHARS = 256


def check_topic(topic: str) -> str:
    """`topic` itself. Raises ValueError for one that nothing can be published to."""
    if "+" in topic or "#" in topic:
        raise ValueError(f"{topic[:120]!r} is no topic to publish to: it has a wildcard")
    return _check_text(topic)


def check_filter(topic_filter: str) -> str:
    """`topic_filter` itself. Raises ValueError when MQTT does not allow it."""
    levels = _check_text(topic_filter).split("/")
    for position, level in enumerate(levels, start=1):
        if level != "+" and "+" in level:
            raise ValueError(f"{topic_filter[:120]!r} is no filter: + must stand alone in a level")
        if "#" in level and (level != "#" or position != len(levels)):
            raise ValueError(f"{topic_filter[:120]!r} is no filter: # must be the whole last level")
    return topic_filter


def has_wildcard(topic_filter: str) -> bool:
    """Whether a valid filter can match more than one topic."""
    return "+" in topic_filter or "#" in topic_filter


def matches(topic_filter: str, topic: str) -> bool:
    """Whether a valid filter matches a topic.

    A filter that begins with a wildcard matches no topic that begins with `$`.
    """
    table = FilterTable()
    table.add(topic_filter, _nobody)
    return bool(table.handlers(topic))


@dataclass(frozen=True, slots=True, eq=False)
class Subscription:
    """One call of `subscribe`: the token that ends it. `number` is that of its filter."""

    topic_filter: str
    handler: Handler
    qos: int
    number: int


class Wanted(NamedTuple):
    """One filter to ask a broker for. `number` is its own, from 1."""

    topic_filter: str
    qos: int
    number: int


@dataclass(slots=True)
class _Node:
    """One level of the wildcard filters, and the subscriptions that end here."""

    children: dict[str, _Node] = field(default_factory=dict)
    here: list[Subscription] = field(default_factory=list)


class FilterTable:
    """The subscriptions of one client, and the handlers of a topic.

    Exact filters are looked up in a dict, wildcards in a tree, and the answer for a topic
    that comes often is remembered (at most 4096 of them).

    Each filter has a number. A broker may send one message once for each filter that matches,
    and say with these numbers (MQTT 5 subscription identifiers) which ones a copy stands for; a
    handler then belongs to the copy for the first of its filters.
    """

    def __init__(self) -> None:
        self._by_filter: dict[str, list[Subscription]] = {}
        self._wildcards = _Node()
        self._hot: dict[str, dict[Handler, int]] = {}
        self._last_number = 0

    def __contains__(self, topic_filter: str) -> bool:
        """Whether anybody subscribes to exactly this filter."""
        return topic_filter in self._by_filter

    def add(self, topic_filter: str, handler: Handler, qos: int = 0) -> Subscription:
        """Subscribe `handler`. Raises ValueError for a filter or QoS that MQTT does not allow."""
        if qos not in {0, 1, 2}:
            raise ValueError(f"QoS {qos!r} does not exist: 0, 1 or 2")
        entry = Subscription(check_filter(topic_filter), handler, qos, self._number(topic_filter))
        self._by_filter.setdefault(topic_filter, []).append(entry)
        if has_wildcard(topic_filter):
            self._grow(topic_filter).here.append(entry)
        self._hot.clear()
        return entry

    def remove(self, entry: Subscription) -> bool:
        """End a subscription; one that has ended already is no error.

        True when it was the last one of its filter.
        """
        entries = self._by_filter.get(entry.topic_filter, [])
        if entry not in entries:
            return False
        entries.remove(entry)
        if has_wildcard(entry.topic_filter):
            self._prune(entry)
        self._hot.clear()
        if entries:
            return False
        del self._by_filter[entry.topic_filter]
        return True

    def wanted(self) -> list[Wanted]:
        """What to ask a broker for: each filter once, with the highest QoS."""
        return [self.want(name) for name in self._by_filter]

    def want(self, topic_filter: str) -> Wanted:
        """The same for one filter of this table."""
        entries = self._by_filter[topic_filter]
        return Wanted(topic_filter, max(entry.qos for entry in entries), entries[0].number)

    def handlers(self, topic: str, numbers: Collection[int] = ()) -> Sequence[Handler]:
        """The handlers of a topic, each once; of one copy of the message if it has `numbers`."""
        hot = self._hot.get(topic)
        if hot is None:
            hot = self._look_up(topic)
        if not numbers:
            return tuple(hot)
        return [handler for handler, first in hot.items() if first in numbers]

    def _number(self, topic_filter: str) -> int:
        if topic_filter in self._by_filter:
            return self._by_filter[topic_filter][0].number
        self._last_number += 1
        return self._last_number

    def _look_up(self, topic: str) -> dict[Handler, int]:
        found: dict[Handler, int] = {}
        for entry in sorted(self._find(topic), key=attrgetter("number")):
            found.setdefault(entry.handler, entry.number)
        if len(topic) <= _HOT_TOPIC_CHARS:
            if len(self._hot) >= _HOT_TOPICS:
                self._hot.clear()
            self._hot[topic] = found
        return found

    def _find(self, topic: str) -> Iterable[Subscription]:
        if not has_wildcard(topic):
            yield from self._by_filter.get(topic, ())
        if not self._wildcards.children:
            return
        levels = topic.split("/")
        paths = [self._wildcards]
        for depth, level in enumerate(levels):
            open_to_wildcards = depth > 0 or not level.startswith("$")
            nexts: list[_Node] = []
            for node in paths:
                if open_to_wildcards:
                    yield from _ending(node, "#")
                    nexts += _child(node, "+")
                nexts += _child(node, level)
            paths = nexts
        for node in paths:
            yield from node.here
            yield from _ending(node, "#")

    def _grow(self, topic_filter: str) -> _Node:
        node = self._wildcards
        for level in topic_filter.split("/"):
            node = node.children.setdefault(level, _Node())
        return node

    def _prune(self, entry: Subscription) -> None:
        levels = entry.topic_filter.split("/")
        path = [self._wildcards]
        for level in levels:
            path.append(path[-1].children[level])
        path[-1].here.remove(entry)
        for parent, level in zip(reversed(path[:-1]), reversed(levels), strict=True):
            child = parent.children[level]
            if child.here or child.children:
                return
            del parent.children[level]


def in_groups(wanted: Sequence[Wanted]) -> Iterator[Sequence[Wanted]]:
    """What to ask for in one go: each filter with a wildcard alone, the others by the dozen.

    One wildcard may bring ten thousand retained messages. The broker answers after them, so
    waiting leaves it room; mosquitto drops what does not fit into its queue.
    """
    exact: list[Wanted] = []
    for one in wanted:
        if has_wildcard(one.topic_filter):
            yield [one]
        else:
            exact.append(one)
    for start in range(0, len(exact), _AT_ONCE):
        yield exact[start : start + _AT_ONCE]


def _child(node: _Node, level: str) -> list[_Node]:
    child = node.children.get(level)
    return [] if child is None else [child]


def _ending(node: _Node, level: str) -> list[Subscription]:
    child = node.children.get(level)
    return [] if child is None else child.here


def _check_text(text: str) -> str:
    if not text:
        raise ValueError("a topic must not be empty")
    if "\0" in text:
        raise ValueError(f"{text[:120]!r} has a null character, which MQTT does not allow")
    # The longest UTF-8 form of a character is 4 bytes: most texts need no encoding to be sure.
    if len(text) * 4 > MAX_TOPIC_BYTES and len(text.encode()) > MAX_TOPIC_BYTES:
        raise ValueError(f"a topic of {len(text)} characters is longer than MQTT allows")
    return text


def _nobody(_message: object) -> None:
    """Stands for a handler where only the match is asked for."""
