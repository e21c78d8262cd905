from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from devices.contract.errors import LinkDownError, LinkRefusedError
from devices.link.backoff import Backoff
from devices.link.base import LinkState, Publish
from devices.link.delivery import Delivery
from devices.link.filters import Wanted
from devices.link.reconnect import Connection, End, ReconnectingLink, Verdict
from tests.devices.link.contract import WITHIN_S, Heard, until_state

pytestmark = pytest.mark.unit


class Line:
    """A connection that a test ends when it likes."""

    def __init__(self, opening: End | None = None) -> None:
        self.opening = opening
        self.sent: list[Publish] = []
        self.asked: list[Wanted] = []
        self.closed = False
        self._end: asyncio.Future[End] = asyncio.get_running_loop().create_future()

    async def open(self) -> End | None:
        return self.opening

    async def ended(self) -> End:
        return await asyncio.shield(self._end)

    def publish(self, message: Publish) -> None:
        self.sent.append(message)

    async def subscribe(self, wanted: Sequence[Wanted]) -> dict[str, str] | None:
        self.asked += wanted
        return {}

    def unsubscribe(self, topic_filter: str) -> None:
        self.asked = [one for one in self.asked if one.topic_filter != topic_filter]

    async def close(self, flush_s: float) -> None:
        self.closed = True

    def lose(self, reason: str = "lost") -> None:
        self._end.set_result(End(Verdict.LOST, reason))


class Desk:
    """Dials what the test planned, then lines that stand."""

    def __init__(self, *plan: End | Exception) -> None:
        self.plan = list(plan)
        self.lines: list[Line] = []
        self.other_way = False

    def __str__(self) -> str:
        return "the desk"

    def dial(self, delivery: Delivery) -> Connection:
        planned = self.plan.pop(0) if self.plan else None
        if isinstance(planned, Exception):
            raise planned
        self.lines.append(Line(planned))
        return self.lines[-1]

    def learn(self, end: End) -> bool:
        return self.other_way and end.verdict is Verdict.VERSION


class Pauses:
    """Stands for sleeping: notes each pause, moves the clock, and ends at once."""

    def __init__(self) -> None:
        self.taken: list[float] = []
        self.now_s = 0.0

    async def sleep(self, pause_s: float) -> None:
        self.taken.append(pause_s)
        self.now_s += pause_s
        await asyncio.sleep(0)

    def link(self, desk: Desk) -> ReconnectingLink:
        backoff = Backoff(base_s=1.0, cap_s=8.0, draw=lambda: 1.0)
        return ReconnectingLink(
            desk, name="test", backoff=backoff, sleep=self.sleep, now_s=lambda: self.now_s
        )


AWAY = End(Verdict.UNREACHABLE, "no route")


async def test_a_new_connection_for_each_attempt() -> None:
    desk, pauses = Desk(AWAY, AWAY), Pauses()
    async with pauses.link(desk) as link:
        await link.connected(WITHIN_S)
        link.publish(Publish("a", b"1"))
    assert [len(line.sent) for line in desk.lines] == [0, 0, 1]
    assert desk.lines[-1].closed


async def test_connections_that_fall_at_once_count_as_failures() -> None:
    desk, pauses = Desk(), Pauses()
    async with pauses.link(desk) as link:
        for _ in range(6):
            await link.connected(WITHIN_S)
            desk.lines[-1].lose()
            await until_state(link, LinkState.LOST)
    assert pauses.taken[:5] == [1, 2, 4, 8, 8]


async def test_a_connection_that_stood_makes_the_next_pause_short() -> None:
    desk, pauses = Desk(AWAY, AWAY, AWAY), Pauses()
    async with pauses.link(desk) as link:
        await link.connected(WITHIN_S)
        pauses.now_s += 60
        desk.lines[-1].lose()
        await until_state(link, LinkState.LOST)
        await link.connected(WITHIN_S)
    assert pauses.taken == [1, 2, 4, 1]


@pytest.mark.parametrize("verdict", [Verdict.REFUSED, Verdict.VERSION])
async def test_what_cannot_get_better_is_not_tried_again(verdict: Verdict) -> None:
    desk, pauses = Desk(End(verdict, "go away")), Pauses()
    async with pauses.link(desk) as link:
        with pytest.raises(LinkRefusedError, match="go away"):
            await link.connected(WITHIN_S)
        with pytest.raises(LinkDownError):
            link.publish(Publish("a", b""))
    assert len(desk.lines) == 1
    assert pauses.taken == []


async def test_another_way_is_tried_without_a_pause() -> None:
    desk, pauses = Desk(End(Verdict.VERSION, "too new")), Pauses()
    desk.other_way = True
    async with pauses.link(desk) as link:
        await link.connected(WITHIN_S)
    assert pauses.taken == []


async def test_files_that_cannot_be_used_are_the_operators_matter() -> None:
    desk = Desk(FileNotFoundError(2, "No such file or directory"))
    async with Pauses().link(desk) as link:
        with pytest.raises(LinkRefusedError, match="TLS cannot be set up: No such file"):
            await link.connected(WITHIN_S)


async def test_a_bug_does_not_leave_anybody_waiting(caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk(KeyError("a bug"))
    async with Pauses().link(desk) as link:
        with pytest.raises(LinkRefusedError):
            await link.connected(WITHIN_S)
    assert "KeyError" in caplog.text


async def test_subscriptions_cross_and_those_that_ended_do_not() -> None:
    desk, pauses = Desk(), Pauses()
    async with pauses.link(desk) as link:
        await link.subscribe("kept", Heard(), qos=1)
        end = await link.subscribe("ended", Heard())
        await link.connected(WITHIN_S)
        end()
        assert [one.topic_filter for one in desk.lines[0].asked] == ["kept"]
        desk.lines[0].lose()
        await until_state(link, LinkState.LOST)
        await link.connected(WITHIN_S)
    assert [(one.topic_filter, one.qos) for one in desk.lines[1].asked] == [("kept", 1)]


async def test_it_may_be_entered_again() -> None:
    desk = Desk()
    link = Pauses().link(desk)
    for _ in range(2):
        async with link:
            await link.connected(WITHIN_S)
        assert link.state is LinkState.CLOSED
    assert len(desk.lines) == 2


class Touchy(Line):
    """Its broker hangs up on who asks for hidden topics."""

    async def subscribe(self, wanted: Sequence[Wanted]) -> dict[str, str] | None:
        if any(one.topic_filter.startswith("$") for one in wanted):
            self.lose("hung up")
            return None
        return await super().subscribe(wanted)


class TouchyDesk(Desk):
    def dial(self, delivery: Delivery) -> Connection:
        self.lines.append(Touchy())
        return self.lines[-1]


@pytest.mark.parametrize("early", [True, False])
async def test_a_broker_that_hangs_up_on_hidden_topics_is_kept_all_the_same(early: bool) -> None:
    desk, pauses = TouchyDesk(), Pauses()
    async with pauses.link(desk) as link:
        if not early:
            await link.connected(WITHIN_S)
        await link.subscribe("lamp", Heard())
        await link.subscribe("$mcp-server/presence/#", Heard())
        await until_state(link, LinkState.CONNECTED)
        while len(desk.lines) < 2:  # noqa: ASYNC110 -- the second connection has no event
            await asyncio.sleep(0)
        await link.connected(WITHIN_S)
        await link.subscribe("$mcp-server/capability/#", Heard())
        link.publish(Publish("a", b"1"))
    assert len(desk.lines) == 2
    assert [one.topic_filter for one in desk.lines[1].asked] == ["lamp"]
    assert pauses.taken == []
