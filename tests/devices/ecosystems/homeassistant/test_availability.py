from __future__ import annotations

from typing import Any

import pytest

from devices.contract.errors import PayloadError
from devices.ecosystems.homeassistant.availability import Presence, rule_of
from devices.ecosystems.homeassistant.fields import Fields

pytestmark = pytest.mark.unit

TWO = [{"t": "bridge"}, {"topic": "lamp", "pl_avail": "up", "pl_not_avail": "down"}]


def presence(**fields: Any) -> Presence:
    return Presence(rule_of(Fields(fields)))


def hear(found: Presence, topic: str, text: str) -> bool | None:
    for sign in found.rule.signs:
        if sign.topic == topic:
            found.hear(sign, text)
    return found.online


def test_one_topic_with_the_usual_words() -> None:
    found = presence(availability_topic="lamp")
    steps = [hear(found, "lamp", text) for text in ("?", "online", "?", "offline")]
    assert steps == [None, True, True, False]


def test_all_must_be_there() -> None:
    found = presence(availability=TWO, availability_mode="all")
    told = [("bridge", "online"), ("lamp", "up"), ("bridge", "offline"), ("bridge", "online")]
    assert [hear(found, *each) for each in told] == [None, True, False, True]


def test_any_of_them_is_enough() -> None:
    found = presence(availability=TWO, availability_mode="any")
    told = [("bridge", "offline"), ("lamp", "down"), ("lamp", "up"), ("bridge", "offline")]
    assert [hear(found, *each) for each in told] == [None, False, True, True]


def test_the_latest_word_counts() -> None:
    found = presence(availability=TWO)
    told = [("bridge", "online"), ("lamp", "down"), ("bridge", "online")]
    assert [hear(found, *each) for each in told] == [True, False, True]


def test_words_may_be_values_of_json() -> None:
    found = presence(availability_topic="a", payload_available=True, payload_not_available=False)
    assert hear(found, "a", "True") is True


def test_without_signs_nothing_is_known() -> None:
    assert presence().online is None
    assert presence(availability="junk").rule.signs == ()


@pytest.mark.parametrize(
    "fields",
    [
        {"availability": [{}]},
        {"availability": [{"topic": "#"}]},
        {"availability_topic": 1},
        {"availability_topic": "a", "availability_mode": "most"},
        {"availability_topic": "a", "payload_available": []},
    ],
)
def test_what_breaks_the_rules(fields: dict[str, Any]) -> None:
    with pytest.raises(PayloadError):
        rule_of(Fields(fields))
