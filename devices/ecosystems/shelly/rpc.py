"""RPC frames to second-generation devices, and which question an answer belongs to.

Pure: it numbers questions and remembers who was asked what, within bounds.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import Any

from devices.contract.command import AckError, AckStatus, Scalar
from devices.contract.errors import PayloadError
from devices.ecosystems import payload
from devices.link.base import Publish

MAX_FRAME_BYTES = 64 * 1024
MAX_OPEN = 4_096
# A question that a device cannot hear now is asked again when it is heard of.
QUESTION_EXPIRY_S = 2

_ERRORS: Mapping[int, tuple[AckStatus, str, str]] = {
    -103: (AckStatus.REJECTED, "invalid_arguments", "It refused the arguments."),
    -104: (AckStatus.FAILED, "too_late", "It did not finish in time."),
    -105: (AckStatus.REJECTED, "not_found", "It has no such part any more."),
    -108: (AckStatus.REJECTED, "busy", "It is too busy."),
    -109: (AckStatus.REJECTED, "not_possible_now", "It cannot do that in its present state."),
    -114: (AckStatus.REJECTED, "unavailable", "That part of it is not available."),
}
_REFUSED = (AckStatus.REJECTED, "refused", "It refused the command.")


class About(Enum):
    """What a question is about."""

    INFO = auto()
    CONFIG = auto()
    STATUS = auto()
    PART = auto()
    """the status of one part"""
    ORDER = auto()
    """a command"""
    RESULT = auto()
    """the status of one part right after a command, asked for together with it"""


@dataclass(frozen=True, slots=True)
class Question:
    """What a device at `prefix` was asked.

    Of ORDER and RESULT: for which device and command, and the state that was `wanted`.
    `executed` says of a RESULT that the device had said yes to the command before.
    """

    about: About
    prefix: str
    device_id: str = ""
    command_id: str = ""
    wanted: Mapping[str, Scalar] = field(default_factory=dict)
    executed: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """A question that may be sent again and again."""

    number: int
    message: Publish


@dataclass(frozen=True, slots=True)
class Answer:
    """What a device answered: `result`, or in its stead the code of an error."""

    number: int
    source: str
    result: Mapping[str, Any]
    error: int | None


def read_answer(data: bytes) -> Answer:
    """A frame on our own topic. Raises PayloadError."""
    frame = payload.read_object(data, MAX_FRAME_BYTES)
    number, source, error = frame.get("id"), frame.get("src"), frame.get("error")
    if not isinstance(number, int) or isinstance(number, bool) or not isinstance(source, str):
        raise PayloadError("the answer names no question or no sender")
    if "result" not in frame and error is None:
        raise PayloadError("the answer has neither a result nor an error")
    result = frame.get("result")
    return Answer(number, source, result if isinstance(result, dict) else {}, _code(error))


def told_error(code: int) -> tuple[AckStatus, AckError]:
    """An error's code as what is said of the command."""
    status, word, message = _ERRORS.get(code, _REFUSED)
    return status, AckError(word, message)


class Exchange:
    """Open questions of one gateway, which devices answer on the topic of `source`.

    Of more than MAX_OPEN the oldest is forgotten: its answer is then nobody's. Questions are
    numbered from the one after `last`.
    """

    def __init__(self, source: str, last: int = 0) -> None:
        self.topic = f"{source}/rpc"
        self._source = source
        self._last = last
        self._open: OrderedDict[int, Question] = OrderedDict()
        self._standing: dict[int, Question] = {}

    def ask(
        self, question: Question, method: str, params: Mapping[str, Any] | None = None
    ) -> Publish:
        """A question that is answered once."""
        number = self._number()
        self._open[number] = question
        if len(self._open) > MAX_OPEN:
            self._open.popitem(last=False)
        return self._frame(number, question, method, params or {}, QUESTION_EXPIRY_S)

    def order(
        self, question: Question, namespace: str, call: tuple[str, Mapping[str, Any]], ttl_s: int
    ) -> list[Publish]:
        """A command, and with it the question what came of it."""
        result = replace(question, about=About.RESULT)
        part = {"id": call[1]["id"]}
        messages = [
            self.ask(question, f"{namespace}.{call[0]}", call[1]),
            self.ask(result, f"{namespace}.GetStatus", part),
        ]
        return [replace(message, expiry_s=ttl_s) for message in messages]

    def stand(self, question: Question, method: str, params: Mapping[str, Any]) -> Standing:
        """A question that may be sent again and again, until it is released."""
        number = self._number()
        self._standing[number] = question
        message = self._frame(number, question, method, params, QUESTION_EXPIRY_S)
        return Standing(number, message)

    def release(self, standing: Standing) -> None:
        """An answer to `standing` is not wanted any more."""
        self._standing.pop(standing.number, None)

    def close(self, answer: Answer) -> Question | None:
        """The question that `answer` is for, None when it was answered before or never asked.

        The answer to a command decides whether the answer to its result will count.
        """
        question = self._open.pop(answer.number, None)
        if question is None:
            return self._standing.get(answer.number)
        if question.about is About.ORDER:
            result = self._open.pop(answer.number + 1, None)
            if result is not None and answer.error is None:
                self._open[answer.number + 1] = replace(result, executed=True)
        return question

    def peek(self, answer: Answer) -> Question | None:
        """The question that `answer` is for, left open."""
        return self._open.get(answer.number) or self._standing.get(answer.number)

    def _number(self) -> int:
        self._last += 1
        return self._last

    def _frame(
        self,
        number: int,
        question: Question,
        method: str,
        params: Mapping[str, Any],
        expiry_s: int,
    ) -> Publish:
        frame: dict[str, Any] = {"id": number, "src": self._source, "method": method}
        if params:
            frame["params"] = params
        data = json.dumps(frame, separators=(",", ":")).encode()
        # Never retained: a retained command runs again at each reconnect of the device.
        return Publish(f"{question.prefix}/rpc", data, expiry_s=expiry_s)


def _code(error: object) -> int | None:
    if error is None:
        return None
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, int) else 0
