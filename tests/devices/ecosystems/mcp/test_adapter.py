from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.contract.command import AckStatus, Command
from devices.contract.errors import CommandRefusedError
from devices.ecosystems.base import (
    Acknowledged,
    Announced,
    Availability,
    Listen,
    Malformed,
    Removed,
    Say,
    Sighting,
)
from devices.ecosystems.mcp.adapter import MAX_SERVERS, Mcp
from devices.link.base import Message
from tests.devices.ecosystems.transcripts import heard, message, messages

pytestmark = pytest.mark.unit

RECORDED = messages("mcp/2026-11-24-server-2025-03-26.jsonl")
PRESENCE = RECORDED[0]
ADDRESS = "lamp-1/home/lamp/desk"
LAMP = "mcp-lamp-1-home-lamp-desk"
RPC = f"$mcp-rpc/gw-1/{ADDRESS}"


def fresh() -> Mcp:
    numbers = itertools.count(1)
    return Mcp(fresh=lambda: f"gw-{next(numbers)}")


def known() -> Mcp:
    mcp = fresh()
    heard(mcp, RECORDED)
    return mcp


def of(kind: type[Any], sightings: list[Sighting]) -> list[Any]:
    return [s for s in sightings if isinstance(s, kind)]


def said(sightings: list[Sighting]) -> list[tuple[str, dict[str, Any]]]:
    """What is sent in reply: topic and body."""
    messages = [s.message for s in of(Say, sightings)]
    messages += [m for s in of(Listen, sightings) for m in s.then]
    return [(m.topic, json.loads(m.payload)) for m in messages]


def call(mcp: Mcp, name: str = "self_lamp_set_brightness", **args: Any) -> int:
    """Call a tool as command c1; the number of the question."""
    delivery = mcp.encode(LAMP, Command("c1", name, args, 2500))
    number = json.loads(delivery.messages[0].payload)["id"]
    assert isinstance(number, int)
    return number


def answer(mcp: Mcp, topic: str = RPC, *, retained: bool = False, **body: Any) -> list[Sighting]:
    return heard(mcp, [message(topic, {"jsonrpc": "2.0", **body}, retained=retained)])


OK = {"content": [{"type": "text", "text": "done"}], "isError": False}


def test_the_recorded_server() -> None:
    sightings = heard(fresh(), RECORDED)
    (announced,) = of(Announced, sightings)
    assert (announced.description.id, announced.description.name) == (LAMP, "Desk lamp")
    names = [command.name for command in announced.description.commands]
    assert names == ["self_lamp_set_brightness", "self_read"]
    assert of(Availability, sightings) == [Availability(LAMP, online=True)]
    (left_out,) = of(Malformed, sightings)
    assert "paint" in left_out.reason
    assert [(topic, body["method"]) for topic, body in said(sightings)] == [
        (RPC, "notifications/initialized"),
        (RPC, "tools/list"),
        (RPC, "tools/list"),
        (f"$mcp-server/{ADDRESS}", "initialize"),
    ]


def test_the_answers_are_listened_to_before_the_first_question() -> None:
    (listen,) = heard(fresh(), [PRESENCE])
    assert isinstance(listen, Listen)
    assert listen.filter == RPC
    (initialize,) = listen.then
    assert ("MCP-MQTT-CLIENT-ID", "gw-1") in initialize.user_properties


def test_a_call() -> None:
    mcp = known()
    delivery = mcp.encode(LAMP, Command("c1", "self_lamp_set_brightness", {"percent": 5}, 2500))
    (sent,) = delivery.messages
    body = json.loads(sent.payload)
    assert (sent.topic, sent.qos, sent.retain, sent.expiry_s) == (RPC, 0, False, 3)
    assert body["method"] == "tools/call"
    assert body["params"]["name"] == "self.lamp.set_brightness"
    assert body["params"]["arguments"] == {"percent": 5}
    assert delivery.proof.state == {}


def test_an_answer_is_that_of_its_call_once() -> None:
    mcp = known()
    number = call(mcp, percent=5)
    (done,) = answer(mcp, id=number, result=OK)
    assert isinstance(done, Acknowledged)
    assert (done.device_id, done.ack.id, done.ack.status) == (LAMP, "c1", AckStatus.SUCCEEDED)
    assert done.ack.state == {"result": "done"}
    assert not answer(mcp, id=number, result=OK)


def test_two_attempts_are_one_command() -> None:
    mcp = known()
    first, second = call(mcp), call(mcp)
    assert first != second
    assert of(Acknowledged, answer(mcp, id=first, result=OK))[0].ack.id == "c1"


def test_a_retained_answer_is_none() -> None:
    mcp = known()
    number = call(mcp)
    assert not answer(mcp, retained=True, id=number, result=OK)
    assert answer(mcp, id=number, result=OK)


def test_a_server_cannot_answer_for_another() -> None:
    mcp = known()
    other = PRESENCE.topic.replace("lamp-1", "lamp-2")
    heard(mcp, [message(other, json.loads(PRESENCE.payload))])
    number = call(mcp)
    assert not answer(mcp, RPC.replace("gw-1/lamp-1", "gw-2/lamp-2"), id=number, result=OK)
    assert not answer(mcp, RPC.replace("gw-1", "gw-9"), id=number, result=OK)
    assert answer(mcp, id=number, result=OK)


def test_our_own_question_that_comes_back_is_no_answer() -> None:
    mcp = known()
    delivery = mcp.encode(LAMP, Command("c1", "self_read", {}, 2500))
    (sent,) = delivery.messages
    assert not heard(mcp, [Message(sent.topic, sent.payload)])


def test_progress_is_told() -> None:
    mcp = known()
    number = call(mcp)
    params = {"progressToken": number, "progress": 1, "total": 4}
    (working,) = answer(mcp, method="notifications/progress", params=params)
    assert isinstance(working, Acknowledged)
    assert (working.ack.status, working.ack.percent) == (AckStatus.IN_PROGRESS, 25)
    assert not answer(mcp, method="notifications/progress", params={"progressToken": 1})


def test_a_ping_is_answered() -> None:
    ((topic, body),) = said(answer(known(), id=0, method="ping"))
    assert (topic, body["id"], body["result"]) == (RPC, 0, {})


def test_tools_that_change_are_listed_anew() -> None:
    mcp = known()
    capability = f"$mcp-server/capability/{ADDRESS}"
    changed = {"method": "notifications/tools/list_changed"}
    ((_, question),) = said(answer(mcp, capability, **changed))
    assert call(mcp)
    (announced, _) = answer(mcp, id=question["id"], result={"tools": [{"name": "dance"}]})
    assert isinstance(announced, Announced)
    assert [c.name for c in announced.description.commands] == ["dance"]
    with pytest.raises(CommandRefusedError):
        call(mcp)


def test_a_presence_begins_a_conversation_anew() -> None:
    mcp = known()
    sightings = heard(mcp, [PRESENCE])
    assert of(Availability, sightings) == [Availability(LAMP, online=False)]
    assert [(s.filter, s.wanted) for s in of(Listen, sightings)] == [
        (RPC, False),
        (RPC.replace("gw-1", "gw-2"), True),
    ]
    assert said(sightings)[0][0] == "$mcp-client/presence/gw-1"


def test_a_server_that_goes() -> None:
    mcp = known()
    gone = heard(mcp, [message(PRESENCE.topic, b"", retained=True)])
    assert gone == [Listen(RPC, wanted=False), Removed(LAMP)]
    with pytest.raises(CommandRefusedError):
        call(mcp)
    assert not heard(mcp, [message(PRESENCE.topic, b"")])


def test_a_server_that_ends_the_conversation() -> None:
    assert answer(known(), method="notifications/disconnected") == [
        Availability(LAMP, online=False)
    ]


def test_a_server_that_refuses_us() -> None:
    mcp = fresh()
    heard(mcp, [PRESENCE])
    (refused,) = answer(mcp, id=1000001, error={"code": -32600, "message": "not you"})
    assert isinstance(refused, Malformed)
    assert "not you" in refused.reason


def test_pages_without_end() -> None:
    mcp = fresh()
    heard(mcp, RECORDED[:2])
    for number in range(100):
        sightings = answer(mcp, id=1000002 + number, result={"tools": [], "nextCursor": "x"})
        if of(Announced, sightings):
            return
    pytest.fail("it listens for ever")


def test_only_as_many_servers_as_a_house_has() -> None:
    crowd = [
        message(f"$mcp-server/presence/s{n}/lamp", {"method": "x"}) for n in range(MAX_SERVERS + 9)
    ]
    assert len(of(Malformed, heard(fresh(), crowd))) == 9


@pytest.mark.parametrize("topic", [PRESENCE.topic, RPC, f"$mcp-server/capability/{ADDRESS}"])
def test_a_megabyte_is_no_message(topic: str) -> None:
    (refused,) = heard(known(), [message(topic, b"x" * 1_000_000)])
    assert isinstance(refused, Malformed)


def test_a_name_that_no_topic_could_hold() -> None:
    (refused,) = heard(fresh(), [message(f"$mcp-server/presence/{'x' * 500}/y", {})])
    assert isinstance(refused, Malformed)


TOPICS = [PRESENCE.topic, RPC, f"$mcp-server/capability/{ADDRESS}", "$mcp-rpc/", "$mcp-rpc/a", "x"]


@given(st.sampled_from(TOPICS), st.binary(max_size=200), st.booleans())
def test_any_bytes_are_heard_without_an_error(topic: str, data: bytes, retained: bool) -> None:
    heard(known(), [Message(topic, data, retained)])


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
KEYS = st.sampled_from(["id", "method", "params", "result", "error"])


@given(st.dictionaries(KEYS, JSON, max_size=4), st.sampled_from([1000001, 1000002, 1000004]))
def test_any_types_in_an_answer(body: dict[str, Any], number: int) -> None:
    for upto in range(len(RECORDED) + 1):
        mcp = fresh()
        heard(mcp, RECORDED[:upto])
        heard(mcp, [message(RPC, {"id": number} | body)])
