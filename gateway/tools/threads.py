"""Threads for functions that block: a few, and none that can hold up anything else.

The loop's own executor also resolves the broker's name, and the process waits for it at the
end; a function of others that never returns must touch neither.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, ParamSpec, TypeVar

from gateway.errors import ToolError

# A function that hangs keeps its thread for ever: eight of those are a fault to be told.
MAX_THREADS = 8

_P = ParamSpec("_P")
_R = TypeVar("_R")


class DaemonThreads(Executor):
    """One thread a call, which ends with the process; at most `most` at once."""

    def __init__(self, most: int = MAX_THREADS) -> None:
        self._room = threading.Semaphore(most)

    def submit(self, fn: Callable[_P, _R], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_R]:
        """Call `fn` in a thread. Raises ToolError when all threads are taken."""
        if not self._room.acquire(blocking=False):
            raise ToolError("Too many things are being worked on. Try again a little later.")
        result: Future[_R] = Future()
        work = threading.Thread(
            target=self._work, args=(result, fn, args, kwargs), name="tool", daemon=True
        )
        work.start()
        return result

    def _work(
        self,
        result: Future[_R],
        fn: Callable[..., _R],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> None:
        try:
            if result.set_running_or_notify_cancel():
                _settle(result, fn, args, kwargs)
        finally:
            self._room.release()


def _settle(
    result: Future[_R], fn: Callable[..., _R], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    try:
        value = fn(*args, **kwargs)
    except BaseException as error:  # noqa: BLE001 -- the thread's root: who waits gets it
        result.set_exception(error)
    else:
        result.set_result(value)
