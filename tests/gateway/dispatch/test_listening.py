from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable

import pytest

from devices.contract.errors import LinkRefusedError
from devices.ecosystems.base import Listen
from devices.link.base import Handler, Message, Publish, Unsubscribe
from devices.link.memory import MemoryBroker, MemoryLink
from gateway.dispatch import listening
from gateway.dispatch.listening import Listening

pytestmark = pytest.mark.unit


class Scene:
    def __init__(self, link: PickyLink, broker: MemoryBroker) -> None:
        self.link = link
        self.listening = Listening(link, self.say)
        self.broker = broker
        self.heard: list[str] = []
        self.said: list[str] = []

    def listen(self, topic: str, *, wanted: bool = True, owner: str = "x") -> None:
        self.listening.change(owner, Listen(topic, wanted), self.hear)

    def say(self, messages: Iterable[Publish]) -> None:
        self.said += [message.topic for message in messages]

    def hear(self, message: Message) -> None:
        self.heard.append(message.topic)

    async def says(self, topic: str) -> list[str]:
        """What is heard when somebody says something there."""
        await settle()
        self.heard.clear()
        self.broker.publish(Publish(topic, b""))
        await settle()
        return self.heard


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


class PickyLink(MemoryLink):
    """Its broker refuses one topic. `asked` counts how often it was asked for any."""

    asked = 0

    async def subscribe(self, topic_filter: str, handler: Handler, *, qos: int = 0) -> Unsubscribe:
        self.asked += 1
        if topic_filter == "secret":
            raise LinkRefusedError("the broker denies secret")
        return await super().subscribe(topic_filter, handler, qos=qos)


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    broker = MemoryBroker()
    async with PickyLink(broker, client_id="picky") as link:
        await link.connected()
        made = Scene(link, broker)
        yield made
        await made.listening.close()


async def test_a_device_that_comes_and_goes_is_asked_for_once(scene: Scene) -> None:
    for _ in range(1000):
        scene.listen("lamp/state")
        scene.listen("lamp/state", wanted=False)
    scene.listen("lamp/state")
    assert await scene.says("lamp/state") == ["lamp/state"]
    assert scene.link.asked == 1


async def test_a_question_waits_until_its_answer_would_be_heard(scene: Scene) -> None:
    question = Listen("answer", then=(Publish("question", b""),))
    scene.listening.change("x", question, scene.hear)
    assert scene.said == []
    await settle()
    assert scene.said == ["question"]
    refused = Listen("secret", then=(Publish("never", b""),))
    scene.listening.change("x", refused, scene.hear)
    await settle()
    assert scene.said == ["question"]


async def test_a_topic_is_heard_from_when_it_is_wanted_until_it_is_not(scene: Scene) -> None:
    assert await scene.says("lamp") == []
    scene.listen("lamp")
    assert await scene.says("lamp") == ["lamp"]
    scene.listen("lamp", wanted=False)
    assert await scene.says("lamp") == []


async def test_wanting_twice_is_wanting_once(scene: Scene) -> None:
    scene.listen("lamp")
    scene.listen("lamp")
    assert await scene.says("lamp") == ["lamp"]


async def test_each_owner_has_its_own(scene: Scene) -> None:
    scene.listen("lamp", owner="x")
    scene.listen("lamp", owner="y")
    scene.listen("lamp", owner="x", wanted=False)
    assert await scene.says("lamp") == ["lamp"]


async def test_a_wish_that_is_taken_back_at_once_leaves_nothing(scene: Scene) -> None:
    scene.listen("lamp")
    scene.listen("lamp", wanted=False)
    assert await scene.says("lamp") == []
    assert len(scene.listening) == 0


async def test_a_topic_that_is_denied_does_not_cost_the_others(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    for topic in ("secret", "lamp"):
        scene.listen(topic)
    assert await scene.says("lamp") == ["lamp"]
    assert "denies secret" in caplog.text


async def test_who_makes_up_topics_for_ever_is_not_followed(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "MAX_TOPICS", 3)
    for number in range(5):
        scene.listen(f"t/{number}")
    assert len(scene.listening) == 3
    assert scene.listening.dropped == 2
