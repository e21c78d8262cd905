"""Flows run at both brokers: the one that the demo brings along, and mosquitto."""

from __future__ import annotations

import pytest


@pytest.fixture(params=["embedded", "mosquitto"])
def broker_url(request: pytest.FixtureRequest) -> str:
    """The url of a broker that the whole test session shares: use a root of your own."""
    name = "embedded_broker_url" if request.param == "embedded" else "mosquitto_url"
    url: str = request.getfixturevalue(name)
    return url
