"""Small words that the simulated model knows: numbers, colours, articles."""

from __future__ import annotations

import re
from collections.abc import Iterable

_UNITS = (
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_NUMBERS = {
    **{word: value for value, word in enumerate(_UNITS)},
    **{word: (index + 2) * 10 for index, word in enumerate(_TENS)},
    "hundred": 100,
    "half": 50,
}

# Plain names: the tool knows what they look like.
COLORS = (
    "red",
    "orange",
    "yellow",
    "green",
    "cyan",
    "turquoise",
    "blue",
    "purple",
    "violet",
    "magenta",
    "pink",
    "white",
)
WHITES_KELVIN = {"warm white": 2700, "neutral white": 4000, "cool white": 5000, "daylight": 6500}

_ARTICLES = re.compile(r"^(?:(?:the|my|our|a|an|please)\s+)+")
_WORD = re.compile(r"-?\d+(?:\.\d+)?|[a-z]+")


def normal(text: str) -> str:
    """Lower case, one space between words, no closing punctuation."""
    return " ".join(text.casefold().replace("\u2019", "'").split()).strip(" .!?")


def without_article(text: str) -> str:
    """`the kitchen light` -> `kitchen light`."""
    return _ARTICLES.sub("", text.strip())


def number(text: str) -> float | int | None:
    """The first number in `text`, as digits or words (`twenty five`); None when there is none."""
    words = _WORD.findall(text)
    for index, word in enumerate(words):
        if not word.isalpha():
            return float(word) if "." in word else int(word)
        if word in _NUMBERS:
            value = _spoken(words[index:])
            return -value if index and words[index - 1] == "minus" else value
    return None


def _spoken(words: list[str]) -> int:
    value = _NUMBERS[words[0]]
    if words[0] in _TENS and len(words) > 1 and words[1] in _UNITS[1:10]:
        return value + _NUMBERS[words[1]]
    return value


def chosen(text: str, options: Iterable[str]) -> str | None:
    """The longest of `options` that `text` names, whatever the case; None when it names none."""
    said = f" {normal(text)} "
    named = [o for o in options if f" {normal(o).replace('_', ' ')} " in said]
    return max(named, key=len, default=None)


def short_for(text: str, options: Iterable[str]) -> str | None:
    """The one option that holds every word of `text`; None when none or several do."""
    said = set(normal(text).split())
    held = [o for o in options if said and said <= set(normal(o).split())]
    return held[0] if len(held) == 1 else None


def closest(text: str, options: Iterable[str]) -> str | None:
    """The one option that shares the most words with `text`; None when none or several do."""
    said = set(normal(text).split())
    scores = sorted(
        ((len(said & set(normal(o).split())), o) for o in options), key=lambda s: s[0], reverse=True
    )
    if not scores or not scores[0][0]:
        return None
    tied = len(scores) > 1 and scores[1][0] == scores[0][0]
    return None if tied else scores[0][1]
