"""What was said before: the first time is for people, repetitions for who looks closely."""

from __future__ import annotations


class Once:
    """Texts that were seen, at most `most` of them; after that, nothing counts as new."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._seen: set[str] = set()

    def __len__(self) -> int:
        """How many were seen."""
        return len(self._seen)

    def first(self, text: str) -> bool:
        """Whether `text` is new."""
        if text in self._seen or len(self._seen) >= self._most:
            return False
        self._seen.add(text)
        return True
