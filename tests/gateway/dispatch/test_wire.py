from __future__ import annotations

import logging

import pytest

from devices.contract import codec
from devices.contract.capability import Description
from devices.contract.command import Ack, AckStatus, Command
from devices.contract.errors import LinkDownError, LinkFullError, LinkRefusedError
from devices.ecosystems.base import Acknowledged
from devices.ecosystems.native import Native
from devices.ecosystems.tasmota.adapter import Tasmota
from devices.link.base import Handler, Publish, Unsubscribe
from devices.link.memory import MemoryBroker, MemoryLink
from devices.link.options import MAX_PAYLOAD_BYTES
from gateway.bus import Bus
from gateway.directory import Device, Directory
from gateway.dispatch.lifecycle import State
from gateway.dispatch.wire import MAX_COMPLAINTS, Wire
from gateway.events import MessageDropped
from gateway.testing import ManualClock
from tests.gateway.dispatch.bench import Bench, nothing, settle

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("virtual_time")]

SUCCEEDED = AckStatus.SUCCEEDED
COMMAND = Command("c1", "turn_on", {"brightness": 5}, 2500)


def device(house: Bench, device_id: str) -> Device:
    found = house.directory.get(device_id)
    assert found is not None
    return found


async def test_a_command_goes_out_as_its_ecosystem_says(house: Bench) -> None:
    house.add("old", forgetful=True)
    for device_id in ("lamp", "old"):
        house.wire.send(device(house, device_id), COMMAND)
    assert [(h.device_id, h.command) for h in house.heard] == [("lamp", COMMAND), ("old", COMMAND)]
    assert house.broker.retained == {}


async def test_what_the_link_does_not_take_is_an_error_and_kept_by_nobody(house: Bench) -> None:
    house.link.full = True
    with pytest.raises(LinkFullError):
        house.wire.send(device(house, "lamp"), COMMAND)
    house.link.full = False
    house.broker.stop()
    await settle()
    with pytest.raises(LinkDownError):
        house.wire.send(device(house, "lamp"), COMMAND)
    house.broker.start()
    await house.link.connected()
    await settle()
    assert house.heard == []


async def test_a_device_of_an_ecosystem_that_is_not_in_use_is_out_of_reach(house: Bench) -> None:
    lamp = device(house, "lamp")
    lamp.ecosystem = "gone"
    with pytest.raises(LinkDownError, match="gone"):
        house.wire.send(lamp, COMMAND)


async def test_devices_come_report_and_go(house: Bench) -> None:
    topic = "home/hall-light"
    house.publish(f"{topic}/state", b'{"on": true}', retain=True)
    house.publish(f"{topic}/availability", b"online", retain=True)
    description = codec.encode_description(Description("hall-light", "Hall light"))
    house.publish(f"{topic}/description", description, retain=True)
    await settle()
    hall = device(house, "hall-light")
    assert (hall.name, hall.online, hall.state) == ("Hall light", True, {"on": True})
    assert hall.traits.keeps_ids
    house.publish(f"{topic}/description", b"", retain=True)
    await settle()
    assert house.directory.get("hall-light") is None


async def test_only_a_devices_own_ecosystem_speaks_for_it(house: Bench) -> None:
    house.reports("lamp", on=False)
    asked = house.begin("lamp")
    house.behave["lamp"] = nothing
    await settle()
    house.publish("old/lamp/state", b'{"on": true}')
    house.publish("old/lamp/availability", b"offline")
    house.publish("old/lamp/ack", codec.encode_ack(Ack(house.heard[0].command.id, SUCCEEDED)))
    house.publish("old/lamp/description", b"")
    description = codec.encode_description(Description("lamp", "Other lamp"))
    house.publish("old/lamp/description", description)
    await settle()
    lamp = device(house, "lamp")
    assert (lamp.name, lamp.state, lamp.online) == ("Lamp", {"on": False}, True)
    dropped = house.told(MessageDropped)
    assert {e.reason for e in dropped} == {"its device is one of ecosystem native"}
    assert len(dropped) == 5
    assert (await asked).state is State.TIMED_OUT


async def test_acknowledgements_are_handed_on_and_decide_nothing_here(house: Bench) -> None:
    taken: list[Acknowledged] = []
    house.wire.on_ack = taken.append
    house.says("lamp", "c1")
    await settle()
    assert [(heard.device_id, heard.ack.id) for heard in taken] == [("lamp", "c1")]


async def test_the_proof_of_a_command_is_told_and_nothing_is_sent(house: Bench) -> None:
    proof = house.wire.proof(device(house, "lamp"), COMMAND)
    assert proof.state == {}
    await settle()
    assert house.heard == []


async def test_whatever_comes_is_refused_with_a_reason_and_the_house_goes_on(
    house: Bench,
) -> None:
    bad = {
        "home/lamp/ack": b"\xff\xfe",
        "home/lamp/state": b"[1]",
        "home/lamp/availability": b"maybe",
        "home/lamp/description": b'{"contract": 2, "id": "lamp"}',
        "home/blind/description": b"x" * 1_000_000,
        "home/Bad Id/state": b"{}",
        "home/gateway/state": b"{}",
    }
    for topic, payload in bad.items():
        house.publish(topic, payload)
    await settle()
    dropped = house.told(MessageDropped)
    assert sorted(event.source for event in dropped) == sorted(bad)
    assert all(event.reason and len(event.reason) < 300 for event in dropped)
    assert (await house.order("lamp")).attempts == 1


async def test_a_message_above_the_bound_of_its_filter_is_not_even_decoded(house: Bench) -> None:
    house.publish("home/lamp/state", b" " * MAX_PAYLOAD_BYTES + b"{}")
    await settle()
    (dropped,) = house.told(MessageDropped)
    assert "262144 bytes" in dropped.reason


class DenyingLink(MemoryLink):
    """A link to a broker that keeps one family's topics from us."""

    async def subscribe(self, topic_filter: str, handler: Handler, *, qos: int = 0) -> Unsubscribe:
        if topic_filter.startswith("tasmota/"):
            raise LinkRefusedError(f"the broker denies {topic_filter}")
        return await super().subscribe(topic_filter, handler, qos=qos)


async def test_an_ecosystem_that_the_broker_denies_costs_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broker = MemoryBroker()
    directory = Directory(ManualClock(), Bus())
    async with DenyingLink(broker, "gateway") as link:
        await link.connected()
        await Wire(link, [Tasmota(), Native()], directory, Bus()).listen()
        assert "not all devices of tasmota are found" in caplog.text
        lamp = codec.encode_description(Description("lamp", "Lamp"))
        link.publish(Publish("home/lamp/description", lamp))
        await settle()
    assert [device.id for device in directory] == ["lamp"]


async def test_a_house_that_is_full_says_so(house: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Directory, "MAX_DEVICES", 2)
    description = codec.encode_description(Description("third", "Third"))
    house.publish("home/third/description", description)
    await settle()
    assert [event.source for event in house.told(MessageDropped)] == ["third"]


async def test_one_source_fills_neither_log_nor_memory(
    house: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for _ in range(3):
        house.wire.drop("home/lamp/ack\n\x1b[31m", "it is no JSON")
    assert [record.levelno for record in caplog.records] == [
        logging.WARNING,
        logging.DEBUG,
        logging.DEBUG,
    ]
    assert "\x1b" not in caplog.text
    caplog.clear()
    for number in range(1000):
        house.wire.drop(f"topic {number}", f'it has {number} bytes, not "{number}x"', "tasmota")
    house.wire.drop("topic", "it has 1 bytes", "shelly")
    warned = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warned) == 2


async def test_endless_kinds_of_faults_end_in_the_debug_log(
    house: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(MAX_COMPLAINTS + 50):
        house.wire.drop("topic", "x" * number)
    warned = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warned) == len(house.wire._complaints) == MAX_COMPLAINTS
