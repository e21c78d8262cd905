from __future__ import annotations

import pytest

from gateway.events import BusEvent, CommandEnded, DeviceSeen, EvidenceReceived, MessageDropped
from gateway.journal.ration import PER_MINUTE, Ration

pytestmark = pytest.mark.unit

NOISE: list[BusEvent] = [
    MessageDropped("home/x/ack", "it is no JSON"),
    DeviceSeen("x", "offline"),
    EvidenceReceived("01X", "x", "succeeded", {}, duplicate=True),
    EvidenceReceived("01X", "x", "in_progress", {}),
]


@pytest.mark.parametrize("event", NOISE)
def test_what_can_be_repeated_at_will_is_kept_so_often_a_minute(event: BusEvent) -> None:
    ration = Ration()
    kept = [ration.allows(event, 100.0 + n / 1000) for n in range(PER_MINUTE + 50)]
    assert kept == [True] * PER_MINUTE + [False] * 50
    assert ration.missed(130.0) == 0
    assert ration.missed(161.0) == 50
    assert ration.missed(162.0) == 0
    assert ration.allows(event, 163.0)


def test_what_happened_to_a_command_is_always_kept() -> None:
    ration = Ration()
    for event in (CommandEnded("01X", "x", "failed"), EvidenceReceived("01X", "x", "failed", {})):
        assert all(ration.allows(event, 1.0) for _ in range(PER_MINUTE * 3))
