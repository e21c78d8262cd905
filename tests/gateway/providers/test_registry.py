from __future__ import annotations

import pytest

from gateway.errors import ConfigError
from gateway.providers.registry import dialect_maker

pytestmark = pytest.mark.unit

SETTINGS = {"license": "k", "avatar_name": "navtalk.Leo"}


def test_each_connection_gets_its_own_dialect() -> None:
    make = dialect_maker("navtalk", {**SETTINGS, "prompt": "not for the dialect", "url": ""})
    assert make() is not make()
    assert make().endpoint().shown == "wss://transfer.navtalk.ai/wss/v2/realtime-chat"


def test_an_unknown_provider_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="known: navtalk"):
        dialect_maker("navtlak", SETTINGS)


@pytest.mark.parametrize("missing", ["license", "avatar_name"])
def test_what_it_cannot_do_without_is_asked_for(missing: str) -> None:
    with pytest.raises(ConfigError, match=missing):
        dialect_maker("navtalk", {**SETTINGS, missing: ""})


@pytest.mark.parametrize(
    "url", ["https://x", "wss://", "wss://[x", "wss://x:99999999/", "x?key=secret"]
)
def test_a_broken_url_is_told_at_start_without_repeating_it(url: str) -> None:
    with pytest.raises(ConfigError, match=r"session\.url") as caught:
        dialect_maker("navtalk", {**SETTINGS, "url": url})
    assert "secret" not in str(caught.value)
