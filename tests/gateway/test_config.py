"""gateway.yaml as people write it: right, wrong, and with the environment on top."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devices.ecosystems.registry import NAMES
from gateway.config import (
    Config,
    FixedConfig,
    JournalConfig,
    example,
    load,
    shown,
)
from gateway.errors import ConfigError

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file and no environment but the test's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)


def write(text: str, name: str = "gateway.yaml") -> Path:
    path = Path(name)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return path


def complaint(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(write(text))
    return str(caught.value)


def test_without_a_file_the_defaults_hold() -> None:
    config = load()
    assert config.session.provider == "navtalk"
    assert config.mqtt.url == "mqtt://localhost:1883"
    assert (config.devices.root, config.devices.command_qos) == ("home", 0)
    assert (config.policy.guarded, config.policy.ask_above_devices) == ("ask", 8)


def test_every_ecosystem_of_this_version_is_on_unless_some_are_named() -> None:
    assert set(NAMES) <= set(load().devices.ecosystems)
    write("devices: {ecosystems: {tasmota: {}}}")
    assert load().devices.ecosystems == {"tasmota": {}}


def test_the_file_in_the_working_folder_is_found() -> None:
    write("devices: {root: attic}")
    assert load().devices.root == "attic"


def test_the_example_holds_the_defaults_and_names_every_field() -> None:
    write(example())
    assert load() == Config()
    for section, field in FixedConfig.model_fields.items():
        assert f"{section}:" in example()
        for name in getattr(field.annotation, "model_fields", {}):
            assert f"  {name}:" in example(), f"{section}.{name}"


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    write("session: {license: from-file, voice: cedar}")
    monkeypatch.setenv("GATEWAY_SESSION__LICENSE", "from-environment")
    monkeypatch.setenv("GATEWAY_DEVICES__DELIVERY_S", "1.5")
    config = load()
    assert config.session.license.get_secret_value() == "from-environment"
    assert (config.session.voice, config.devices.delivery_s) == ("cedar", 1.5)
    assert FixedConfig().session.license.get_secret_value() == ""


def test_an_environment_that_cannot_be_read_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GATEWAY_DEVICES", "{not json")
    with pytest.raises(ConfigError, match="environment"):
        load()


def test_an_environment_with_a_secret_is_not_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    for value in ('{"password": "sk-secret"', "sk-secret", '{"password": ["sk-secret"]}'):
        monkeypatch.setenv("GATEWAY_MQTT", value)
        with pytest.raises(ConfigError) as caught:
            load()
        assert "mqtt" in str(caught.value).lower()
        assert "sk-secret" not in str(caught.value)


def test_systemd_credentials_fill_what_was_given_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "credentials"))
    (tmp_path / "credentials").mkdir()
    write("of systemd\n", "credentials/session.license")
    write("of systemd\n", "credentials/mqtt.password")
    write("mqtt: {password: given}")
    config = load()
    assert config.session.license.get_secret_value() == "of systemd"
    assert config.mqtt.password.get_secret_value() == "given"
    assert FixedConfig().session.license.get_secret_value() == ""


@pytest.mark.parametrize(
    ("text", "warned"),
    [
        ("session: {license: sk-secret}", True),
        ("mqtt: {url: 'mqtt://u:sk-secret@h'}", True),
        ("mqtt: {username: me}", False),
    ],
)
def test_a_file_with_a_secret_that_others_can_read_is_warned_of(
    text: str, warned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    path = write(text)
    path.chmod(0o644)
    load()
    assert ("chmod 600 gateway.yaml" in caplog.text) is warned
    assert "sk-secret" not in caplog.text


def test_a_key_that_others_can_read_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    write("a key", "key.pem").chmod(0o644)
    load(write("mqtt: {key_file: key.pem}"))
    assert "mqtt.key_file holds a secret that others can read" in caplog.text


@pytest.mark.parametrize(
    ("url", "warned"),
    [
        ("ws://house.example/x?license=sk-secret", True),
        ("wss://house.example/x", False),
        ("ws://127.0.0.1:8765", False),
        ("ws://[h", False),
        ("", False),
    ],
)
def test_a_session_in_clear_is_warned_of(
    url: str, warned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    load(write(f"session: {{url: '{url}'}}"))
    assert ("not encrypted" in caplog.text) is warned
    assert "sk-secret" not in caplog.text


def test_what_is_in_force_is_shown_without_secrets() -> None:
    write(
        "session: {license: sk-secret, url: 'wss://h/p?license=sk-secret'}\n"
        "mqtt: {url: 'mqtt://me:sk-secret@h:1', password: sk-secret}\n"
        "devices: {ecosystems: {native: {}, other: {token: sk-secret}}, root: attic}"
    )
    config = load()
    text = shown(config)
    assert "sk-secret" not in f"{text} {config!r} {config}"
    plain = yaml.safe_load(text)
    assert plain["session"]["license"] == plain["mqtt"]["password"] == "**********"
    assert plain["mqtt"]["url"] == "mqtt://**********@h:1"
    assert plain["devices"]["root"] == "attic"
    assert plain.keys() == Config.model_fields.keys()


def test_what_is_in_force_can_be_read_again() -> None:
    assert load(write(shown(FixedConfig(journal=JournalConfig())), "again.yaml")) == Config()


def test_secrets_come_from_files_and_stay_hidden() -> None:
    write("sk-secret-1\n", "license.txt")
    write("broker-secret\n", "password.txt")
    write("session: {license_file: license.txt}\nmqtt: {password_file: password.txt}")
    config = load()
    assert config.session.license.get_secret_value() == "sk-secret-1"
    assert config.mqtt.password.get_secret_value() == "broker-secret"
    shown = f"{config!r} {config} {config.model_dump_json()}"
    assert "sk-secret-1" not in shown
    assert "broker-secret" not in shown


def test_a_secret_that_is_given_wins_over_its_file() -> None:
    write("session: {license: given, license_file: nowhere.txt}")
    assert load().session.license.get_secret_value() == "given"


def test_a_missing_secret_file_is_named() -> None:
    said = complaint("session: {license_file: nowhere.txt}")
    assert "session.license_file" in said
    assert "nowhere.txt" in said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("session: {licence: x}", ("session.licence", "did you mean license?")),
        ("sesion: {}", ("sesion", "did you mean session?")),
        ("policy: {zzzzzz: 1}", ("policy.zzzzzz", "known here", "guarded")),
        ("session: {license:sk-secret}", ("session has a word", "name: value")),
        ("mqtt: {sk-secret}", ("mqtt has a word", "name: value")),
        ("sk-secret:", ("the top level has a word",)),
        ('session: {"license sk-secret": 1}', ("session.(a key) is no setting",)),
        ("session: {license: {value: sk-secret}}", ("session.license", "string")),
        ("mqtt: {password: [sk-secret]}", ("mqtt.password", "string")),
        ("session: license sk-secret", ("session", "dictionary")),
        ("mqtt: {url: 'http://u:sk-secret@h'}", ("mqtt.url", "mqtt://")),
        ("session: {url: 'http://h?license=sk-secret'}", ("session.url", "wss://")),
        ("devices: {overrides: {lamp: {nmae: L}}}", ("overrides.lamp.nmae", "did you mean name?")),
        ("session: {provider: alexa}", ("session.provider", "navtalk")),
        ("session: {url: 'http://x'}", ("session.url", "wss://")),
        ("mqtt: {url: 'localhost:1883'}", ("mqtt.url", "mqtt://")),
        ("mqtt: {client_id: 'a b'}", ("mqtt.client_id",)),
        ("devices: {root: 'home/#'}", ("devices.root",)),
        ("devices: {delivery_s: 0}", ("devices.delivery_s", "greater than 0")),
        ("policy: {guarded: maybe}", ("policy.guarded", "ask")),
        ("policy: {rules: [{tool: [x], then: deny}]}", ("rules.0.tool", "did you mean tools?")),
        ("policy: {rules: [{tools: [x]}]}", ("policy.rules.0.then", "required")),
        ("policy: {rules: [{tools: vacuum, then: ask}]}", ("policy.rules.0.tools", "list")),
        ("policy: {rules: [{hours: evening, then: ask}]}", ("rules.0.hours", "22:00-07:00")),
        ("policy: {rules: [{hours: '25:00-07:00', then: ask}]}", ("rules.0.hours", "22:00-07:00")),
        ("policy: {rules: [{hours: '07:00-07:00', then: ask}]}", ("rules.0.hours", "whole day")),
        ("policy: {rules: [{days: [saturday], then: ask}]}", ("rules.0.days.0", "'sat'")),
        ("policy: {device_calls_per_minute: 0}", ("device_calls_per_minute", "greater than")),
        ("policy: {pin: 0042}", ("policy.pin", "in quotes")),
        ("policy: {calls_per_minute: many}", ("policy.calls_per_minute", "integer")),
        ("session: 7", ("session",)),
        ("- a\n- b", ("gateway.yaml", "sections")),
        ("just words", ("gateway.yaml", "sections")),
        ("1: x", ("gateway.yaml", "sections")),
        ("session: {\nlicense: sk-secret\n", ("gateway.yaml", "YAML", "line")),
        ("session: !!python/object/apply:os.system [ls]", ("gateway.yaml", "YAML")),
    ],
)
def test_a_wrong_file_is_one_sentence_that_says_where_and_what(
    text: str, words: tuple[str, ...]
) -> None:
    said = complaint(text)
    assert all(word in said for word in words), said
    assert "\n" not in said
    assert "sk-secret" not in said


def test_an_alias_is_taken() -> None:
    write("devices:\n  overrides:\n    a: &a {area: Hall}\n    b: *a")
    assert load().devices.overrides["b"].area == "Hall"


def test_an_empty_file_is_all_defaults() -> None:
    assert load(write("# nothing yet\n")) == Config()


def test_editors_get_a_schema_without_secrets_in_it() -> None:
    schema = Config.model_json_schema()
    assert schema["properties"].keys() == Config.model_fields.keys()
    assert schema["additionalProperties"] is False


SECTIONS = {name: sorted(keys) for name, keys in yaml.safe_load(shown(FixedConfig())).items()}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=8), inside),
    max_leaves=8,
)
SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        name: st.dictionaries(st.sampled_from(keys), VALUES, max_size=3) | VALUES
        for name, keys in SECTIONS.items()
    },
)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(SETTINGS)
def test_any_values_are_taken_or_refused_in_one_sentence(values: dict[str, Any]) -> None:
    path = write(yaml.safe_dump(values))
    with suppress(ConfigError):
        load(path)
