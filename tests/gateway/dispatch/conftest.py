"""The bench of `bench.py` for tests in virtual time."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.gateway.dispatch.bench import Bench, bench


@pytest.fixture(name="house")
async def house_fixture() -> AsyncIterator[Bench]:
    async with bench() as made:
        yield made
