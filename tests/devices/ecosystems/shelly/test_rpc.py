from __future__ import annotations

import json

import pytest

from devices.contract.errors import PayloadError
from devices.ecosystems.shelly.rpc import MAX_OPEN, About, Answer, Exchange, Question, read_answer

pytestmark = pytest.mark.unit


def answer(number: int, error: int | None = None) -> Answer:
    return Answer(number, "s", {}, error)


@pytest.mark.parametrize(
    "frame",
    [
        b"[]",
        b"{}",
        b'{"id":1,"src":"s"}',
        b'{"id":"1","src":"s","result":{}}',
        b'{"id":true,"src":"s","result":{}}',
        b'{"id":1,"src":7,"result":{}}',
    ],
)
def test_frames_that_are_no_answer(frame: bytes) -> None:
    with pytest.raises(PayloadError):
        read_answer(frame)


def test_an_empty_result_is_an_answer() -> None:
    assert read_answer(b'{"id":1,"src":"s","result":null}') == Answer(1, "s", {}, None)
    assert read_answer(b'{"id":1,"src":"s","error":"no"}').error == 0


def test_numbers_grow_from_the_given_one() -> None:
    exchange = Exchange("gw", last=41)
    question = Question(About.INFO, "a/b")
    numbers = [json.loads(exchange.ask(question, "X").payload)["id"] for _ in range(2)]
    assert numbers == [42, 43]


def test_a_question_is_answered_once_and_a_standing_one_always() -> None:
    exchange = Exchange("gw")
    question = Question(About.PART, "a")
    exchange.ask(question, "X")
    assert exchange.close(answer(1)) == question
    assert exchange.close(answer(1)) is None
    standing = exchange.stand(question, "Y", {"id": 0})
    assert exchange.close(answer(standing.number)) == question
    assert exchange.peek(answer(standing.number)) == question
    exchange.release(standing)
    assert exchange.peek(answer(standing.number)) is None


def test_the_answer_to_a_command_decides_about_its_result() -> None:
    exchange = Exchange("gw")
    order = Question(About.ORDER, "a", "d", "c", {"on": True})
    for error, counts in ((None, True), (-103, None)):
        messages = exchange.order(order, "Switch", ("Set", {"id": 0, "on": True}), 3)
        first, second = (json.loads(m.payload)["id"] for m in messages)
        exchange.close(answer(first, error))
        result = exchange.close(answer(second))
        assert (result.executed if result else None) is counts


def test_old_questions_are_forgotten() -> None:
    exchange = Exchange("gw")
    for _ in range(MAX_OPEN + 1):
        exchange.ask(Question(About.INFO, "a"), "X")
    assert exchange.close(answer(1)) is None
    assert exchange.close(answer(2)) is not None
