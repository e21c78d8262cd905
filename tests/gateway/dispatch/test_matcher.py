from __future__ import annotations

import pytest

from devices.contract.command import Ack, AckStatus
from devices.ecosystems.base import Acknowledged
from gateway.dispatch.matcher import MAX_ENDED, MAX_OPEN, Matcher, Stray
from tests.gateway.dispatch.bench import flight

pytestmark = pytest.mark.unit


def heard(command_id: str, device_id: str = "lamp") -> Acknowledged:
    return Acknowledged(device_id, Ack(command_id, AckStatus.SUCCEEDED))


def test_an_acknowledgement_finds_its_command_by_id_and_device() -> None:
    matcher = Matcher()
    ours, other = flight("turn_on"), flight("turn_on")
    for one in (ours, other, ours):
        matcher.expect(one)
    assert len(matcher) == 2
    assert list(matcher) == [ours, other]
    assert matcher.match(heard(ours.id)) is ours
    assert matcher.match(heard(ours.id, "blind")) == Stray("its command was for lamp")
    assert matcher.match(heard("01UNKNOWN")) == Stray("it names no command of ours")


def test_what_comes_after_the_end_is_a_repeat_if_the_device_itself_says_it() -> None:
    matcher = Matcher()
    ended = flight("turn_on")
    matcher.expect(ended)
    matcher.ended(ended)
    assert len(matcher) == 0
    stray = matcher.match(heard(ended.id))
    assert isinstance(stray, Stray)
    assert stray.duplicate
    assert matcher.match(heard(ended.id, "blind")) == Stray("its command was for lamp")


def test_both_memories_are_bounded_and_the_oldest_goes_first() -> None:
    matcher = Matcher()
    first, second = flight("turn_on"), flight("turn_on")
    for one in (first, second, *(flight("turn_on") for _ in range(MAX_OPEN - 1))):
        matcher.expect(one)
    assert len(matcher) == MAX_OPEN
    assert matcher.match(heard(first.id)) == Stray("it names no command of ours")
    assert matcher.match(heard(second.id)) is second
    for one in (second, *(flight("turn_on") for _ in range(MAX_ENDED))):
        matcher.ended(one)
    assert matcher.match(heard(second.id)) == Stray("it names no command of ours")
