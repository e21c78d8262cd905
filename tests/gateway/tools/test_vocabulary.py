from __future__ import annotations

from collections import Counter

import pytest

from gateway.tools import vocabulary
from gateway.tools.kinds import plural
from gateway.tools.names import fold

pytestmark = pytest.mark.unit


def test_every_word_is_written_as_it_is_compared() -> None:
    words = (*vocabulary.SINGULARS, *vocabulary.PLURALS, *vocabulary.EVERY, *vocabulary.ARTICLES)
    assert [word for word in (*words, *vocabulary.BETWEEN) if fold(word) != word] == []


def test_every_kind_is_one_of_the_house() -> None:
    assert all(plural(kind) for language in vocabulary.LANGUAGES for kind in language)


def test_no_word_means_one_and_all_or_two_kinds() -> None:
    assert not vocabulary.SINGULARS.keys() & vocabulary.PLURALS.keys()
    counted = Counter(
        word
        for language in vocabulary.LANGUAGES
        for one, many in language.values()
        for word in (*one, *many)
    )
    assert [word for word, count in counted.items() if count > 1] == []
