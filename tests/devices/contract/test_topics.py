from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.contract.errors import TopicError
from devices.contract.topics import Leaf, Topics, check_device_id

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("device_id", ["a", "0", "kitchen-light", "a" * 63, "4-", "gateway-2"])
def test_ids_that_the_contract_allows(device_id: str) -> None:
    assert check_device_id(device_id) == device_id


@pytest.mark.parametrize(
    "device_id",
    ["", "-a", "Kitchen", "a_b", "a/b", "a+", "#", "a" * 64, "a\n", "gateway", "\u00e4"],
)
def test_ids_that_it_does_not(device_id: str) -> None:
    with pytest.raises(TopicError):
        check_device_id(device_id)


def test_a_topic_is_root_device_and_leaf() -> None:
    assert Topics("home").of("lamp", Leaf.COMMAND) == "home/lamp/command"
    assert Topics("house/east").of("+", Leaf.ACK) == "house/east/+/ack"


@pytest.mark.parametrize(
    "topic",
    [
        "home/lamp",
        "home/lamp/ack/more",
        "other/lamp/ack",
        "home/lamp/dance",
        "home//ack",
        "home/gateway/state",
        "house/home/lamp/ack",
        "",
        "ack",
    ],
)
def test_topics_of_others_are_refused(topic: str) -> None:
    with pytest.raises(TopicError):
        Topics("home").read(topic)


@given(
    st.from_regex(r"[a-z0-9][a-z0-9-]{0,62}", fullmatch=True).filter(lambda i: i != "gateway"),
    st.sampled_from(Leaf),
    st.sampled_from(["home", "house/east/2"]),
)
def test_what_is_written_is_read_again(device_id: str, leaf: Leaf, root: str) -> None:
    topics = Topics(root)
    assert topics.read(topics.of(device_id, leaf)) == (device_id, leaf)


@given(st.text(max_size=100).filter(lambda text: not text.startswith("home/")))
def test_any_other_text_is_refused(topic: str) -> None:
    with pytest.raises(TopicError, match="is"):
        Topics("home").read(topic)
