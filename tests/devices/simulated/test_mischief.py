from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from devices.contract import codec
from devices.contract.command import Ack, AckStatus, Command
from devices.contract.errors import ContractError
from devices.link.base import LinkState, Message, Publish
from devices.link.memory import MemoryBroker, MemoryLink
from devices.simulated.faults import Faults, Lie
from devices.simulated.lights import KitchenLight
from devices.simulated.mischief import GARBAGE, MAX_LATE, FaultyLink, Mischief

pytestmark = pytest.mark.unit

Settle = Callable[[], Awaitable[None]]

ACK = Publish("home/kitchen-light/ack", codec.encode_ack(Ack("c1", AckStatus.SUCCEEDED)))
STATE = Publish("home/kitchen-light/state", b"{}", qos=1, retain=True)
ONLINE = Publish("home/kitchen-light/availability", b"online", qos=1, retain=True)
DESCRIPTION = Publish("home/kitchen-light/description", b"{}", qos=1, retain=True)


def order(name: str = "turn_on", **args: int) -> Message:
    payload = codec.encode_command(Command("c1", name, args, 3000))
    return Message("home/kitchen-light/command", payload)


def mischief(**faults: object) -> Mischief:
    return Mischief(KitchenLight(), faults=Faults(**faults))  # type: ignore[arg-type]


def test_without_faults_everything_passes() -> None:
    honest = mischief()
    assert honest.hear(order()) == (order(), None)
    for message in (ACK, STATE, ONLINE, DESCRIPTION):
        assert honest.say(message) == [message]
        assert honest.delay_s(message) == 0.0


def test_drop_misses_the_next_commands_only() -> None:
    deaf = mischief(drop=2)
    assert [deaf.hear(order())[0] for _ in range(3)] == [None, None, order()]
    assert deaf.faults == Faults()


def test_lost_acks_are_counted_and_states_still_come() -> None:
    loser = mischief(lose_acks=1)
    assert loser.say(STATE) == [STATE]
    assert loser.say(ACK) == []
    assert loser.say(ACK) == [ACK]


def test_repeat_sends_an_ack_several_times() -> None:
    assert mischief(repeat=3).say(ACK) == [ACK] * 3


def test_garbage_is_no_acknowledgement() -> None:
    with pytest.raises(ContractError):
        codec.decode_ack(GARBAGE)


def test_garble_replaces_an_ack_and_noise_goes_before_it() -> None:
    assert [p.payload for p in mischief(garble=1).say(ACK)] == [GARBAGE]
    assert [p.payload for p in mischief(noise=1).say(ACK)] == [GARBAGE, ACK.payload]


def test_delay_concerns_answers_and_not_announcements() -> None:
    slow = mischief(delay_s=0.3)
    assert [slow.delay_s(p) for p in (ACK, STATE, ONLINE, DESCRIPTION)] == [0.3, 0.3, 0, 0]


def test_silent_hears_and_says_nothing_but_is_online() -> None:
    silent = mischief(silent=True)
    assert silent.hear(order()) == (None, None)
    assert [silent.say(p) for p in (ACK, STATE, ONLINE)] == [[], [], [ONLINE]]


def test_offline_leaves_only_the_description_and_the_will() -> None:
    gone = mischief(offline=True)
    assert gone.hear(order()) == (None, None)
    assert gone.say(DESCRIPTION) == [DESCRIPTION]
    assert [p.payload for p in gone.say(ONLINE)] == [b"offline"]
    assert gone.say(ACK) == gone.say(STATE) == []


def told(liar: Mischief, message: Message) -> Ack:
    heard, lie = liar.hear(message)
    assert heard is None
    assert lie is not None
    assert lie.topic == ACK.topic
    return codec.decode_ack(lie.payload)


def test_a_claim_says_what_was_asked_for() -> None:
    ack = told(mischief(lie=Lie.CLAIM), order(brightness=60))
    assert (ack.id, ack.status) == ("c1", AckStatus.SUCCEEDED)
    assert ack.state == {"on": True, "brightness": 60}


def test_a_contradiction_says_otherwise() -> None:
    ack = told(mischief(lie=Lie.CONTRADICT), order(brightness=60))
    assert ack.status is AckStatus.SUCCEEDED
    assert ack.state["on"] is False
    assert ack.state["brightness"] != 60


def test_nobody_lies_about_garbage() -> None:
    garbage = Message("home/kitchen-light/command", b"{")
    assert mischief(lie=Lie.CLAIM).hear(garbage) == (None, None)


# --- on a link ------------------------------------------------------------------------------------


class Broken:
    """A broker, a faulty link for the light, and what others hear."""

    def __init__(self) -> None:
        self.broker = MemoryBroker()
        self.mischief = mischief()
        self.link = FaultyLink(MemoryLink(self.broker, "kitchen-light"), self.mischief)
        self.heard: list[Message] = []
        self.words: asyncio.Queue[Message] = asyncio.Queue()
        self.ordered: list[Message] = []


@pytest.fixture
async def broken() -> AsyncIterator[Broken]:
    made = Broken()
    ear = MemoryLink(made.broker, "ear")
    await ear.subscribe("home/#", made.heard.append)
    await ear.subscribe("home/#", made.words.put_nowait)
    await made.link.subscribe("home/kitchen-light/command", made.ordered.append)
    async with ear, made.link:
        await ear.connected()
        await made.link.connected()
        assert made.link.state is LinkState.CONNECTED
        yield made


async def test_a_faulty_link_passes_what_is_left(broken: Broken, settle: Settle) -> None:
    broken.mischief.faults = Faults(drop=1, repeat=2)
    for _ in range(2):
        broken.broker.publish(Publish(order().topic, order().payload))
    broken.link.publish(ACK)
    await settle()
    assert len(broken.ordered) == 1
    assert [m.payload for m in broken.heard if m.topic == ACK.topic] == [ACK.payload] * 2


async def test_a_lie_goes_out_on_the_link(broken: Broken, settle: Settle) -> None:
    broken.mischief.faults = Faults(lie=Lie.CLAIM)
    broken.broker.publish(Publish(order().topic, order().payload))
    await settle()
    assert broken.ordered == []
    (ack,) = [m for m in broken.heard if m.topic == ACK.topic]
    assert codec.decode_ack(ack.payload).status is AckStatus.SUCCEEDED


async def test_a_delayed_answer_comes_later_and_in_order(broken: Broken, settle: Settle) -> None:
    broken.mischief.faults = Faults(delay_s=0.01)
    broken.link.publish(ACK)
    broken.link.publish(STATE)
    await settle()
    assert broken.heard == []
    async with asyncio.timeout(5):
        first, second = await broken.words.get(), await broken.words.get()
    assert [first.topic, second.topic] == [ACK.topic, STATE.topic]


async def test_a_delayed_answer_is_lost_with_the_connection(settle: Settle) -> None:
    made = Broken()
    made.mischief.faults = Faults(delay_s=60)
    async with made.link:
        await made.link.connected()
        made.link.publish(STATE)
    await settle()
    assert made.broker.retained == {}


async def test_changes_of_the_link_are_told(settle: Settle) -> None:
    made, states = Broken(), []
    forget = made.link.on_change(lambda change: states.append(change.state))
    async with made.link:
        await made.link.connected()
        forget()
    assert states == [LinkState.CONNECTING, LinkState.CONNECTED]


async def test_delayed_answers_are_bounded_and_the_rest_counted(broken: Broken) -> None:
    broken.mischief.faults = Faults(delay_s=60)
    for _ in range(MAX_LATE + 3):
        broken.link.publish(ACK)
    assert broken.link.dropped == 3
