from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from devices.link.base import Publish
from devices.link.properties import publish_properties

pytestmark = pytest.mark.unit


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn", "Co"]), max_size=40)
PAIRS = st.lists(st.tuples(TEXT, TEXT), max_size=3).map(tuple)


@given(st.none() | st.integers(0, 2**32 - 1), st.none() | st.binary(max_size=100), PAIRS)
def test_paho_reads_what_was_packed(
    expiry_s: int | None, correlation: bytes | None, pairs: tuple[tuple[str, str], ...]
) -> None:
    message = Publish("a", b"", expiry_s=expiry_s, correlation=correlation, user_properties=pairs)
    packed = publish_properties(message)
    if packed is None:
        assert (expiry_s, correlation, pairs) == (None, None, ())
        return
    read = Properties(PacketTypes.PUBLISH)
    _, length = read.unpack(packed.pack())
    assert length == len(packed.pack())
    assert getattr(read, "MessageExpiryInterval", None) == expiry_s
    assert getattr(read, "CorrelationData", None) == correlation
    assert tuple(getattr(read, "UserProperty", ())) == pairs


@pytest.mark.parametrize("expiry_s", [-1, 2**32])
def test_an_expiry_that_does_not_fit(expiry_s: int) -> None:
    with pytest.raises(ValueError, match="expiry"):
        publish_properties(Publish("a", b"", expiry_s=expiry_s))


def test_correlation_that_is_too_long() -> None:
    with pytest.raises(ValueError, match="correlation"):
        publish_properties(Publish("a", b"", correlation=bytes(101)))


def test_user_properties_that_are_too_long() -> None:
    with pytest.raises(ValueError, match="user properties"):
        publish_properties(Publish("a", b"", user_properties=(("name", "x" * 100_000),)))
