from __future__ import annotations

import asyncio

import pytest

from devices.contract.errors import LinkDownError, LinkRefusedError
from devices.link.base import LinkChange, LinkState
from devices.link.status import LinkStatus

pytestmark = pytest.mark.unit


def test_a_link_begins_closed() -> None:
    assert LinkStatus().state is LinkState.CLOSED


async def test_only_changes_are_told() -> None:
    status, told = LinkStatus(), list[LinkChange]()
    status.on_change(told.append)
    for reason in ("no route", "no route", "no port"):
        status.turn(LinkState.LOST, reason)
    assert told == [
        LinkChange(LinkState.LOST, "no route"),
        LinkChange(LinkState.LOST, "no port"),
    ]
    assert status.reason == "no port"


async def test_everybody_who_waits_is_let_go() -> None:
    status = LinkStatus()
    status.turn(LinkState.CONNECTING)
    waiting = [asyncio.ensure_future(status.connected(None)) for _ in range(3)]
    await asyncio.sleep(0)
    status.turn(LinkState.LOST, "no route")
    await asyncio.sleep(0)
    assert not any(one.done() for one in waiting)
    status.turn(LinkState.CONNECTED)
    await asyncio.gather(*waiting)


async def test_who_waits_for_a_link_that_was_refused_or_closed_is_told() -> None:
    status = LinkStatus()
    with pytest.raises(LinkDownError, match="closed"):
        await status.connected(None)
    status.turn(LinkState.REFUSED, "wrong password")
    with pytest.raises(LinkRefusedError, match="wrong password"):
        await status.connected(None)


async def test_who_waits_too_long_hears_why() -> None:
    status = LinkStatus()
    status.turn(LinkState.LOST, "no route")
    with pytest.raises(LinkDownError, match=r"within 0 s: no route"):
        await status.connected(0)
