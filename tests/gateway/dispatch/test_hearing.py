from __future__ import annotations

import asyncio

import pytest

from devices.contract.command import AckError, AckStatus, Evidence
from gateway.dispatch.lifecycle import State
from gateway.events import CommandSent, EvidenceReceived, MessageDropped
from tests.gateway.dispatch.bench import Bench, nothing, settle

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("virtual_time")]


async def test_a_late_acknowledgement_upgrades_what_timed_out_and_is_told_once(
    house: Bench,
) -> None:
    house.behave["lamp"] = nothing
    result = await house.order("lamp")
    for _ in range(3):
        house.says("lamp", result.command_id, state={"on": True})
        await settle()
    assert [late.state for late in house.late] == [State.SUCCEEDED]
    evidence = [(e.late, e.duplicate) for e in house.told(EvidenceReceived)]
    assert evidence == [(True, False), *[(False, True)] * 2]


async def test_an_accepted_command_is_not_sent_again_and_ends_later(house: Bench) -> None:
    house.behave["blind"] = lambda c: house.says("blind", c.id, AckStatus.ACCEPTED)
    result = await house.order("blind", "set_cover", position=0)
    assert house.now_s == pytest.approx(4.0)
    assert (result.state, result.evidence) == (State.ACCEPTED, Evidence.ACCEPTED)
    await asyncio.sleep(10)
    assert house.late == []
    house.says("blind", result.command_id, AckStatus.IN_PROGRESS)
    house.says("blind", result.command_id, state={"position": 0, "moving": False})
    await asyncio.sleep(200)
    assert [(late.state, late.evidence) for late in house.late] == [
        (State.SUCCEEDED, Evidence.SETTLED)
    ]
    assert len(house.heard) == 1


async def test_what_was_accepted_and_never_ends_is_timed_out_in_its_own_time(house: Bench) -> None:
    house.behave["blind"] = lambda c: house.says("blind", c.id, AckStatus.ACCEPTED)
    await house.order("blind", "set_cover", position=0)
    await asyncio.sleep(59)
    assert house.late == []
    await asyncio.sleep(2)
    assert [late.state for late in house.late] == [State.TIMED_OUT]
    await asyncio.sleep(200)
    assert len(house.late) == 1


async def test_why_a_device_failed_is_passed_on(house: Bench) -> None:
    jammed = AckError("jammed", "The blind is stuck.")
    house.behave["blind"] = lambda c: house.says("blind", c.id, AckStatus.FAILED, error=jammed)
    result = await house.order("blind", "set_cover", position=0)
    assert (result.state, result.error) == (State.FAILED, jammed)


async def test_success_with_a_state_that_says_otherwise_is_a_contradiction(house: Bench) -> None:
    house.behave["lamp"] = lambda c: house.says("lamp", c.id, state={"on": False})
    result = await house.order("lamp")
    assert (result.state, result.contradiction) == (State.SUCCEEDED, "on")


async def test_the_words_of_others_move_nothing(house: Bench) -> None:
    house.behave["lamp"] = nothing
    asked = house.begin("lamp")
    await settle()
    command_id = house.heard[0].command.id
    house.says("blind", command_id, state={"on": True})
    house.says("stranger", command_id)
    house.says("lamp", "01UNKNOWN")
    for garbage in (b"", b"\xff", b"[]", b'{"id": 1}', b"x" * 20_000):
        house.publish("home/lamp/ack", garbage)
    await settle()
    reasons = [e.reason for e in house.told(MessageDropped)]
    assert len(reasons) == 8
    assert "its command was for lamp" in reasons[0]
    assert "no command of ours" in reasons[2]
    assert not asked.done()
    house.says("lamp", command_id, state={"on": True})
    assert (await asked).state is State.SUCCEEDED


async def test_another_device_cannot_repeat_what_has_ended_either(house: Bench) -> None:
    result = await house.order("lamp")
    house.events.waiting()
    house.says("blind", result.command_id)
    await settle()
    events = house.events.waiting()
    assert [type(event) for event in events] == [MessageDropped]


async def test_a_retained_acknowledgement_is_the_past(house: Bench) -> None:
    house.behave["lamp"] = nothing
    asked = house.begin("lamp")
    await settle()
    payload = b'{"id": "%s", "status": "succeeded"}' % house.heard[0].command.id.encode()
    house.broker.retained["home/lamp/ack"] = payload
    house.broker.cut("gateway")
    assert (await asked).state is State.TIMED_OUT
    dropped = [e.reason for e in house.told(MessageDropped)]
    assert any("retained" in reason for reason in dropped)


async def test_after_the_end_nobody_waits_for_a_movement_but_its_word_still_counts(
    house: Bench,
) -> None:
    house.behave["blind"] = lambda c: house.says("blind", c.id, AckStatus.ACCEPTED)
    result = await house.order("blind", "set_cover", position=0)
    house.dispatcher.close()
    await asyncio.sleep(200)
    assert house.late == []
    house.says("blind", result.command_id, state={"position": 0, "moving": False})
    await settle()
    assert [late.state for late in house.late] == [State.SUCCEEDED]


async def test_each_attempt_is_reported_for_the_journal(house: Bench) -> None:
    house.behave["lamp"] = lambda c: house.obey("lamp", c) if c.attempt == 2 else None
    result = await house.order("lamp", brightness=5)
    sent = house.told(CommandSent)
    assert [(e.call_id, e.command_id, e.attempt) for e in sent] == [
        ("call-1", result.command_id, 1),
        ("call-1", result.command_id, 2),
    ]
