"""Rules for every test: each module says whether it is `unit` or `flow`."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

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
