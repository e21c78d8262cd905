"""gateway.yaml as people write it: right, wrong, and with the environment on top."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config import MAX_FILE_BYTES, Config, FixedConfig, example, load
from gateway.errors import ConfigError

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file and no environment but the test's own."""
    monkeypatch.chdir(tmp_path)


def write(text: str, name: str = "gateway.yaml") -> Path:
    path = Path(name)
    path.write_text(text, encoding="utf-8")
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
        ("devices: {overrides: {lamp: {nmae: L}}}", ("overrides.lamp.nmae", "did you mean name?")),
        ("session: {provider: alexa}", ("session.provider", "navtalk")),
        ("session: {url: 'http://x'}", ("session.url", "wss://")),
        ("mqtt: {url: 'localhost:1883'}", ("mqtt.url", "mqtt://")),
        ("mqtt: {client_id: 'a b'}", ("mqtt.client_id",)),
        ("devices: {root: 'home/#'}", ("devices.root",)),
        ("devices: {delivery_s: 0}", ("devices.delivery_s", "greater than 0")),
        ("policy: {guarded: maybe}", ("policy.guarded", "ask")),
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


def test_an_empty_file_is_all_defaults() -> None:
    assert load(write("# nothing yet\n")) == Config()


def test_files_that_cannot_be_a_configuration_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"cannot read no\.yaml: No such file"):
        load(Path("no.yaml"))
    with pytest.raises(ConfigError, match="is it the right file"):
        load(write("#" * (MAX_FILE_BYTES + 1)))


def test_editors_get_a_schema_without_secrets_in_it() -> None:
    schema = Config.model_json_schema()
    assert schema["properties"].keys() == Config.model_fields.keys()
    assert schema["additionalProperties"] is False
