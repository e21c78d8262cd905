"""The judge. Pure: what was asked, told, done and written down go in, a verdict comes out.

| word | meaning |
|---|---|
| answer lost | a call with no result in its session and no note in this or a later one |
| never read | such a call of which the gateway has no record and no device did anything: it was on its way when the session or the process died |
| double actuation | one command id twice in a device's log, or two ids for one call and its repeat |
| false confirmed | the model was told "confirmed", and the device had not done it by then |
| false refusal | the model was told that it was not done, and the device did it |
| unknown | the last word about a call is that nobody knows |
| unresolved | a command of a process that was killed, of which the journal has no end |
"""  # noqa: E501 -- a table

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tests.faults.journal import FINAL, CallRow, CommandRow, JournalRows
from tests.faults.records import Actuation, Asked, Note

_NOT_DONE = frozenset({"expired", "offline", "superseded", "rejected", "denied", "invalid"})
_UNKNOWN = frozenset({"timed_out", "unknown", "pending", "unconfirmed", None})
# The house and the driver read one clock; this is for rounding only.
_ROUNDING_S = 0.001


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that is known about a run. `strange` are results that belong to no call."""

    asked: Sequence[Asked]
    notes: Sequence[Note]
    actuations: Sequence[Actuation]
    journal: JournalRows
    strange: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """Counts, and a sentence for each broken promise. `statuses` counts the last words."""

    calls: int
    statuses: Mapping[str, int]
    told_by_note: int
    never_read: int
    lost: int
    doubles: int
    false_confirmed: int
    false_refusals: int
    unknown: int
    unresolved: int
    violations: Sequence[str]


def audit(evidence: Evidence) -> Verdict:
    """Hold everything against everything."""
    return _Audit(evidence).verdict()


@dataclass(slots=True)
class _Case:
    """One call: what the gateway wrote down and what the device did for it."""

    asked: Asked
    row: CallRow | None
    commands: list[CommandRow]
    acts: list[Actuation]
    note: Note | None = None

    @property
    def answer(self) -> str | None:
        """The status that was told in the session, None when nothing was."""
        return self.asked.answers[0].status if self.asked.answers else None

    @property
    def last_word(self) -> str | None:
        """The status of the last thing that became known."""
        recorded = self.row and (self.row.later_status or self.row.status)
        return recorded or self.answer

    def __str__(self) -> str:
        ask = self.asked.ask
        return f"{self.asked.call_id} ({ask.tool} {ask.place.device_id})"


@dataclass(slots=True)
class _Audit:
    evidence: Evidence
    violations: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def verdict(self) -> Verdict:
        cases = list(self._cases())
        _give_notes(cases, self.evidence.notes)
        never_read = sum(self._check_answered(case) for case in cases)
        self._check_ids()
        for case in cases:
            self._check_truth(case)
        self._check_records()
        found = self.violations
        statuses = Counter(case.last_word or "nothing" for case in cases)
        return Verdict(
            calls=len(cases),
            statuses=dict(statuses.most_common()),
            told_by_note=sum(case.answer is None and case.note is not None for case in cases),
            never_read=never_read,
            lost=len(found["lost"]),
            doubles=len(found["double"]),
            false_confirmed=len(found["confirmed"]),
            false_refusals=len(found["refused"]),
            unknown=sum(case.last_word in _UNKNOWN for case in cases) - never_read,
            unresolved=len(found["unresolved"]),
            violations=[f"{kind}: {text}" for kind, texts in found.items() for text in texts],
        )

    def _cases(self) -> Iterator[_Case]:
        rows = {row.call_id: row for row in self.evidence.journal.calls}
        commands: defaultdict[str, list[CommandRow]] = defaultdict(list)
        for command in self.evidence.journal.commands:
            commands[command.call_id].append(command)
        acts: defaultdict[str, list[Actuation]] = defaultdict(list)
        for act in self.evidence.actuations:
            acts[act.id].append(act)
        for asked in self.evidence.asked:
            own = commands[asked.call_id] + commands[asked.repeats]
            done = [act for command in own for act in acts[command.id]]
            yield _Case(asked, rows.get(asked.call_id), own, done)

    def _check_answered(self, case: _Case) -> bool:
        """Note down what is wrong with the answers; True for a call that was never read."""
        if len(case.asked.answers) > 1:
            self.violations["answered twice"].append(str(case))
        if case.asked.answers or case.note:
            return False
        if case.row is None and not case.commands:
            return True
        self.violations["lost"].append(f"{case}: the journal says {case.last_word}")
        return False

    def _check_ids(self) -> None:
        """No id acts twice, and each was on record before it acted."""
        known = {command.id for command in self.evidence.journal.commands}
        for (device, command_id), times in _count(self.evidence.actuations).items():
            if times > 1:
                self.violations["double"].append(f"{device} did {command_id} {times} times")
            if command_id not in known:
                self.violations["not on record"].append(f"{device} did {command_id}")

    def _check_truth(self, case: _Case) -> None:
        ids = {act.id for act in case.acts}
        if len(ids) > 1:
            self.violations["double"].append(f"{case}: {len(ids)} commands were carried out")
        for at, status in _told(case):
            before = [act for act in case.acts if act.at <= at + _ROUNDING_S and _fits(case, act)]
            if status == "confirmed" and not before:
                self.violations["confirmed"].append(str(case))
            if status in _NOT_DONE and case.acts:
                self.violations["refused"].append(f"{case}: told {status}")
        recorded = case.row.status if case.row else None
        if case.answer and recorded and case.answer != recorded:
            self.violations["journal differs"].append(f"{case}: {case.answer}, not {recorded}")

    def _check_records(self) -> None:
        """What a killed process left open has an end, and what was refused was not done."""
        last_run = self.evidence.journal.last_run
        acted = {act.id for act in self.evidence.actuations}
        for command in self.evidence.journal.commands:
            if command.run < last_run and command.state not in FINAL:
                text = f"{command.id} of {command.call_id} is still {command.state}"
                self.violations["unresolved"].append(text)
        rows = self.evidence.journal.commands
        for command in (c for c in rows if c.state in {"expired", "superseded", "rejected"}):
            if command.id in acted:
                text = f"{command.id} is {command.state} in the journal, and was done"
                self.violations["journal wrong"].append(text)
        for text in self.evidence.strange:
            self.violations["strange"].append(text)


def _told(case: _Case) -> Iterator[tuple[float, str | None]]:
    """When which status was told: in the session, and what became known later."""
    for answer in case.asked.answers:
        yield answer.at, answer.status
    if case.row is not None and case.row.later_status:
        yield float("inf"), case.row.later_status
    if case.note is not None and case.row is not None and not case.row.later_status:
        yield case.note.at, case.row.status


def _fits(case: _Case, act: Actuation) -> bool:
    """Whether the device did what was asked, and nothing else."""
    ask = case.asked.ask
    return (act.device, act.command, act.args) == (ask.place.device_id, ask.tool, ask.args)


def _count(actuations: Sequence[Actuation]) -> Counter[tuple[str, str]]:
    return Counter((act.device, act.id) for act in actuations)


def _give_notes(cases: Sequence[_Case], notes: Sequence[Note]) -> None:
    """Give each note to the oldest call without a result that it tells of."""
    open_cases: defaultdict[str, list[_Case]] = defaultdict(list)
    for case in cases:
        if case.answer is None:
            open_cases[case.asked.ask.tool].append(case)
    for note in notes:
        for tool in (tool for tool in open_cases if tool in note.text):
            case = next((case for case in open_cases[tool] if _tells_of(note, case)), None)
            if case is not None:
                case.note = note
                open_cases[tool].remove(case)
                break


def _tells_of(note: Note, case: _Case) -> bool:
    """Whether it is in the journal's own words or, where that has none, names the device.

    Of a call that was never read nobody can tell.
    """
    if note.at < case.asked.at or (case.row is None and not case.commands):
        return False
    if case.row is not None and case.row.messages:
        return any(
            message in note.text and known_at <= note.at + _ROUNDING_S
            for message, known_at in case.row.messages
        )
    return case.asked.ask.place.name in note.text
