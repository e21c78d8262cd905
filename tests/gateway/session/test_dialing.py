from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from gateway.providers.base import Endpoint
from gateway.providers.navtalk import NavTalk, NavTalkSettings
from gateway.session.connection import EndedError
from gateway.session.dialing import FRESH_AFTER_AT_MOST_S, FRESH_AFTER_S, Dialer
from gateway.session.ending import HttpRefused, NotConnected
from gateway.testing import ManualClock

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("virtual_time")]

GIVES_UP_S = 10.0
HANGS = 1e9


class Phone:
    """An attempt that takes `takes_s`, or gives up, or fails."""

    def __init__(self, takes_s: float, refusal: Any = None) -> None:
        self.takes_s = takes_s
        self.refusal = refusal
        self.state = "new"

    async def open(self) -> None:
        self.state = "cancelled"
        await asyncio.sleep(min(self.takes_s, GIVES_UP_S))
        if self.takes_s > GIVES_UP_S:
            self.refusal = NotConnected(TimeoutError())
        self.state = "failed" if self.refusal else "open"
        if self.refusal:
            raise EndedError(self.refusal)

    async def close(self) -> None:
        if self.state == "open":
            self.state = "closed"


class Exchange:
    """A dialer and its phones, which are handed out in turn; the last one for ever."""

    def __init__(self, phones: Sequence[tuple[float, Any] | float]) -> None:
        self.phones: list[Phone] = []
        self._plan = list(phones)
        self.dialer = Dialer(
            lambda: NavTalk(NavTalkSettings(license="k", avatar_name="a")),
            lambda: None,  # type: ignore[arg-type,return-value]
            self.connect,  # type: ignore[arg-type]
            ManualClock(asyncio.get_running_loop()),
        )

    def connect(self, _: Endpoint) -> Phone:
        plan = self._plan.pop(0) if len(self._plan) > 1 else self._plan[0]
        self.phones.append(Phone(*plan) if isinstance(plan, tuple) else Phone(plan))
        return self.phones[-1]

    def states(self) -> list[str]:
        return [phone.state for phone in self.phones]


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_an_attempt_that_opens_is_the_line() -> None:
    exchange = Exchange([0.3])
    line = await exchange.dialer.open(hurry=True)
    assert line.connection is exchange.phones[0]
    assert exchange.states() == ["open"]


async def test_without_hurry_a_slow_one_is_waited_for() -> None:
    exchange = Exchange([9.0])
    await exchange.dialer.open(hurry=False)
    assert exchange.states() == ["open"]


async def test_in_a_hurry_one_that_hangs_is_overtaken() -> None:
    exchange = Exchange([HANGS, HANGS, HANGS, 0.1])
    line = await exchange.dialer.open(hurry=True)
    assert now() == pytest.approx(3 * FRESH_AFTER_S + 0.1)
    assert line.connection is exchange.phones[-1]
    assert exchange.states() == ["cancelled"] * 3 + ["open"]


async def test_a_slow_link_still_gets_its_time() -> None:
    exchange = Exchange([3.5])
    line = await exchange.dialer.open(hurry=True)
    assert now() == pytest.approx(3.5)
    assert line.connection is exchange.phones[0]
    assert exchange.states().count("open") == 1


async def test_the_first_to_fail_decides_too() -> None:
    exchange = Exchange([HANGS, (0.2, HttpRefused(403))])
    with pytest.raises(EndedError) as caught:
        await exchange.dialer.open(hurry=True)
    assert caught.value.ending == HttpRefused(403)
    assert exchange.states() == ["cancelled", "failed"]


async def test_when_all_hang_it_ends_with_the_patience_of_the_first() -> None:
    exchange = Exchange([HANGS])
    with pytest.raises(EndedError):
        await exchange.dialer.open(hurry=True)
    assert now() == pytest.approx(GIVES_UP_S)


async def test_a_service_that_is_slow_to_say_yes_is_not_asked_twice() -> None:
    exchange = Exchange([2.0])
    await exchange.dialer.open(hurry=False)
    await exchange.dialer.open(hurry=True)
    assert exchange.states() == ["open", "open"]
    slow = Exchange([9.0, HANGS])
    await slow.dialer.open(hurry=False)
    with pytest.raises(EndedError):
        await slow.dialer.open(hurry=True)
    assert len(slow.phones) - 1 == GIVES_UP_S // FRESH_AFTER_AT_MOST_S


async def test_two_that_open_in_the_same_moment_leave_one_open() -> None:
    exchange = Exchange([FRESH_AFTER_S + 0.5, 0.5])
    await exchange.dialer.open(hurry=True)
    assert sorted(exchange.states()) == ["closed", "open"]


async def test_cancelling_it_leaves_nothing_open() -> None:
    exchange = Exchange([HANGS])
    opening = asyncio.create_task(exchange.dialer.open(hurry=True))
    await asyncio.sleep(2.5)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    assert set(exchange.states()) == {"cancelled"}
