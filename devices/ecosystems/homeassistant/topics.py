"""Who listens to which topic, and what was heard there last.

Several entities share a topic; a broker tells what it keeps only once, to the first of them.
"""

from __future__ import annotations

MAX_TOPICS = 20_000
# A longer last message is not kept: the next one tells.
MAX_KEPT_BYTES = 4096


class Topics:
    """The topics of all entities, by entity key. `refused` counts those beyond MAX_TOPICS."""

    def __init__(self) -> None:
        self._users: dict[str, dict[str, None]] = {}
        self._last: dict[str, bytes] = {}
        self.refused = 0

    def __len__(self) -> int:
        """How many topics somebody listens to."""
        return len(self._users)

    def users(self, topic: str) -> tuple[str, ...]:
        """The entities that listen to `topic`."""
        return tuple(self._users.get(topic, ()))

    def add(self, topic: str, key: str) -> bool:
        """Whether `topic` is new, and a subscription is needed. A refused one is not."""
        users = self._users.get(topic)
        if users is not None:
            users[key] = None
            return False
        if len(self._users) >= MAX_TOPICS:
            self.refused += 1
            return False
        self._users[topic] = {key: None}
        return True

    def drop(self, topic: str, key: str) -> bool:
        """Whether nobody listens to `topic` any more, and the subscription is needless."""
        users = self._users.get(topic)
        if users is None:
            return False
        users.pop(key, None)
        if users:
            return False
        del self._users[topic]
        self._last.pop(topic, None)
        return True

    def keep(self, topic: str, data: bytes) -> None:
        """Remember what was heard on a topic that somebody listens to."""
        if topic in self._users:
            if data and len(data) <= MAX_KEPT_BYTES:
                self._last[topic] = data
            else:
                self._last.pop(topic, None)

    def kept(self, topic: str) -> bytes:
        """What was heard last on `topic`, b"" when nothing was or it is not kept."""
        return self._last.get(topic, b"")
