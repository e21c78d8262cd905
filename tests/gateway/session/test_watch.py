from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gateway.session.watch import (
    MOST_REST_S,
    PATIENCE_S,
    SILENT_END_S,
    SILENT_WARNING_S,
    Renewal,
    silence,
)
from gateway.testing import ManualClock

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("virtual_time")]


def now() -> float:
    return asyncio.get_running_loop().time()


@pytest.mark.parametrize(
    ("heard_after_s", "silent", "warnings"),
    [(1, False, 0), (SILENT_WARNING_S + 1, False, 1), (SILENT_END_S + 1, True, 1)],
)
async def test_silence_is_warned_about_and_then_told(
    heard_after_s: float, silent: bool, warnings: int
) -> None:
    began, warned = now(), []
    assert await silence(lambda: now() >= began + heard_after_s, lambda: warned.append(1)) is silent
    assert len(warned) == warnings
    assert now() - began <= SILENT_END_S


def renewal(after_s: float, quiet_since: Any) -> Renewal:
    return Renewal(after_s, ManualClock(asyncio.get_running_loop()), quiet_since)


async def test_an_old_connection_is_due_when_nobody_spoke_for_a_while() -> None:
    await renewal(600.0, lambda: 0.0).due(now())
    assert now() == 600
    began = now()
    await renewal(600.0, lambda: began + 595.0).due(began)
    assert 605 <= now() - began <= 605 + MOST_REST_S


async def test_it_is_not_due_while_something_is_owed_until_the_patience_ends() -> None:
    await renewal(600.0, lambda: None).due(now())
    assert 600 + PATIENCE_S <= now() <= 600 + PATIENCE_S + MOST_REST_S


async def test_silence_that_lies_ahead_is_none() -> None:
    await asyncio.sleep(1000)
    assert not renewal(600.0, lambda: now() + 20).allowed(now() - 600)
    assert renewal(600.0, lambda: now() + 20).allowed(now() - 600 - PATIENCE_S)


async def test_short_lives_have_short_rests() -> None:
    began = now()
    await renewal(1.2, lambda: began + 1.2).due(began)
    assert now() - began < 1.5
