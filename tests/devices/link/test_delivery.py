from __future__ import annotations

import pytest

from devices.link.base import Message
from devices.link.delivery import Delivery
from devices.link.filters import FilterTable

pytestmark = pytest.mark.unit


def fail(_message: Message) -> None:
    raise RuntimeError("a bug")


def test_a_failure_is_shown_once_and_counted_always(caplog: pytest.LogCaptureFixture) -> None:
    table, heard = FilterTable(), list[Message]()
    table.add("a", fail)
    table.add("a", heard.append)
    delivery = Delivery(table)
    for _ in range(3):
        delivery.deliver(Message("a", b""))
    assert len(heard) == 3
    assert delivery.failures == 3
    assert len(caplog.records) == 1
    assert caplog.records[0].exc_info is not None


def test_a_topic_from_outside_cannot_forge_log_lines(caplog: pytest.LogCaptureFixture) -> None:
    table = FilterTable()
    table.add("#", fail)
    Delivery(table).deliver(Message("a\nERROR forged", b""))
    assert "\n" not in caplog.records[0].getMessage()


def test_a_handler_may_end_itself_and_others() -> None:
    table, heard = FilterTable(), list[str]()

    def first(_message: Message) -> None:
        heard.append("first")
        table.remove(one)

    one = table.add("a", first)
    table.add("a", lambda _: heard.append("second"))
    delivery = Delivery(table)
    delivery.deliver(Message("a", b""))
    delivery.deliver(Message("a", b""))
    assert heard == ["first", "second", "second"]


def test_what_is_too_large_is_told_once_a_topic(caplog: pytest.LogCaptureFixture) -> None:
    delivery = Delivery(FilterTable())
    for topic in ("home/a/description", "home/a/description", "home/b\nERROR/description"):
        delivery.too_large(topic, 1_000_000, 262_144)
    assert delivery.dropped == 3
    assert [record.getMessage() for record in caplog.records] == [
        "ignored a message to home/a/description: it has 1000000 bytes, more than 262144",
        "ignored a message to home/b ERROR/description: it has 1000000 bytes, more than 262144",
    ]


def test_a_flood_of_large_messages_is_no_flood_of_warnings(
    caplog: pytest.LogCaptureFixture,
) -> None:
    delivery = Delivery(FilterTable())
    for number in range(1000):
        delivery.too_large(f"home/d{number}/state", 1_000_000, 262_144)
    assert delivery.dropped == 1000
    assert len(caplog.records) == 100
