"""What was said before is not said again."""

from __future__ import annotations

import pytest

from gateway.once import Once

pytestmark = pytest.mark.unit

MAX_TEXTS = 256


def test_only_so_many_texts_are_remembered() -> None:
    once = Once(MAX_TEXTS)
    assert once.first("a")
    assert not once.first("a")
    assert sum(once.first(str(n)) for n in range(1000)) == MAX_TEXTS - 1
    assert len(once) == MAX_TEXTS
