"""NavTalk v2: the realtime digital human's dialect, text in and events out.

What it sends is here; how it reads frames is in `navtalk_events`. It never shows the
licence, which travels in the URL.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from gateway.providers.base import Capabilities, Endpoint, Offer, ProviderEvent, ResultForm
from gateway.providers.navtalk_events import FrameReader
from gateway.providers.navtalk_message import spellings

DEFAULT_URL = "wss://transfer.navtalk.ai/wss/v2/realtime-chat"

# The v2 guide's message, which makes the model go on by itself (`reply`: 1) ...
V2_RESULT = ResultForm("v2", asks_to_speak=False)
# ... and the older pair of messages, which every public sample application sends.
ITEM_RESULT = ResultForm("item", asks_to_speak=True)

# Shorter values in a URL are words such as a region: blotted out, they would take sentences along.
MIN_SECRET_LENGTH = 8

_RESULT_FORMS: Mapping[str, tuple[ResultForm, ...]] = {
    "auto": (V2_RESULT, ITEM_RESULT),
    "v2": (V2_RESULT,),
    "item": (ITEM_RESULT,),
}


@dataclass(frozen=True, slots=True)
class NavTalkSettings:
    """What the user says about the NavTalk session.

    `avatar_id` wins over `avatar_name`. `config_via`: where voice, model and instructions
    go; `both` sends voice and model twice and the instructions in the message only, because
    they carry the house and URLs are short. `avatar_provider`: tools of an `elevenlabs`
    avatar live in that provider's dashboard and none are sent.
    """

    license: str = field(repr=False)
    url: str = field(default=DEFAULT_URL, repr=False)
    avatar_name: str = ""
    avatar_id: str = ""
    voice: str = ""
    model: str = ""
    config_via: Literal["both", "url", "message"] = "both"
    avatar_provider: Literal["openai", "elevenlabs"] = "openai"
    result_style: Literal["auto", "v2", "item"] = "auto"
    ca_file: str = ""


class NavTalk:
    """The dialect of one connection. See `gateway.providers.base.Dialect`."""

    def __init__(self, settings: NavTalkSettings) -> None:
        self._settings = settings
        self._sends_tools = settings.avatar_provider == "openai"
        self._secrets = _secrets(settings)
        self._reader = FrameReader(self._secrets, tools_in_dashboard=not self._sends_tools)

    @property
    def capabilities(self) -> Capabilities:
        """As the settings say: the avatar's provider decides who defines the tools.

        One connection at a time: the service counts them, and refuses one too many.
        """
        return Capabilities(
            defines_tools=self._sends_tools,
            changes_tools=self._sends_tools,
            result_forms=_RESULT_FORMS[self._settings.result_style],
            takes_history=True,
        )

    def endpoint(self, offer: Offer | None = None) -> Endpoint:
        """The URL with licence and avatar, and with the configuration unless it goes by message."""
        settings = self._settings
        query = {"license": settings.license, **self._avatar()}
        if settings.config_via != "message":
            query |= _present(voice=settings.voice, model=settings.model)
        if settings.config_via == "url" and offer is not None:
            query |= _present(instructions=offer.instructions)
        parts = urlsplit(settings.url)
        encoded = urlencode(query, quote_via=quote, safe="")
        full = parts._replace(query="&".join(filter(None, (parts.query, encoded))), fragment="")
        shown = (parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", "")
        return Endpoint(
            urlunsplit(full),
            urlunsplit(shown),
            secrets=self._secrets,
            ca_file=settings.ca_file,
        )

    def opening(self, offer: Offer) -> Sequence[str]:
        """The configuration (never with a `tools` key, which could wipe them), then the tools."""
        frames = []
        if self._settings.config_via != "url":
            content = _present(
                voice=self._settings.voice,
                model=self._settings.model,
                prompt=offer.instructions,
            )
            frames.append(_wrapped("realtime.input_config", {"content": _json(content)}))
        return [*frames, *self.tools(offer)]

    def decode(self, frame: str | bytes) -> Sequence[ProviderEvent]:
        """What a frame says; never raises for any frame."""
        return self._reader.read(frame)

    def result(self, call_id: str, output: str, form: ResultForm) -> Sequence[str]:
        """The frame that returns a tool's output (JSON text) for `call_id`."""
        if form.name == V2_RESULT.name:
            data = {"call_id": call_id, "output": output, "reply": 1}
            return [_wrapped("realtime.function_call_output", data)]
        return [_item({"type": "function_call_output", "call_id": call_id, "output": output})]

    def speak(self) -> Sequence[str]:
        """The frame that makes the model answer now."""
        return [_json({"type": "response.create"})]

    def note(self, text: str) -> Sequence[str]:
        """A fact, told as a system message that asks for no answer."""
        return [_message("system", text)]

    def user_text(self, text: str) -> Sequence[str]:
        """The frame that says `text` as the user."""
        return [_wrapped("realtime.input_text", {"content": text})]

    def history(self, text: str) -> Sequence[str]:
        """What the user said before, as an item that asks for no answer."""
        return [_message("user", text)]

    def tools(self, offer: Offer) -> Sequence[str]:
        """All tools, in one frame; [] for an avatar whose tools live in a dashboard."""
        if not self._sends_tools:
            return []
        content = _json([dict(definition) for definition in offer.definitions])
        return [_wrapped("realtime.input_function_call", {"content": content})]

    def _avatar(self) -> dict[str, str]:
        if self._settings.avatar_id:
            return {"avatarId": self._settings.avatar_id}
        return _present(name=self._settings.avatar_name)


def _secrets(settings: NavTalkSettings) -> tuple[str, ...]:
    """The licence, and what the user's own URL holds, in all spellings."""
    parts = urlsplit(settings.url)
    in_url = [unquote(parts.password or ""), *(value for _, value in parse_qsl(parts.query))]
    found = [settings.license, *(text for text in in_url if len(text) >= MIN_SECRET_LENGTH)]
    return tuple(dict.fromkeys(spelling for secret in found for spelling in spellings(secret)))


def _present(**values: str) -> dict[str, str]:
    return {key: value for key, value in values.items() if value}


def _wrapped(kind: str, data: Mapping[str, Any]) -> str:
    return _json({"type": kind, "data": data})


def _message(role: str, text: str) -> str:
    content = [{"type": "input_text", "text": text}]
    return _item({"type": "message", "role": role, "content": content})


def _item(item: Mapping[str, Any]) -> str:
    """One of the two client messages that keep the unwrapped shape."""
    return _json({"type": "conversation.item.create", "item": item})


# ASCII only: a lone surrogate that came in as an escape goes out as one.
_json = json.JSONEncoder(separators=(",", ":")).encode
