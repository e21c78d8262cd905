from __future__ import annotations

import pytest

from devices.link.hidden import HiddenTopics, is_hidden

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("topic_filter", "hidden"),
    [("$mcp-server/presence/+/#", True), ("$SYS/#", True), ("$share/a/b", False), ("a/$b", False)],
)
def test_what_no_wildcard_reaches(topic_filter: str, hidden: bool) -> None:
    assert is_hidden(topic_filter) is hidden


def test_a_broker_that_hangs_up_is_not_asked_again() -> None:
    hidden = HiddenTopics()
    hidden.ask()
    assert hidden.hung_up()
    assert not hidden.allowed
    assert not hidden.hung_up()


def test_a_broker_that_answered_once_is_never_blamed() -> None:
    hidden = HiddenTopics()
    hidden.ask()
    hidden.answered()
    hidden.ask()
    assert not hidden.hung_up()
    assert hidden.allowed


def test_a_connection_that_ends_for_another_reason() -> None:
    hidden = HiddenTopics()
    assert not hidden.hung_up()
    assert hidden.allowed


def test_it_may_be_tried_again_later() -> None:
    hidden = HiddenTopics()
    hidden.ask()
    hidden.hung_up()
    hidden.forgive()
    assert hidden.allowed
