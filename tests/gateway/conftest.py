"""Virtual time for modules that ask: `pytestmark = pytest.mark.usefixtures("virtual_time")`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import pytest

from gateway.testing import VirtualTimeLoop


@pytest.fixture
def virtual_time() -> None:
    """The test's loop is a VirtualTimeLoop: hours pass at once, in the right order."""


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    virtual = any("virtual_time" in mark.args for mark in item.iter_markers("usefixtures"))
    return {"virtual": VirtualTimeLoop} if virtual else {"system": asyncio.new_event_loop}
