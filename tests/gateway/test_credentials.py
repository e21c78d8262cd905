"""Secrets from files and systemd, and configurations shown without them."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr

from gateway.credentials import (
    MASK,
    MAX_SECRET_BYTES,
    fill,
    masked,
    shown_url,
    warn_if_others_can_read,
)
from gateway.errors import ConfigError

pytestmark = pytest.mark.unit


class Service(BaseModel):
    """As a section of a later version may look."""

    api_key: SecretStr = SecretStr("")
    api_key_file: Path | None = None


class House(BaseModel):
    mqtt: Service = Service()
    rest: dict[str, Service] = {}
    more: list[Service] = []


def kept(path: Path, text: str | bytes, mode: int = 0o600) -> Path:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    path.chmod(mode)
    return path


def test_a_secret_comes_from_its_file_else_from_systemd(tmp_path: Path) -> None:
    kept(tmp_path / "mqtt.api_key", "from systemd\n")
    kept(tmp_path / "rest.weather.api_key", "of the weather")
    file = kept(tmp_path / "own", "from the file\n")

    house = House(rest={"weather": Service()})
    fill(house, tmp_path)
    assert house.mqtt.api_key.get_secret_value() == "from systemd"
    assert house.rest["weather"].api_key.get_secret_value() == "of the weather"

    house = House(mqtt=Service(api_key_file=file))
    fill(house, tmp_path)
    assert house.mqtt.api_key.get_secret_value() == "from the file"


def test_what_is_given_stays_and_what_is_nowhere_stays_empty(tmp_path: Path) -> None:
    file = tmp_path / "nowhere"
    house = House(mqtt=Service(api_key=SecretStr("given"), api_key_file=file), more=[Service()])
    fill(house, tmp_path)
    fill(house, None)
    assert house.mqtt.api_key.get_secret_value() == "given"
    assert house.more[0].api_key.get_secret_value() == ""


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"\xff\xfe", "is no text"),
        (b"sk-secret\nsk-secret-2", "one line"),
        (b"sk-secret\x00", "one line"),
        (b"sk-secret" * MAX_SECRET_BYTES, "one line"),
    ],
)
def test_a_file_that_holds_no_secret_is_named_and_not_quoted(
    tmp_path: Path, content: bytes, words: str
) -> None:
    file = kept(tmp_path / "file", content)
    kept(tmp_path / "mqtt.api_key", content)
    with pytest.raises(ConfigError, match=words) as by_file:
        fill(House(mqtt=Service(api_key_file=file)), None)
    with pytest.raises(ConfigError, match=words) as by_systemd:
        fill(House(), tmp_path)
    assert "mqtt.api_key_file" in str(by_file.value)
    assert "systemd credential mqtt.api_key" in str(by_systemd.value)
    assert "sk-secret" not in f"{by_file.value} {by_systemd.value}"


def test_a_folder_in_the_place_of_a_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"mqtt\.api_key_file: cannot read .* \(Is a directory\)"):
        fill(House(mqtt=Service(api_key_file=tmp_path)), None)


def test_a_name_with_a_slash_leads_out_of_no_folder(tmp_path: Path) -> None:
    folder = tmp_path / "credentials"
    (folder / "rest.").mkdir(parents=True)
    kept(tmp_path / "x.api_key", "elsewhere")
    house = House(rest={"/../../x": Service()})
    fill(house, folder)
    assert house.rest["/../../x"].api_key.get_secret_value() == ""


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_secret_that_others_can_read_is_warned_of_once_with_its_cure(
    tmp_path: Path, mode: int, caplog: pytest.LogCaptureFixture
) -> None:
    file = kept(tmp_path / "key", "sk-secret", mode)
    fill(House(mqtt=Service(api_key_file=file)), None)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert f"mqtt.api_key_file holds a secret that others can read: chmod 600 {file}" in caplog.text
    assert "sk-secret" not in caplog.text


def test_a_secret_that_only_its_owner_reads_is_no_news(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    warn_if_others_can_read(kept(tmp_path / "key", "s"), "key")
    warn_if_others_can_read(tmp_path / "nowhere", "nothing")
    assert not caplog.records


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_the_group_of_somebody_elses_file_may_read_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = kept(tmp_path / "key", "s", 0o640)
    os.chown(file, 65534, -1)
    warn_if_others_can_read(file, "key")
    assert not caplog.records
    file.chmod(0o644)
    warn_if_others_can_read(file, "key")
    assert "give it to our user" in caplog.text


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("mqtt://localhost:1883", "mqtt://localhost:1883"),
        ("mqtts://me:sk-1@broker:8883/x", f"mqtts://{MASK}@broker:8883/x"),
        ("mqtt://me:sk/1?2#3@4@broker", f"mqtt://{MASK}@broker"),
        ("wss://service/chat?license=sk-1&voice=a", f"wss://service/chat?{MASK}"),
        ("wss://sk-1@service?sk-1", f"wss://{MASK}@service?{MASK}"),
    ],
)
def test_a_url_is_shown_without_its_secrets(url: str, shown: str) -> None:
    assert shown_url(url) == shown
    assert masked({"url": url, "urls": [url]}) == {"url": shown, "urls": [shown]}


def test_plain_settings_with_the_name_of_a_secret_are_masked_too() -> None:
    plain = {
        "weather": {"token": "sk-1", "api_key": "sk-2", "Password": "sk-3", "pin": 4711},
        "key_file": "/etc/key",
        "pin_devices": ["lock"],
        "token": "",
        "key": {"nested": "plain"},
        "prompt": "What? See https://example.org",
    }
    shown = masked(plain)
    assert shown["weather"] == dict.fromkeys(plain["weather"], MASK)
    assert {key: value for key, value in shown.items() if key != "weather"} == {
        key: value for key, value in plain.items() if key != "weather"
    }


@given(st.text(min_size=4, alphabet="abcSECRET0123?#/@:&=% "), st.sampled_from(["u:", ""]))
def test_no_password_in_a_url_survives(password: str, user: str) -> None:
    assert shown_url(f"mqtt://{user}{password}@h") == f"mqtt://{MASK}@h"
