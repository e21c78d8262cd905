"""`gateway demo`, as whoever tries the product first starts it."""

from __future__ import annotations

import pytest

from tests.flows.programs import gateway

pytestmark = pytest.mark.flow


def say(*sentences: str) -> list[str]:
    return [word for sentence in sentences for word in ("--say", sentence)]


async def test_three_sentences_one_shot() -> None:
    ended = await gateway(
        "demo",
        *say(
            "turn on the kitchen light",
            "set the living room lamp to 30%",
            "brew two cups of coffee",
        ),
        "--json",
    )
    assert (ended.code, ended.err) == (0, "")
    calls = [(call["name"], call["arguments"]) for call in ended.events("call")]
    assert calls == [
        ("turn_on", {"target": "Kitchen light"}),
        ("turn_on", {"target": "Living room lamp", "brightness": 30}),
        ("brew_coffee", {"cups": 2}),
    ]
    commands = {line["id"]: line["device"] for line in ended.events("command")}
    assert list(commands.values()) == ["kitchen-light", "living-room-lamp", "coffee-machine"]
    done = [line["id"] for line in ended.events("acknowledgement") if line["status"] == "succeeded"]
    assert done == list(commands)
    outcomes = ended.events("outcome")
    assert [(outcome["ok"], outcome["status"]) for outcome in outcomes] == [(True, "confirmed")] * 3
    assert outcomes[1]["state"]["brightness"] == 30
    kinds = [line["event"] for line in ended.lines]
    story = ["said", "call", "command", "acknowledgement", "outcome", "reply"]
    assert kinds[: len(story)] == story


@pytest.mark.parametrize(
    ("sentence", "status"),
    [
        ("turn on everything in the moon base", "unknown_target"),
        ("unlock the front door", "needs_confirmation"),
    ],
)
async def test_a_sentence_that_is_not_done_exits_1(sentence: str, status: str) -> None:
    ended = await gateway("demo", *say(sentence), "--json")
    assert (ended.code, ended.err) == (1, "")
    assert [outcome["status"] for outcome in ended.events("outcome")] == [status]
    assert ended.events("command") == []


async def test_words_that_lead_to_no_call_exit_1() -> None:
    assert (await gateway("demo", *say("how are you"))).code == 1


async def test_unlock_then_yes_opens_the_door_from_a_pipe() -> None:
    ended = await gateway("demo", "--json", stdin="unlock the front door\nyes\nexit\nturn on x\n")
    assert [line["text"] for line in ended.events("said")] == ["unlock the front door", "yes"]
    held, done = ended.events("outcome")
    assert (held["status"], done["status"]) == ("needs_confirmation", "confirmed")
    assert done["state"]["locked"] is False
    assert [line["command"] for line in ended.events("command")] == ["unlock"]
    # The question was no failure of the house, but it was no "done" either.
    assert ended.code == 1


async def test_typed_sentences_end_with_the_input() -> None:
    ended = await gateway("demo", stdin="turn on the hall light\n\nwhat is the outdoor temperature")
    assert (ended.code, ended.err) == (0, "")
    assert "Hall light is on" in ended.out
    assert "outdoor temperature" in ended.out.casefold()
