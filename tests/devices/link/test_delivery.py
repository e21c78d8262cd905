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
