from __future__ import annotations

from random import Random

import pytest

from tests.faults.mischief import Dealer, Dealt, Odds

pytestmark = pytest.mark.unit


def junk(_: bytes) -> bytes:
    return b"junk"


@pytest.mark.parametrize(
    ("odds", "dealt"),
    [
        (Odds(), [Dealt(0, b"x")]),
        (Odds(drop=1), []),
        (Odds(duplicate=1), [Dealt(0, b"x"), Dealt(0, b"x")]),
        (Odds(garble=1), [Dealt(0, b"junk")]),
        (Odds(delay=1, delay_s=0.7), [Dealt(0.7, b"x")]),
    ],
)
def test_each_fault_does_what_it_says(odds: Odds, dealt: list[Dealt]) -> None:
    assert Dealer(odds, Random(1)).deal(b"x", junk) == dealt


def test_a_reordered_message_comes_a_little_later() -> None:
    (dealt,) = Dealer(Odds(reorder=1), Random(1)).deal(b"x", junk)
    assert 0 < dealt.after_s < 0.1


def test_faults_come_as_often_as_their_odds_say_and_the_same_for_a_seed() -> None:
    odds = Odds(drop=0.05, duplicate=0.02, garble=0.01)
    dealers = [Dealer(odds, Random(7)) for _ in range(2)]
    for dealer in dealers:
        for _ in range(20_000):
            dealer.deal(b"x", junk)
    first, second = (dealer.counts for dealer in dealers)
    assert first == second
    assert 900 < first["drop"] < 1100
    assert 340 < first["duplicate"] < 460
    assert 150 < first["garble"] < 250
