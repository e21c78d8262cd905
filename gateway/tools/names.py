"""How names are compared: whatever their script, case, spelling and punctuation.

`fold` decides equality. `nearest` only suggests: nothing acts on a guess.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache

# A spoken name is shorter; whatever is longer is no name.
MAX_NAME_LENGTH = 200
# Letters, digits, marks (vowels in many scripts) and symbols make a name; the rest parts words.
_NAMING = frozenset("LNMS")
_JOINERS = frozenset("\u200c\u200d")
_ARTICLES = frozenset({"the", "a", "an", "my", "our", "your", "this", "that"})
_BETWEEN = frozenset({"in", "of", "at", "on", "from", "inside", "within", "for"}) | _ARTICLES
# Below this share of agreement a suggestion is noise.
_LEAST_SCORE = 60.0


@lru_cache(maxsize=8192)
def fold(text: str) -> str:
    """`text` as it is compared: words in one case and one spelling, one space between.

    A possessive ("Anna's lamp") is read without its ending. "" only for a text that has
    neither letters nor symbols.
    """
    plain = unicodedata.normalize("NFKC", text[:MAX_NAME_LENGTH]).casefold()
    plain = unicodedata.normalize("NFKC", plain).replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    plain = "".join(c for c in plain.replace("'s ", " ") if c not in _JOINERS)
    return " ".join("".join(c if _is_naming(c) else " " for c in plain).split())


def without_articles(words: list[str]) -> list[str]:
    """Without leading articles, unless nothing else would be left."""
    first = next((i for i, word in enumerate(words) if word not in _ARTICLES), 0)
    return words[first:]


def trimmed(words: list[str]) -> list[str]:
    """Without the small words at both ends: "lights in the" is "lights"."""
    start, end = 0, len(words)
    while start < end and words[start] in _BETWEEN:
        start += 1
    while end > start and words[end - 1] in _BETWEEN:
        end -= 1
    return words[start:end]


def nearest(name: str, names: Iterable[str] | Mapping[str, str], count: int) -> list[str]:
    """At most `count` of `names` that resemble `name`, best first.

    A mapping gives each name's folded form: worth it where there are thousands.
    """
    # Imported here: most calls name what exists, and start-up counts.
    from rapidfuzz import fuzz, process  # noqa: PLC0415

    folded = names if isinstance(names, Mapping) else {n: fold(n) for n in names}
    found = process.extract(
        fold(name), folded, scorer=fuzz.WRatio, limit=count, score_cutoff=_LEAST_SCORE
    )
    return [match for _, _, match in found]


def did_you_mean(name: str, names: Iterable[str] | Mapping[str, str]) -> str:
    """A question to append, with at most three of `names` in it; "" when none resembles `name`."""
    near = nearest(name, names, 3)
    return f" Did you mean {' or '.join(near)}?" if near else ""


@lru_cache(maxsize=2048)
def _is_naming(character: str) -> bool:
    return unicodedata.category(character)[0] in _NAMING
