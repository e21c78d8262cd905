from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.contract.command import Command
from devices.contract.errors import CommandRefusedError
from devices.ecosystems.base import Announced, Availability, Malformed, Say, StateReport
from devices.ecosystems.shelly.adapter import Shelly
from devices.link.base import Message
from devices.link.filters import matches
from tests.devices.ecosystems.transcripts import heard, message, messages

pytestmark = pytest.mark.unit

PLUS = messages("shelly/plus2pm-2026-11-24-1.4.jsonl")
OLD = messages("shelly/gen1-2026-11-24-1.14.jsonl")


def asked(sightings: list[Any]) -> list[tuple[str, str]]:
    """The questions among the sightings: where, and which."""
    says = [s.message for s in sightings if isinstance(s, Say)]
    return [(m.topic, m.payload.decode()) for m in says]


def test_answers_are_listened_to_first() -> None:
    first, *others = Shelly("gw").filters()
    assert first.filter == "gw/rpc"
    for topic in ("a/online", "a/b/events/rpc", "a/b/c/announce", "shellies/announce"):
        assert any(matches(other.filter, topic) for other in others), topic


def test_they_are_called_at_each_connect() -> None:
    (call,) = Shelly("gw").greeting()
    assert (call.topic, call.payload, call.retain) == ("shellies/command", b"announce", False)


def test_both_generations_side_by_side() -> None:
    names = [
        s.description.name
        for s in heard(Shelly("gw"), [*PLUS, *OLD])
        if isinstance(s, Announced) and s.description.capabilities
    ]
    assert {"Cellar light", "landing dimmer", "shellyht C0FFEE"} <= set(names)


def test_a_device_with_its_topics_under_the_old_root() -> None:
    """Only its own announcement tells of which generation it is."""
    shelly = Shelly("gw")
    online = message("shellies/kitchen/online", "true")
    assert asked(heard(shelly, [online])) == [("shellies/kitchen/command", "announce")]
    announcement = {"id": "shellyplus1-x", "mac": "A0B1C2D3E4F5", "gen": 3}
    (question,) = asked(heard(shelly, [message("shellies/kitchen/announce", announcement)]))
    assert question[0] == "shellies/kitchen/rpc"
    assert json.loads(question[1])["method"] == "Shelly.GetDeviceInfo"


def test_on_the_common_topic_the_usual_prefix_is_tried() -> None:
    told = {"id": "shellyplus1-x", "mac": "A0B1C2D3E4F5", "gen": 2}
    (question,) = asked(heard(Shelly("gw"), [message("shellies/announce", told)]))
    assert question[0] == "shellyplus1-x/rpc"


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("weather/online", "yes"),
        ("weather/announce", "tomorrow"),
        ("weather/announce", {"id": "today", "gen": 2}),
        ("shellies/announce", {"id": "a/+", "mac": "A0B1C2D3E4F5", "gen": 2}),
        ("/online", "true"),
        ("$SYS/online", "true"),
        (f"{'x' * 200}/online", "true"),
        ("shellies/nobody/relay/0", "on"),
    ],
)
def test_topics_of_others(topic: str, payload: Any) -> None:
    assert heard(Shelly("gw"), [message(topic, payload)]) == []


def test_a_megabyte() -> None:
    for topic in ("gw/rpc", "a/events/rpc"):
        (refused,) = Shelly("gw").decode(Message(topic, b'"' + b"x" * 1_000_000 + b'"'))
        assert isinstance(refused, Malformed)
    assert heard(Shelly("gw"), [Message("a/announce", b"x" * 1_000_000)]) == []


def test_a_device_that_nobody_knows() -> None:
    with pytest.raises(CommandRefusedError, match="not there"):
        Shelly("gw").encode("shelly-x", Command("c", "turn_on", {}, 3000))


TOPICS = sorted({m.topic for m in (*PLUS, *OLD)})


@given(st.sampled_from(TOPICS), st.binary(max_size=200), st.booleans())
def test_any_bytes_are_heard_without_an_error(topic: str, data: bytes, retained: bool) -> None:
    shelly = Shelly("gw")
    heard(shelly, [*PLUS[:4], *OLD[:4]])
    heard(shelly, [Message(topic, data, retained)])


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
WORDS = ["switch:0", "light:0", "cover:0", "rgb:0", "cct:1", "thermostat:0", "input:0", "sys"]
FIELDS = ["output", "brightness", "transition", "rgb", "ct", "state", "current_pos", "errors"]
FIELDS += ["name", "ct_range", "type", "target_C", "pos_control", "cfg_rev", "wakeup_period"]
STATUS = st.dictionaries(
    st.sampled_from(WORDS) | st.text(max_size=5),
    JSON | st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=4),
    max_size=5,
)


@given(STATUS, STATUS, STATUS, JSON)
def test_any_types_in_answers_and_events(config: Any, status: Any, news: Any, info: Any) -> None:
    shelly = Shelly("gw")
    for number, result in enumerate([PLUS_INFO, config, status], 1):
        answer = {"id": number, "src": "s", "result": result}
        heard(shelly, [message("a/online", "true")] if number == 1 else [])
        heard(shelly, [message("gw/rpc", answer)])
    event = {"src": "s", "method": "NotifyStatus", "params": news}
    sightings = heard(shelly, [message("a/events/rpc", event), message("gw/rpc", info)])
    for sighting in sightings:
        if isinstance(sighting, StateReport):
            json.dumps(dict(sighting.state), allow_nan=False)
        assert not isinstance(sighting, Availability) or sighting.online


PLUS_INFO = {"mac": "A0B1C2D3E4F5", "id": "s", "gen": 2}
