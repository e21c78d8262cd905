"""Test doubles for whoever writes tools or tests the gateway: time, and a carrier of commands.

They hold real state and decide by plain rules. Nothing here belongs in a running gateway.
"""

from __future__ import annotations

import asyncio
import selectors
from collections import deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import Executor
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from devices.contract.command import Evidence, Scalar, new_command_id
from devices.contract.verbs import expected_state
from gateway.dispatch.lifecycle import State
from gateway.dispatch.order import Order, Result

_T = TypeVar("_T")

_DAY_ONE = datetime(2026, 1, 1, tzinfo=UTC)

# How long, in real time, work in threads may take before virtual time goes on without it.
THREAD_GRACE_S = 0.25
# How long a thread that the loop does not know may take to wake it, when no timer runs.
_FOREIGN_GRACE_S = 0.5


class ManualClock:
    """A clock that stands still until `advance` moves it.

    With a `loop`, both times follow that loop's time instead (best a VirtualTimeLoop), so
    that ages and deadlines agree with what `asyncio.sleep` waits for.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop | None = None,
        *,
        start_s: float = 0.0,
        wall: datetime = _DAY_ONE,
    ) -> None:
        self._loop = loop
        self._now_s = start_s
        self._start_s = start_s if loop is None else loop.time()
        self._wall = wall

    def monotonic(self) -> float:
        """Seconds; the loop's time when there is a loop."""
        return self._now_s if self._loop is None else self._loop.time()

    def wall(self) -> datetime:
        """The time of day: `wall` plus what has passed since."""
        return self._wall + timedelta(seconds=self.monotonic() - self._start_s)

    def advance(self, seconds: float) -> None:
        """Let time pass. Raises RuntimeError on a loop's clock: sleep on that loop instead."""
        if self._loop is not None:
            raise RuntimeError("this clock follows its loop: await asyncio.sleep() instead")
        self._now_s += seconds


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop whose time jumps to the next timer as soon as nothing is ready to run.

    An hour of `asyncio.sleep` takes no time, and the order of events is the true one. Work
    in threads (`asyncio.to_thread`) gets THREAD_GRACE_S of real time before the jump. When
    nothing is ready, no timer runs and no thread works, the loop raises RuntimeError, since
    the program would wait for ever. Not for real sockets or processes.
    """

    def __init__(self) -> None:
        self._virtual_s = 0.0
        self._threads: set[asyncio.Future[Any]] = set()
        super().__init__(_JumpingSelector(self))

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._virtual_s

    def run_in_executor(
        self, executor: Executor | None, func: Callable[..., _T], *args: object
    ) -> asyncio.Future[_T]:
        """As always; time stands still while `func` works."""
        future = super().run_in_executor(executor, func, *args)
        self._threads.add(future)
        future.add_done_callback(self._threads.discard)
        return future

    async def shutdown_default_executor(
        self,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109 -- as Python 3.12 and later have it
    ) -> None:
        """Wait for the threads as long as they take: a limit would be over at once."""
        await super().shutdown_default_executor()

    def patience_s(self, timeout_s: float | None) -> float:
        """How long to wait in real time when the next timer is due in `timeout_s`."""
        if timeout_s is None:
            return _FOREIGN_GRACE_S
        return THREAD_GRACE_S if self._threads and timeout_s > 0 else 0.0

    def jump(self, timeout_s: float | None) -> None:
        """Nothing became ready in real time: go on to the next timer."""
        if timeout_s is not None:
            self._virtual_s += timeout_s
        elif not self._threads:
            raise RuntimeError("everything waits, and nothing is left that could happen")


def run_virtual(main: Coroutine[Any, Any, _T]) -> _T:
    """Run `main` to its end in virtual time and return what it returns."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)


Answer = Result | Callable[[Order], Result]
"""What a command comes to: a fixed result, or a function of the order."""


class ScriptedCarrier:
    """A Carrier without broker or devices: it answers from a script and remembers state.

    `script` maps a device id, a command name or a pair of both to one answer or to several,
    which are given in turn, the last one for ever; the pair is looked up first, then the
    device. Without an entry a command succeeds, and the device's `state` becomes what the
    command asks for. `orders` is what was carried out, oldest first.
    """

    def __init__(
        self,
        script: Mapping[str | tuple[str, str], Answer | Sequence[Answer]] | None = None,
    ) -> None:
        self._script = {key: _in_turn(answers) for key, answers in (script or {}).items()}
        self._late: dict[str, Callable[[Result], None]] = {}
        self.orders: list[Order] = []
        self.state: dict[str, dict[str, Scalar]] = {}

    async def carry_out(self, order: Order, late: Callable[[Result], None]) -> Result:
        """The scripted answer, at once."""
        self.orders.append(order)
        self._late[order.device_id] = late
        await asyncio.sleep(0)
        for key in ((order.device_id, order.command), order.device_id, order.command):
            if (answers := self._script.get(key)) is not None:
                answer = answers.popleft() if len(answers) > 1 else answers[0]
                return answer(order) if callable(answer) else answer
        return self.obey(order)

    def obey(self, order: Order) -> Result:
        """Do what `order` asks and succeed."""
        state = self.state.setdefault(order.device_id, {})
        state.update(expected_state(order.command, order.args))
        return Result(
            State.SUCCEEDED,
            command_id=new_command_id(),
            device_state=dict(state),
            evidence=Evidence.REPORTED,
            attempts=1,
        )

    def later(self, device_id: str, result: Result) -> None:
        """What became of the device's last order after it was answered."""
        self._late[device_id](result)


class _JumpingSelector(selectors.DefaultSelector):
    """A selector that lets its loop's time jump instead of waiting for it to pass."""

    def __init__(self, loop: VirtualTimeLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready now; when nothing is, the loop's time jumps by `timeout`."""
        ready = super().select(self._loop.patience_s(timeout))
        if not ready:
            self._loop.jump(timeout)
        return ready


def _in_turn(answers: Answer | Sequence[Answer]) -> deque[Answer]:
    return deque(answers) if isinstance(answers, Sequence) else deque([answers])
