from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.contract.capability import Risk
from gateway.policy.rules import Decision, PolicySettings, decide

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("risk", "devices", "confirmed", "expected"),
    [
        (Risk.NORMAL, 1, False, Decision.ALLOW),
        (Risk.NORMAL, 8, False, Decision.ALLOW),
        (Risk.NORMAL, 9, False, Decision.ASK),
        (Risk.NORMAL, 9, True, Decision.ALLOW),
        (Risk.GUARDED, 1, False, Decision.ASK),
        (Risk.GUARDED, 1, True, Decision.ALLOW),
        (Risk.FORBIDDEN, 1, False, Decision.DENY),
        (Risk.FORBIDDEN, 1, True, Decision.DENY),
    ],
)
def test_the_defaults(risk: Risk, devices: int, confirmed: bool, expected: Decision) -> None:
    assert decide(risk, devices, PolicySettings(), confirmed=confirmed).decision == expected


def test_the_house_may_choose_otherwise() -> None:
    strict = PolicySettings(guarded=Decision.DENY, forbidden=Decision.ASK, ask_above_devices=1)
    assert decide(Risk.GUARDED, 1, strict, confirmed=True).decision == Decision.DENY
    assert decide(Risk.FORBIDDEN, 1, strict, confirmed=False).decision == Decision.ASK
    assert decide(Risk.NORMAL, 2, strict, confirmed=False).decision == Decision.ASK


@given(
    st.sampled_from(Risk),
    st.integers(0, 100),
    st.booleans(),
    st.sampled_from(Decision),
    st.sampled_from(Decision),
)
def test_a_reason_is_given_unless_allowed_and_a_yes_lifts_no_ban(
    risk: Risk, devices: int, confirmed: bool, guarded: Decision, forbidden: Decision
) -> None:
    settings = PolicySettings(guarded=guarded, forbidden=forbidden)
    verdict = decide(risk, devices, settings, confirmed=confirmed)
    assert bool(verdict.reason) == (verdict.decision != Decision.ALLOW)
    if confirmed:
        assert verdict.decision != Decision.ASK
    asked = decide(risk, devices, settings, confirmed=False)
    assert (asked.decision == Decision.DENY) == (verdict.decision == Decision.DENY)
