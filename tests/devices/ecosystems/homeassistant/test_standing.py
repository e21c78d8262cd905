from __future__ import annotations

import pytest

from devices.ecosystems.homeassistant import standing
from devices.ecosystems.homeassistant.standing import Standing

pytestmark = pytest.mark.unit

WANTED = {"on": True, "brightness": 40}


def test_what_stands_already_need_not_be_said_again() -> None:
    found = Standing()
    found.note("lamp", "l/state", {"on": True})
    found.note("lamp", "l/brightness", {"brightness": 90})
    assert found.changes("lamp", WANTED) == {"brightness": 40}


def test_a_topic_on_which_anything_changes_is_told_as_a_whole() -> None:
    found = Standing()
    found.note("lamp", "l", {"on": True, "brightness": 90})
    assert found.changes("lamp", WANTED) == WANTED


def test_where_all_stands_all_is_asked_for() -> None:
    found = Standing()
    found.note("lamp", "a", {"on": True})
    found.note("lamp", "b", {"brightness": 40})
    assert found.changes("lamp", WANTED) == WANTED


def test_what_is_not_known_has_to_be_told() -> None:
    found = Standing()
    assert found.changes("lamp", WANTED) == WANTED
    found.note("lamp", "a", {"on": None})
    assert found.changes("lamp", WANTED) == WANTED
    found.note("lamp", "a", {"on": True})
    found.forget("lamp")
    assert found.changes("lamp", WANTED) == WANTED


def test_a_device_that_makes_up_keys_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standing, "MAX_KEYS", 2)
    found = Standing()
    found.note("lamp", "a", {"x": 1, "y": 2, "on": True})
    assert found.changes("lamp", WANTED) == WANTED
