"""What every tool is, whether a device, a Python function or a backend is behind it.

A tool plans before it acts: `plan` only reads and may refuse; `Plan.run` acts, after policy
has had its say.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from devices.contract.capability import Parameter
from gateway.outcome import Outcome
from gateway.policy.rules import Act


@dataclass(frozen=True, slots=True)
class Context:
    """What a running tool knows of its call.

    `late` takes what becomes of it after it was answered (`pending`, `timed_out`): the
    session tells the model as a note.
    """

    call_id: str
    late: Callable[[Outcome], None]
    epoch: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """What a call would do, before it does it.

    `summary` is a phrase that fits after "Shall I" ("unlock Front door"). `acts` is what
    policy decides on; () when the tool's name says it all. `idempotent`: doing it twice
    equals doing it once. `agreed`: the user has said yes to exactly this plan.
    """

    summary: str
    run: Callable[[Context], Awaitable[Outcome]]
    acts: tuple[Act, ...] = ()
    idempotent: bool = False
    agreed: bool = False

    @property
    def makes_safe(self) -> bool:
        """Whether it only stops or locks: it is never slowed down."""
        return bool(self.acts) and all(act.makes_safe for act in self.acts)


class Tool(Protocol):
    """One function tool."""

    @property
    def name(self) -> str:
        """Its name, `^[a-zA-Z0-9_-]{1,64}$`."""

    @property
    def description(self) -> str:
        """One or two sentences for the model."""

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Its arguments. `arguments.check` refuses what does not fit before `plan` is asked."""

    def plan(self, arguments: Mapping[str, Any]) -> Plan | Outcome:
        """What the call would do, or the outcome that refuses it. Touches nothing."""
