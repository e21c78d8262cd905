"""One command on its way: where it stands, and who waits for it to change.

A flight never sends and never decides; the dispatcher moves it through the state table.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from devices.contract.command import Ack, Evidence, new_command_id
from devices.contract.verbs import (
    VERBS,
    contradicts,
    expected_state,
    replaced_attributes,
    written_attributes,
)
from devices.ecosystems.base import Proof
from gateway.dispatch import lifecycle
from gateway.dispatch.lifecycle import Event, State
from gateway.dispatch.order import Order, Result
from gateway.dispatch.witness import Witness

# Two cups of coffee: the device's own word ends it, this is the longest that we listen for it.
OWN_COMMAND_COMPLETES_S = 120.0
# A device that sleeps wakes when it likes; of what is older nobody wants to hear.
WAKES_WITHIN_S = 600.0
# Written by every command of a device that gets one at a time.
_WHOLE_DEVICE = frozenset({"*"})


class Flight:
    """A command from its creation until nothing can change it any more.

    `deliver_by` is when it must have reached the device (loop seconds); a flight that is
    `repeatable` may be sent again under the same id until then. `answered` is True once the
    caller has its result: what comes later goes to `late`. `alone`: no other command of the
    device may be in flight. `proof` is what will show it done, `witness` collects it. `asked`:
    it was sent in an earlier life of ours, and what is said of it is a memory.
    """

    __slots__ = (
        "_waiter",
        "ack",
        "answered",
        "asked",
        "attempts",
        "deliver_by",
        "id",
        "late",
        "order",
        "proof",
        "repeatable",
        "replaces",
        "state",
        "supersedable",
        "witness",
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
        alone: bool = False,
    ) -> None:
        self.order = order
        self.id = new_command_id()
        self.state = State.CREATED
        self.deliver_by = deliver_by
        self.repeatable = repeatable
        # Two cups of coffee are two wishes; two brightnesses are one wish, changed.
        self.supersedable = idempotent
        whole = _WHOLE_DEVICE if alone else frozenset()
        self.writes = written_attributes(order.command, order.args) | whole
        self.replaces = replaced_attributes(order.command, order.args) | whole
        self.late = late
        self.proof = Proof()
        self.witness: Witness | None = None
        self.ack: Ack | None = None
        self.attempts = 0
        self.answered = False
        self.asked = False
        self._waiter: asyncio.Future[None] | None = None

    @property
    def heard(self) -> bool:
        """Whether the device said anything, or nothing can change any more."""
        return self.state not in (State.CREATED, State.SENT)

    @property
    def completes_within_s(self) -> float:
        """How long it may take from when the device has it until it ends."""
        if self.proof.sleepy:
            return WAKES_WITHIN_S
        verb = VERBS.get(self.order.command)
        return verb.completes_within_s if verb else OWN_COMMAND_COMPLETES_S

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
        return Result(
            state=self.state,
            command_id=self.id,
            device_state=ack.state if ack else {},
            error=ack.error if ack else None,
            evidence=self._evidence(),
            attempts=self.attempts,
            contradiction=self._contradiction(),
        )

    def _evidence(self) -> Evidence | None:
        if self.ack is None:
            return Evidence.PUBLISHED if self.attempts else None
        # Of a device that names no command, only its reports prove anything.
        witnessed = self.witness is not None and self.state is State.SUCCEEDED
        return self.witness.evidence if self.witness and witnessed else self.ack.evidence

    def _contradiction(self) -> str:
        """The key that the device reports otherwise than asked; "" when none."""
        if self.state is State.SUCCEEDED and self.ack is not None:
            # A device with four speeds shows 50 % when asked for 30; its ecosystem knows.
            expected = self.proof.state or expected_state(self.order.command, self.order.args)
            return contradicts(self.ack.state, expected) or ""
        failed = self.state is State.FAILED and self.witness is not None
        return self.witness.contradiction if self.witness and failed else ""
