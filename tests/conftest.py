"""Rules for every test: each module says whether it is `unit` or `flow`."""

from __future__ import annotations

import pytest

pytest_plugins = ["tests.brokers"]

KINDS = {"unit", "flow"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if len(KINDS & {mark.name for mark in item.iter_markers()}) != 1:
            message = f"{item.nodeid}: say `pytestmark = pytest.mark.unit` (or flow)"
            raise pytest.UsageError(message)
