from __future__ import annotations

import pytest

from gateway.bus import Bus
from gateway.events import BrokerChanged, DeviceSeen

pytestmark = pytest.mark.unit


def test_each_listener_gets_each_event_in_order() -> None:
    bus = Bus()
    events = [DeviceSeen(str(n), "online") for n in range(3)]
    with bus.subscribe() as first, bus.subscribe() as second:
        for event in events:
            bus.publish(event)
        assert first.waiting() == events
        assert second.waiting() == events
        assert first.waiting() == []


def test_a_slow_listener_loses_events_counted_and_stops_nobody() -> None:
    bus = Bus()
    with bus.subscribe(size=2) as slow, bus.subscribe() as quick:
        for n in range(5):
            bus.publish(DeviceSeen(str(n), "online"))
        assert slow.dropped == 3
        assert len(slow.waiting()) == 2
        assert (quick.dropped, len(quick.waiting())) == (0, 5)


def test_nobody_listens_after_the_block() -> None:
    bus = Bus()
    assert not bus.listening
    with bus.subscribe() as subscription:
        assert bus.listening
    bus.publish(BrokerChanged("lost"))
    assert not bus.listening
    assert subscription.waiting() == []


async def test_events_can_be_awaited() -> None:
    bus = Bus()
    with bus.subscribe() as subscription:
        bus.publish(BrokerChanged("connected"))
        async for event in subscription:
            assert event == BrokerChanged("connected")
            break
