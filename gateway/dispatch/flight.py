"""One command on its way: where it stands, and who waits for it to change.

A flight never sends and never decides; the dispatcher moves it through the state table.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from devices.contract.command import Ack, Evidence, Scalar, new_command_id
from devices.contract.verbs import (
    contradicts,
    expected_state,
    replaced_attributes,
    written_attributes,
)
from gateway.dispatch import lifecycle
from gateway.dispatch.lifecycle import Event, State
from gateway.dispatch.order import Order, Result


class Flight:
    """A command from its creation until nothing can change it any more.

    `deliver_by` is when it must have reached the device (loop seconds); a flight that is
    `repeatable` may be sent again under the same id until then. `answered` is True once the
    caller has its result: what comes later goes to `late`.
    """

    __slots__ = (
        "_waiter",
        "ack",
        "answered",
        "attempts",
        "deliver_by",
        "id",
        "late",
        "order",
        "repeatable",
        "replaces",
        "state",
        "supersedable",
        "writes",
    )

    def __init__(
        self,
        order: Order,
        *,
        deliver_by: float,
        idempotent: bool,
        repeatable: bool,
        late: Callable[[Result], None],
    ) -> None:
        self.order = order
        self.id = new_command_id()
        self.state = State.CREATED
        self.deliver_by = deliver_by
        self.repeatable = repeatable
        # Two cups of coffee are two wishes; two brightnesses are one wish, changed.
        self.supersedable = idempotent
        self.writes = written_attributes(order.command, order.args)
        self.replaces = replaced_attributes(order.command, order.args)
        self.late = late
        self.ack: Ack | None = None
        self.attempts = 0
        self.answered = False
        self._waiter: asyncio.Future[None] | None = None

    @property
    def heard(self) -> bool:
        """Whether the device said anything, or nothing can change any more."""
        return self.state not in (State.CREATED, State.SENT)

    def step(self, event: Event) -> None:
        """Move through the state table and wake who waits. Raises LifecycleError."""
        self.state = lifecycle.step(self.state, event)
        self.wake()

    def wake(self) -> None:
        """Make `listen` return now."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def listen(self, until: float) -> None:
        """Return at the next step or `wake`, or at loop time `until`."""
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        timer = loop.call_at(until, self.wake)
        try:
            await self._waiter
        finally:
            timer.cancel()
            self._waiter = None

    def result(self) -> Result:
        """Where the command stands now."""
        ack = self.ack
        state: Mapping[str, Scalar] = ack.state if ack else {}
        wrong = ""
        if self.state is State.SUCCEEDED:
            expected = expected_state(self.order.command, self.order.args)
            wrong = contradicts(state, expected) or ""
        return Result(
            state=self.state,
            command_id=self.id,
            device_state=state,
            error=ack.error if ack else None,
            evidence=ack.evidence if ack else Evidence.PUBLISHED if self.attempts else None,
            attempts=self.attempts,
            contradiction=wrong,
        )
