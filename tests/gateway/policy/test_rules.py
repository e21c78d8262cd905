from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.contract.capability import Risk
from gateway.policy.hours import Hours
from gateway.policy.rules import Act, Decision, PolicySettings, Rule, decide

pytestmark = pytest.mark.unit

ALLOW, ASK, DENY = Decision
NIGHT = datetime(2026, 1, 1, 23)  # noqa: DTZ001 -- local time, wherever that is
NOON = datetime(2026, 1, 1, 12)  # noqa: DTZ001 -- as above
QUIET = Hours(22 * 60, 7 * 60)

VACUUM = Act("vacuum", device_id="robot", name="Robot", area="Bedroom")
UNLOCK = Act("unlock", Risk.GUARDED, "front-door", "Front door", "Hall")
VAULT = Act("unlock", Risk.FORBIDDEN, "vault", "Vault", "Cellar")
STOP = Act("stop", device_id="robot", name="Robot", area="Bedroom", makes_safe=True)
READ = Act("get_state", device_id="robot", name="Robot", area="Bedroom", reads=True)
PYTHON = Act("send_mail")


def lamps(count: int, risk: Risk = Risk.NORMAL) -> list[Act]:
    return [Act("turn_on", risk, f"lamp-{n}", f"Lamp {n}", "Hall") for n in range(count)]


def ruled(
    *rules: Rule, acts: Sequence[Act], now: datetime = NOON, agreed: bool = False
) -> Decision:
    return decide(acts, PolicySettings(rules=rules), now, agreed=agreed).decision


# --- without rules ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("risk", "devices", "agreed", "expected"),
    [
        (Risk.NORMAL, 1, False, ALLOW),
        (Risk.NORMAL, 8, False, ALLOW),
        (Risk.NORMAL, 9, False, ASK),
        (Risk.NORMAL, 9, True, ALLOW),
        (Risk.GUARDED, 1, False, ASK),
        (Risk.GUARDED, 1, True, ALLOW),
        (Risk.FORBIDDEN, 1, False, DENY),
        (Risk.FORBIDDEN, 1, True, DENY),
    ],
)
def test_the_defaults(risk: Risk, devices: int, agreed: bool, expected: Decision) -> None:
    verdict = decide(lamps(devices, risk), PolicySettings(), NOON, agreed=agreed)
    assert verdict.decision == expected


def test_the_house_may_choose_otherwise() -> None:
    strict = PolicySettings(guarded=DENY, forbidden=ASK, ask_above_devices=1)
    assert decide([UNLOCK], strict, NOON, agreed=True).decision == DENY
    assert decide([VAULT], strict, NOON, agreed=False).decision == ASK
    assert decide(lamps(2), strict, NOON, agreed=False).decision == ASK


def test_neither_stopping_nor_reading_is_asked_about_however_much_it_is() -> None:
    strict = PolicySettings(forbidden=ASK, ask_above_devices=1)
    forbidden = Act("lock", Risk.FORBIDDEN, "vault", makes_safe=True)
    assert decide([STOP, STOP, forbidden], strict, NOON, agreed=False).decision == ALLOW
    assert decide([READ] * 3, strict, NOON, agreed=False).decision == ALLOW


# --- what a rule covers -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "covered"),
    [
        (Rule(DENY), True),
        (Rule(DENY, tools=frozenset({"vacuum"})), True),
        (Rule(DENY, tools=frozenset({"press"})), False),
        (Rule(DENY, devices=frozenset({"robot", "gone"})), True),
        (Rule(DENY, devices=frozenset({"gone"})), False),
        (Rule(DENY, areas=frozenset({"bedroom"})), True),
        (Rule(DENY, areas=frozenset({"kitchen"})), False),
        (Rule(DENY, hours=QUIET), True),
        (Rule(DENY, hours=Hours(8 * 60, 9 * 60)), False),
        (Rule(DENY, frozenset({"vacuum"}), areas=frozenset({"bedroom"}), hours=QUIET), True),
        (Rule(DENY, frozenset({"vacuum"}), areas=frozenset({"kitchen"}), hours=QUIET), False),
    ],
)
def test_all_conditions_that_are_given_must_hold(rule: Rule, covered: bool) -> None:
    assert (ruled(rule, acts=[VACUUM], now=NIGHT) == DENY) is covered


def test_the_first_rule_that_covers_decides() -> None:
    first = Rule(ALLOW, tools=frozenset({"unlock"}))
    assert ruled(first, Rule(DENY), acts=[UNLOCK]) == ALLOW
    assert ruled(Rule(DENY), first, acts=[UNLOCK]) == DENY
    assert ruled(first, Rule(DENY), acts=[VACUUM]) == DENY


def test_a_device_of_no_area_is_in_none() -> None:
    nowhere = Act("vacuum", device_id="robot")
    assert ruled(Rule(DENY, areas=frozenset({"bedroom"})), acts=[nowhere]) == ALLOW


def test_only_a_rule_that_names_the_tool_holds_back_a_reading() -> None:
    assert ruled(Rule(DENY), acts=[READ]) == ALLOW
    assert ruled(Rule(DENY, areas=frozenset({"bedroom"})), acts=[READ]) == ALLOW
    assert ruled(Rule(DENY, tools=frozenset({"get_state"})), acts=[READ]) == DENY


def test_a_function_without_a_device_is_covered_by_its_name_and_by_blanket_rules() -> None:
    assert ruled(Rule(DENY, tools=frozenset({"send_mail"})), acts=[PYTHON]) == DENY
    assert ruled(Rule(DENY, hours=QUIET), acts=[PYTHON], now=NIGHT) == DENY
    assert ruled(Rule(DENY, devices=frozenset({"robot"})), acts=[PYTHON]) == ALLOW


# --- what a rule cannot do ----------------------------------------------------------------------


def test_what_makes_safe_is_not_asked_about_but_can_be_denied() -> None:
    assert ruled(Rule(ASK), acts=[STOP]) == ALLOW
    assert ruled(Rule(DENY), acts=[STOP]) == DENY


@pytest.mark.parametrize("then", [ALLOW, ASK])
def test_a_ban_is_lifted_only_by_the_devices_name(then: Decision) -> None:
    assert ruled(Rule(then), acts=[VAULT]) == DENY
    assert ruled(Rule(then, areas=frozenset({"cellar"})), acts=[VAULT]) == DENY
    assert ruled(Rule(then, tools=frozenset({"unlock"})), acts=[VAULT]) == DENY
    assert ruled(Rule(then, devices=frozenset({"vault"})), acts=[VAULT]) == then


def test_a_forbidden_function_is_named_by_its_tool() -> None:
    forbidden = Act("wipe_disk", Risk.FORBIDDEN)
    assert ruled(Rule(ALLOW), acts=[forbidden]) == DENY
    assert ruled(Rule(ALLOW, tools=frozenset({"wipe_disk"})), acts=[forbidden]) == ALLOW


def test_what_is_allowed_is_still_asked_about_when_it_is_too_much() -> None:
    assert ruled(Rule(ALLOW), acts=lamps(9)) == ASK


# --- groups, words and the PIN ------------------------------------------------------------------


def test_the_strictest_decision_holds_for_a_group_and_names_its_device() -> None:
    rules = [
        Rule(DENY, devices=frozenset({"lamp-2"}), because="The baby sleeps."),
        Rule(ASK, devices=frozenset({"lamp-1"})),
    ]
    settings = PolicySettings(rules=rules)
    denied = decide(lamps(3), settings, NOON, agreed=True)
    assert (denied.decision, denied.reason) == (DENY, "Lamp 2: The baby sleeps.")
    asked = decide(lamps(2), settings, NOON, agreed=False)
    assert (asked.decision, asked.reason) == (ASK, "Lamp 1: That needs a clear yes first.")


def test_the_reason_is_spoken() -> None:
    quiet = PolicySettings(rules=[Rule(DENY, hours=QUIET, because="People sleep there.")])
    assert decide([VACUUM], quiet, NIGHT, agreed=False).reason == "People sleep there."
    plain = decide([VAULT], PolicySettings(), NOON, agreed=False).reason
    assert plain == "The rules of this house do not allow that: it is forbidden."


def test_a_device_of_the_pin_wants_it_whatever_allows_it() -> None:
    settings = PolicySettings(rules=[Rule(ALLOW)], pin_devices=frozenset({"front-door"}))
    verdict = decide([UNLOCK], settings, NOON, agreed=False)
    assert (verdict.decision, verdict.pin) == (ASK, True)
    assert "PIN" in verdict.reason
    assert decide([UNLOCK], settings, NOON, agreed=True).decision == ALLOW
    assert not decide([VACUUM], settings, NOON, agreed=False).pin


def test_neither_locking_nor_reading_wants_the_pin() -> None:
    settings = PolicySettings(pin_devices=frozenset({"robot"}))
    assert decide([STOP], settings, NOON, agreed=False).decision == ALLOW
    assert decide([READ], settings, NOON, agreed=False).decision == ALLOW


# --- whatever the rules -------------------------------------------------------------------------

decisions = st.sampled_from(Decision)
words = st.frozensets(st.sampled_from(["vacuum", "unlock", "robot", "vault", "hall"]), max_size=2)
rules = st.builds(
    Rule, decisions, words, words, words, st.none() | st.just(QUIET), st.sampled_from(["", "So."])
)
acts = st.lists(
    st.builds(
        Act,
        tool=st.sampled_from(["vacuum", "unlock"]),
        risk=st.sampled_from(Risk),
        device_id=st.sampled_from(["", "robot", "vault"]),
        name=st.just("Thing"),
        area=st.sampled_from(["", "Hall"]),
        makes_safe=st.booleans(),
        reads=st.booleans(),
    ),
    max_size=4,
)
houses = st.builds(
    PolicySettings, decisions, decisions, st.integers(1, 3), st.lists(rules, max_size=4), words
)
moments = st.sampled_from([NIGHT, NOON])


@given(acts, houses, moments)
def test_a_yes_lifts_no_ban_and_a_reason_is_given_unless_allowed(
    wanted: list[Act], house: PolicySettings, now: datetime
) -> None:
    asked = decide(wanted, house, now, agreed=False)
    agreed = decide(wanted, house, now, agreed=True)
    assert bool(asked.reason) == (asked.decision != ALLOW)
    assert agreed.decision != ASK
    assert (asked.decision == DENY) == (agreed.decision == DENY)
    assert not asked.pin or asked.decision == ASK


@given(acts, acts, houses, moments)
def test_more_acts_are_never_decided_more_mildly(
    some: list[Act], more: list[Act], house: PolicySettings, now: datetime
) -> None:
    order = list(Decision)
    few = decide(some, house, now, agreed=False).decision
    many = decide([*some, *more], house, now, agreed=False).decision
    assert order.index(few) <= order.index(many)


@given(acts, houses, moments)
def test_what_makes_safe_is_never_held(
    wanted: list[Act], house: PolicySettings, now: datetime
) -> None:
    safe = [act for act in wanted if act.makes_safe]
    assert decide(safe, house, now, agreed=False).decision != ASK
