"""Rules for every test: each module says whether it is `unit` or `flow`.

Virtual time is for modules that ask: `pytestmark = pytest.mark.usefixtures("virtual_time")`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping

import pytest
from hypothesis import settings

from gateway.testing import VirtualTimeLoop

pytest_plugins = ["tests.brokers"]

# A busy machine is no failure; and a change lands or not by what it is, not by chance.
settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")

KINDS = {"unit", "flow"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if len(KINDS & {mark.name for mark in item.iter_markers()}) != 1:
            message = f"{item.nodeid}: say `pytestmark = pytest.mark.unit` (or flow)"
            raise pytest.UsageError(message)


@pytest.fixture
def virtual_time() -> None:
    """The test's loop is a VirtualTimeLoop: hours pass at once, in the right order."""


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    virtual = any("virtual_time" in mark.args for mark in item.iter_markers("usefixtures"))
    return {"virtual": VirtualTimeLoop} if virtual else {"system": asyncio.new_event_loop}
