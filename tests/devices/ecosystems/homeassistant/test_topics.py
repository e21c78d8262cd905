from __future__ import annotations

import pytest

from devices.ecosystems.homeassistant import topics
from devices.ecosystems.homeassistant.topics import MAX_KEPT_BYTES, Topics

pytestmark = pytest.mark.unit


def test_a_topic_is_subscribed_once_and_left_with_its_last_user() -> None:
    found = Topics()
    assert [found.add("a", "one"), found.add("a", "two")] == [True, False]
    assert found.users("a") == ("one", "two")
    assert [found.drop("a", "one"), found.drop("a", "two")] == [False, True]
    assert found.users("a") == ()
    assert found.drop("a", "two") is False


def test_the_last_message_is_kept_for_those_who_come_later() -> None:
    found = Topics()
    found.keep("a", b"nobody listens")
    found.add("a", "one")
    assert found.kept("a") == b""
    found.keep("a", b"on")
    assert found.kept("a") == b"on"
    found.keep("a", b"x" * (MAX_KEPT_BYTES + 1))
    assert found.kept("a") == b""
    found.keep("a", b"on")
    found.drop("a", "one")
    found.add("a", "two")
    assert found.kept("a") == b""


def test_there_is_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topics, "MAX_TOPICS", 2)
    found = Topics()
    assert [found.add(t, "one") for t in "abc"] == [True, True, False]
    assert (found.refused, len(found)) == (1, 2)
