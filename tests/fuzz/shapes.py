"""JSON made of bytes: what a fuzzer changes in the bytes changes a shape, not a quotation mark."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

_DEEPEST = 6
_PLAIN = (None, True, False)
_NUMBERS = (
    0,
    1,
    -1,
    2,
    5,
    21,
    50,
    100,
    360,
    2**31,
    2**63,
    2**70,
    0.5,
    1e308,
    float("inf"),
    float("nan"),
)


def shaped(data: bytes, words: Sequence[str]) -> object:
    """A JSON value out of `data`: keys and texts are mostly `words`, the rest is of any kind."""
    return _value(iter(data), words, 0)


def words_of(texts: Iterable[bytes]) -> list[str]:
    """Every key and short text in those of `texts` that are JSON, each once."""
    found: dict[str, None] = {}
    for text in texts:
        try:
            _collect(json.loads(text), found)
        except ValueError:
            continue
    return list(found)


def _collect(value: object, found: dict[str, None]) -> None:
    if isinstance(value, dict):
        for key, inside in value.items():
            found[key] = None
            _collect(inside, found)
    elif isinstance(value, list):
        for inside in value:
            _collect(inside, found)
    elif isinstance(value, str) and len(value) <= 100:
        found[value] = None


def _value(data: Iterator[int], words: Sequence[str], depth: int) -> object:
    kind = next(data, 0) % 10
    if kind < len(_PLAIN):
        return _PLAIN[kind]
    if kind == 5 and depth < _DEEPEST:
        return [_value(data, words, depth + 1) for _ in range(next(data, 0) % 5)]
    if kind in (6, 7) and depth < _DEEPEST:
        size = next(data, 0) % 8
        return {_text(data, words): _value(data, words, depth + 1) for _ in range(size)}
    if kind in (3, 4):
        return _NUMBERS[next(data, 0) % len(_NUMBERS)]
    return _text(data, words)


def _text(data: Iterator[int], words: Sequence[str]) -> str:
    first = next(data, 0)
    if first == 255 or not words:
        return "".join(chr(next(data, 0) * 251) for _ in range(next(data, 0) % 16))
    return words[(first * 256 + next(data, 0)) % len(words)]
