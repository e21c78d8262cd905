"""gateway.yaml: every setting, checked, with the environment on top.

Order, strongest first: environment (`GATEWAY_SESSION__LICENSE`), the YAML file, `*_file` for
secrets, systemd credentials, the defaults here. No error repeats a value: it may be a secret.
"""

from __future__ import annotations

import difflib
import logging
import os
import re
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from devices.contract.capability import Risk
from gateway import credentials, yamlfile
from gateway.errors import ConfigError

log = logging.getLogger(__name__)

SEARCHED = (Path("gateway.yaml"), Path("/etc/gateway/gateway.yaml"))

ECOSYSTEMS = ("native", "homeassistant", "zigbee2mqtt", "tasmota", "shelly", "homie", "mcp")
"""Listened to where the configuration names none: what is announced is found."""

_PLAIN_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
_Rule = Literal["allow", "ask", "deny"]
_HOURS = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d-(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)")
_Seconds = Annotated[float, Field(gt=0, le=600)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", validate_default=True)


class SessionConfig(_Section):
    """The realtime session in the cloud."""

    provider: Literal["navtalk", "openai", "elevenlabs", "none"] = "navtalk"
    url: Annotated[str, Field(repr=False)] = ""
    """empty: the provider's own"""
    ca_file: str = ""
    """who signed the service's certificate; empty: the authorities of the system"""
    license: SecretStr = SecretStr("")
    license_file: Path | None = None
    avatar_name: str = "navtalk.Leo"
    avatar_id: str = ""
    voice: str = ""
    model: str = ""
    prompt: str = ""
    """added to the built-in instructions"""
    avatar_provider: Literal["openai", "elevenlabs"] = "openai"
    config_via: Literal["both", "url", "message"] = "both"
    result_style: Literal["auto", "v2", "item"] = "auto"
    rotate_after_minutes: Annotated[float, Field(gt=0)] = 55
    """a session this old is renewed between two turns, before the service ends it"""

    @field_validator("url")
    @classmethod
    def _is_websocket(cls, url: str) -> str:
        if url and not url.startswith(("ws://", "wss://")):
            raise ValueError("a session url starts with wss:// (or ws:// on this machine)")
        return url


class MqttConfig(_Section):
    """The broker."""

    url: Annotated[str, Field(repr=False)] = "mqtt://localhost:1883"
    username: str = ""
    password: SecretStr = SecretStr("")
    password_file: Path | None = None
    ca_file: str = ""
    cert_file: str = ""
    """our own certificate, for brokers that ask for one"""
    key_file: str = ""
    client_id: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")] = "gateway"

    @field_validator("url")
    @classmethod
    def _is_mqtt(cls, url: str) -> str:
        if not url.startswith(("mqtt://", "mqtts://", "ws://", "wss://")):
            raise ValueError("a broker url starts with mqtt://, mqtts://, ws:// or wss://")
        return url


class OverrideConfig(_Section):
    """What to change about one announced device."""

    name: str | None = None
    area: str | None = None
    aliases: list[str] = []
    hide: bool = False
    risk: Risk | None = None


class DevicesConfig(_Section):
    """What is on the broker."""

    root: Annotated[str, Field(pattern=r"^[^+#\s/]+(/[^+#\s/]+)*$")] = "home"
    command_qos: Literal[0, 1] = 0
    ecosystems: Annotated[dict[str, dict[str, Any]], Field(repr=False)] = {
        name: {} for name in ECOSYSTEMS
    }
    """those that are named, and no other; each with its own options"""
    overrides: dict[str, OverrideConfig] = {}
    delivery_s: _Seconds = 3.0
    """until a command must have reached its device"""
    answer_within_s: _Seconds = 4.0
    """until the model is answered"""


class RuleConfig(_Section):
    """One rule: it decides when everything that is given here holds."""

    then: _Rule
    tools: list[str] = []
    devices: list[str] = []
    """ids"""
    areas: list[str] = []
    hours: str = ""
    """local time, as in 22:00-07:00"""
    days: list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]] = []
    """on which the hours begin"""
    because: Annotated[str, Field(max_length=200)] = ""
    """spoken when it asks or denies"""

    @field_validator("hours")
    @classmethod
    def _is_a_span(cls, hours: str) -> str:
        if hours and not _HOURS.fullmatch(hours):
            raise ValueError("hours are written as in 22:00-07:00")
        start, _, end = hours.partition("-")
        if hours and start == end:
            raise ValueError("the hours begin and end at once; leave them out for the whole day")
        return hours


class PolicyConfig(_Section):
    """What the model may do, and when it must ask first."""

    guarded: _Rule = "ask"
    forbidden: _Rule = "deny"
    rules: Annotated[list[RuleConfig], Field(max_length=500)] = []
    """the first that holds decides; without one, the risk does"""
    calls_per_minute: Annotated[int, Field(ge=1)] = 60
    device_calls_per_minute: Annotated[int, Field(ge=1)] | None = None
    """commands for one device; None: half of `calls_per_minute`, and at least 30"""
    ask_above_devices: Annotated[int, Field(ge=1)] = 8
    pin: SecretStr = SecretStr("")
    pin_file: Path | None = None
    pin_devices: list[str] = []
    """ids of devices that want the PIN before each action"""

    @field_validator("pin", mode="before")
    @classmethod
    def _is_text(cls, pin: object) -> object:
        # YAML reads 0042 as another number: what was meant is lost already.
        if isinstance(pin, int | float):
            raise ValueError('write the PIN in quotes, as in "0042"')  # noqa: TRY004
        return pin


class ToolsConfig(_Section):
    """Function tools beside the devices."""

    python: list[str] = []
    """`package.module:function`, each made with @tool; installed ones come by themselves"""


class JournalConfig(_Section):
    """The record of what was asked and what happened, written before anything is sent."""

    path: Path | None = Path("/var/lib/gateway/journal.db")
    """empty: no journal"""
    required: bool = True
    """whether commands are refused while it cannot be written"""
    fsync: Literal["soon", "before_send"] = "soon"
    """when a command is safe from a power cut: soon after it was sent, or before"""
    keep_days: Annotated[int, Field(ge=1)] = 30
    max_mb: Annotated[int, Field(ge=1)] = 100
    """the oldest entries go when it is larger"""

    @field_validator("path", mode="before")
    @classmethod
    def _none_is_empty(cls, path: object) -> object:
        return None if path == "" else path


class WebConfig(_Section):
    """Accepted so that one file serves later versions too; this version has no web page."""

    listen: str = "127.0.0.1:8080"
    token_file: str = ""


class Config(BaseSettings):
    """All of it."""

    model_config = SettingsConfigDict(
        env_prefix="GATEWAY_",
        env_nested_delimiter="__",
        extra="forbid",
        validate_default=True,
    )
    heeds_environment: ClassVar[bool] = True

    session: SessionConfig = SessionConfig()
    mqtt: MqttConfig = MqttConfig()
    devices: DevicesConfig = DevicesConfig()
    policy: PolicyConfig = PolicyConfig()
    tools: ToolsConfig = ToolsConfig()
    journal: JournalConfig = JournalConfig()
    web: WebConfig = WebConfig()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 -- the library calls it by name
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 -- as above
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 -- as above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment, where it is heeded, wins over the file."""
        return (env_settings, init_settings) if cls.heeds_environment else (init_settings,)


class FixedConfig(Config):
    """A configuration that the environment does not touch: for the demo and for tests.

    Without a `journal.path` it keeps no journal.
    """

    heeds_environment = False

    journal: JournalConfig = JournalConfig(path=None)


def load(path: Path | None = None) -> Config:
    """The configuration of `path`, or of the first of SEARCHED that exists, or the defaults.

    Raises ConfigError with one sentence that names the field and what to write instead.
    """
    found = path or next((p for p in SEARCHED if p.is_file()), None)
    raw = yamlfile.read(found) if found else {}
    where = str(found) if found else "the environment"
    try:
        config = Config(**raw)
    except ValidationError as error:
        raise ConfigError(f"{where}: {_explain(error)}") from None
    except ValueError as error:
        # pydantic-settings: an environment variable that should be JSON and is not.
        raise ConfigError(f"the environment: {_unparsed(error)}") from None
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    credentials.fill(config, Path(folder) if folder else None)
    if found and credentials.masked(raw) != raw:
        credentials.warn_if_others_can_read(found, str(found))
    if _is_overheard(config.session.url):
        log.warning("session.url is not encrypted: who is on the way hears all; write wss://")
    if config.mqtt.key_file:
        credentials.warn_if_others_can_read(Path(config.mqtt.key_file), "mqtt.key_file")
    return config


def shown(config: Config) -> str:
    """`config` as YAML, with its secrets masked."""
    return yamlfile.text(credentials.masked(config))


def example() -> str:
    """A commented gateway.yaml with every field at its default."""
    return resources.files("gateway").joinpath("example.yaml").read_text(encoding="utf-8")


def _is_overheard(url: str) -> bool:
    """Whether a session at `url` leaves this machine in clear."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "ws" and parts.hostname not in {"localhost", "127.0.0.1", "::1"}


def _explain(error: ValidationError) -> str:
    """The first fault: where, what, and the nearest right key for an unknown one."""
    first = error.errors(include_url=False, include_context=False)[0]
    path = [str(part) for part in first["loc"]]
    if first["type"] == "extra_forbidden":
        return _unknown(path, valued=first["input"] is not None)
    place = ".".join(map(_key, path))
    return f"{place}: {first['msg'].removeprefix('Value error, ')}"


def _unknown(path: list[str], *, valued: bool) -> str:
    known = _fields(path[:-1])
    place = ".".join(map(_key, path[:-1])) or "the top level"
    if not valued:
        # `{license:abc}` is a key to YAML: what stands there may be meant as a value.
        return f"{place} has a word that is no setting (write `name: value`, with the space)"
    near = difflib.get_close_matches(path[-1], known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"known here: {', '.join(known)}"
    return f"{'.'.join(map(_key, path))} is no setting; {hint}"


def _key(text: str) -> str:
    """A key as an error may show it: whatever is no plain word may be a misplaced value."""
    return text if _PLAIN_WORD.fullmatch(text) else "(a key)"


def _unparsed(error: ValueError) -> str:
    found = re.search(r'field "(\w+)"', str(error))
    name = f"GATEWAY_{found[1].upper()}" if found else "a variable"
    return f"{name}, or one below it, must be JSON and is not"


def _fields(path: list[str]) -> list[str]:
    """The keys that are allowed at `path`."""
    model = _ENTRIES.get(tuple(path[:2])) if path[2:] else None
    if model is None:
        model = Config
        for part in path:
            annotation = model.model_fields[part].annotation
            if isinstance(annotation, type) and issubclass(annotation, BaseModel):
                model = annotation
    return sorted(model.model_fields)


# Where a section holds many of a kind, by name or in a list.
_ENTRIES: Mapping[tuple[str, ...], type[BaseModel]] = {
    ("devices", "overrides"): OverrideConfig,
    ("policy", "rules"): RuleConfig,
}
