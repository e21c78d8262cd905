"""The demo's own promise: it prints the story of each sentence and says whether all went well."""

from __future__ import annotations

import io
import json

import pytest

from gateway.demo import demo

pytestmark = pytest.mark.flow


async def test_every_outcome_ok_is_a_success_and_each_line_is_json(
    capsys: pytest.CaptureFixture[str],
) -> None:
    sentences = ["turn on the kitchen light", "close the bedroom blind"]
    assert await demo(sentences, as_json=True)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    said = [line["text"] for line in lines if line["event"] == "said"]
    assert said == sentences
    assert {"call", "command", "acknowledgement", "outcome", "reply"} <= {
        line["event"] for line in lines
    }


async def test_one_sentence_that_fails_fails_all_and_the_others_are_still_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert not await demo(["turn on the moon", "turn on the hall light"], as_json=False)
    told = capsys.readouterr().out
    assert "unknown_target" in told
    assert "“Hall light is on.”" in told


async def test_typed_sentences_end_at_exit(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("lock the front door\n\nEXIT\nturn on x\n"))
    assert await demo([], as_json=False)
    told = capsys.readouterr().out
    assert "`exit` ends it." in told
    assert "> lock the front door" in told
    assert "turn on x" not in told
