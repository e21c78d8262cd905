"""How names are compared: whatever their script, case, spelling and punctuation.

`fold` decides equality, `slips` finds a name with one wrong letter, `nearest` only suggests.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Iterable, Mapping
from functools import lru_cache

from gateway.tools import vocabulary

# A spoken name is shorter; whatever is longer is no name.
MAX_NAME_LENGTH = 200
# Letters, digits, marks (vowels in many scripts) and symbols make a name; the rest parts words.
_NAMING = frozenset("LNMS")
_JOINERS = frozenset("\u200c\u200d")
_ARTICLES = vocabulary.ARTICLES | {"the", "a", "an", "my", "our", "your", "this", "that"}
_BETWEEN = (
    vocabulary.BETWEEN | _ARTICLES | {"in", "of", "at", "on", "from", "inside", "within", "for"}
)
# A shorter name with a letter changed is another name: "Lamp 1" and "Lamp 2", "hall" and "wall".
_MIN_SLIP_LENGTH = 8
_MIN_SLIP_WORD = 4
# Another name that is so near makes it unclear which of them is meant.
_TOO_NEAR = 2
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


def near_spellings(name: str, names: Iterable[str]) -> dict[str, int]:
    """Those of the folded `names` that one or two typing errors make of the folded `name`.

    With how many: a wrong, missing, additional or swapped letter is one. Names with other
    digits are left out: "Lamp 11" is never meant by "Lamp 1".
    """
    from rapidfuzz import process  # noqa: PLC0415 -- see `nearest`
    from rapidfuzz.distance import OSA  # noqa: PLC0415 -- as above

    if len(name) < _MIN_SLIP_LENGTH:
        return {}
    found = process.extract(
        name, list(names), scorer=OSA.distance, score_cutoff=_TOO_NEAR, limit=None
    )
    return {near: int(errors) for near, errors, _ in found if _digits(near) == _digits(name)}


def is_slip(said: str, name: str, known: Container[str]) -> bool:
    """Whether `said`, one typing error away from `name`, is hardly anything else.

    The error is within one word (or is its missing space), not at its beginning and not in a
    short one, and makes no word of `known`: "hall light" never means "hell light" where there
    is a hall. Scripts that write words in a few signs have no such errors.
    """
    if any(unicodedata.east_asian_width(c) in "WF" for c in said + name):
        return False
    words, meant = said.split(), name.split()
    if len(words) != len(meant):
        return said.replace(" ", "") == name.replace(" ", "")
    wrong = [(word, right) for word, right in zip(words, meant, strict=True) if word != right]
    return len(wrong) == 1 and all(
        word[0] == right[0] and min(len(word), len(right)) >= _MIN_SLIP_WORD and word not in known
        for word, right in wrong
    )


def parted(text: str) -> list[str]:
    """The words of a folded `text` in a language that does not part them, and its "all" first.

    "所有的客厅的灯" is all, 客厅, 灯. A text without such words is one word, as it was.
    """
    prefix = next((p for p in vocabulary.EVERY_PREFIXES if text.startswith(p)), "")
    rest = re.split(f"[{vocabulary.PARTICLES} ]", text.removeprefix(prefix))
    words = [word for word in rest if word]
    return ["all", *words] if prefix and words else words


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


def _digits(name: str) -> str:
    return "".join(c for c in name if c.isdigit())


@lru_cache(maxsize=2048)
def _is_naming(character: str) -> bool:
    return unicodedata.category(character)[0] in _NAMING
