"""The composition root: the only module that names concrete parts and puts them together.

Start and stop order are written here and nowhere else.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import AsyncExitStack, suppress
from functools import partial
from types import TracebackType
from typing import Any, Self

from ulid import ULID

from devices.contract.command import Command, new_command_id
from devices.contract.errors import LinkDownError, LinkRefusedError
from devices.ecosystems import registry as ecosystems
from devices.ecosystems.base import Ecosystem, Proof
from devices.link.base import Link, LinkChange, LinkState
from devices.link.mqtt import MqttLink, MqttOptions
from devices.link.options import MAX_PAYLOAD_BYTES
from gateway.bus import Bus
from gateway.calls import Calls
from gateway.clock import Clock, SystemClock
from gateway.config import Config
from gateway.directory import Device, Directory, Override
from gateway.dispatch.dispatcher import Dispatcher
from gateway.dispatch.sending import Patience
from gateway.dispatch.wire import Wire
from gateway.errors import ConfigError, FatalError, JournalError
from gateway.events import BrokerChanged, FunctionCall
from gateway.journal.queries import Past, Wanted
from gateway.journal.retention import keep_tidy
from gateway.journal.store import Journal, JournalSettings
from gateway.outcome import Outcome
from gateway.policy.confirm import Holds
from gateway.policy.repeats import WINDOW_S
from gateway.policy.settings import limits_of, pin_of, settings_of
from gateway.providers.base import Offer
from gateway.providers.registry import dialect_maker
from gateway.recovery import Recovery
from gateway.session.session import Session
from gateway.tasks import TaskSet
from gateway.tools.base import Plan, Tool
from gateway.tools.knowing import Args, known_by
from gateway.tools.python import load_entry_points, load_paths
from gateway.tools.recent import RecentActions
from gateway.tools.registry import RegistrySettings, ToolRegistry, ToolSet
from gateway.tools.target import House

log = logging.getLogger(__name__)

# How long the session waits for a broker before it starts without devices.
BROKER_PATIENCE_S = 2.0
# Retained announcements come in one burst: the house is known when none came for QUIET_S.
# Where nothing came at all, a far broker may just be slow.
QUIET_S = 0.05
SETTLE_AT_MOST_S = 0.5
# Stopping takes less than 2 s: calls in flight may still end, then all are answered.
GRACE_S = 0.8
ANSWER_S = 0.4
# More calls than a model makes in the few seconds that are looked back.
MAX_RECALLED = 100


class Gateway:
    """The agent. `async with` connects to the broker; `run` holds the session.

    `link` stands in for the broker's link where a test or a tool brings its own; `extra` are
    tools beside those of the devices and of the configuration. Without `keeps_journal`
    nothing is written down; what others wrote can still be asked for.
    """

    def __init__(
        self,
        config: Config,
        *,
        link: Link | None = None,
        extra: Iterable[Tool] = (),
        clock: Clock | None = None,
        keeps_journal: bool = True,
    ) -> None:
        clock = clock or SystemClock()
        self.bus = Bus()
        self._clock = clock
        self._journal = _journal(config, clock) if keeps_journal else None
        self._tidying = _tidying(config, clock, self._journal)
        kept = config.journal.path if self._journal is not None else None
        self._past = Past(kept) if kept is not None else None
        self.directory = Directory(clock, self.bus, _overrides(config))
        spoken = _ecosystems(config)
        self._link = link or MqttLink(_link_options(config, spoken))
        self._wire = Wire(self._link, spoken, self.directory, self.bus)
        self._dispatcher = Dispatcher(
            self._wire,
            self.directory,
            self.bus,
            clock,
            Patience(config.devices.delivery_s, config.devices.answer_within_s),
            log=self._journal,
        )
        holds: Holds[Plan] = Holds(clock, pin=pin_of(config.policy, clock))
        self._registry = ToolRegistry(
            self.directory,
            self._dispatcher,
            holds,
            [*extra, *load_paths(config.tools.python), *load_entry_points()],
            RegistrySettings(prompt=config.session.prompt),
            recent=_recent(config, clock),
        )
        self._calls = Calls(
            settings_of(config.policy),
            limits_of(config.policy, clock),
            holds,
            self.bus,
            clock,
        )
        self.session = self._session(config, clock)
        self._recovery = self._recovery_of(self._journal, clock)
        self._tasks = TaskSet("gateway")
        self._refused = asyncio.Event()
        self._reason = ""
        self._fatal: FatalError | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Connect to the broker in the background and listen to the devices."""
        if self._journal is not None:
            await self._stack.enter_async_context(self._journal)
            self._stack.enter_context(self.bus.tap(self._journal.note))
        self._stack.callback(self._link.on_change(self._link_changed))
        await self._stack.enter_async_context(self._link)
        self._stack.push_async_callback(self._wire.close)
        await self._wire.listen()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Answer who waits, end all tasks, leave the broker (no will is published)."""
        self._dispatcher.close()
        await self._tasks.close()
        await self._stack.aclose()

    async def ready(self) -> bool:
        """Return when the devices are known. False when the broker is away.

        Raises LinkRefusedError, with the cure, when the broker refuses us.
        """
        try:
            await self._link.connected(BROKER_PATIENCE_S)
        except LinkDownError:
            return False
        except LinkRefusedError as error:
            raise _with_cure(str(error)) from None
        loop = asyncio.get_running_loop()
        until = loop.time() + SETTLE_AT_MOST_S
        seen = -1
        while loop.time() < until and (seen != self.directory.revision or seen == 0):
            seen = self.directory.revision
            await asyncio.sleep(QUIET_S)
        return True

    def tools(self) -> ToolSet:
        """What the model is offered now."""
        return self._registry.current()

    def known_by(self, device: Device) -> str | None:
        """How the outcomes of `device` are known; None when it takes no command.

        For a gateway without a session: adapters may remember the command that they were shown.
        """

        def proof_of(name: str, args: Args) -> Proof:
            return self._wire.proof(device, Command(new_command_id(), name, args, ttl_ms=0))

        return known_by(device.description, proof_of)

    async def call(self, name: str, arguments: Mapping[str, Any]) -> Outcome:
        """One call without a session."""
        return await self._calls.answer(FunctionCall(str(ULID()), name, arguments), self.tools())

    async def run(self, stop: asyncio.Event) -> None:
        """Hold the session until `stop` is set, then answer what is in flight and close.

        Raises FatalError when the provider, LinkRefusedError when the broker refuses us for
        good. Returns within 2 s of `stop`.
        """
        recalled = self._tasks.start(self._recall(), "recall")
        if not await self.ready():
            log.warning("the broker is away; the session starts without devices")
        await recalled
        log.info("%d devices, %d tools", len(self.directory), len(self.tools().names))
        if self._tidying is not None:
            self._tasks.start(self._tidying(), "tidy")
        if self._recovery is not None:
            self._tasks.start(self._recover(self._recovery), "recovery")
        waits = [
            self._tasks.start(stop.wait(), "stop"),
            self._tasks.start(self._refused.wait(), "refused"),
        ]
        if self.session is not None:
            waits.append(self._tasks.start(self._hold(self.session), "session"))
        done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        await self._stop()
        for task in done:
            await task
        if self._fatal is not None:
            raise self._fatal
        if self._refused.is_set():
            raise _with_cure(self._reason)

    # --- how the parts meet --------------------------------------------------------------

    async def _stop(self) -> None:
        """Calls first, then commands, then the session; the link closes last, on exit."""
        if self.session is None:
            self._dispatcher.close()
            return
        draining = self._tasks.start(self.session.drain(GRACE_S + ANSWER_S), "drain")
        await asyncio.wait({draining}, timeout=GRACE_S)
        self._dispatcher.close()
        await draining

    async def _recall(self) -> None:
        """What sessions of an earlier run asked for in the last seconds is known again."""
        if self._past is None:
            return
        wanted = Wanted(self._clock.wall().timestamp() - WINDOW_S)
        # A file that cannot be read is spoken of by who writes it.
        with suppress(JournalError):
            actions = await self._past.recent(wanted, MAX_RECALLED)
            self._calls.recall(action for action in reversed(actions) if action.epoch > 0)

    async def _recover(self, recovery: Recovery) -> None:
        """In the background: neither the session nor a new command waits for it."""
        with suppress(LinkRefusedError):
            await self._link.connected()
            await recovery.run()

    async def _hold(self, session: Session) -> None:
        """The session's task. What cannot be cured is for `run` to raise, and no bug of ours."""
        try:
            await session.run()
        except FatalError as error:
            self._fatal = error

    def _session(self, config: Config, clock: Clock) -> Session | None:
        if config.session.provider == "none":
            return None
        session = Session(
            dialects=dialect_maker(config.session.provider, _session_settings(config)),
            offer=self._registry.current,
            handler=self._answer,
            bus=self.bus,
            clock=clock,
            rotate_after_s=config.session.rotate_after_minutes * 60,
        )
        self.directory.on_change(session.tools_changed)
        self._calls.on_late = lambda call, outcome: session.note(
            f"News of the earlier call {call.name}: {outcome.message}"
        )
        return session

    def _recovery_of(self, journal: Journal | None, clock: Clock) -> Recovery | None:
        if journal is None:
            return None
        tell = self.session.note if self.session is not None else log.info
        return Recovery(journal, self._dispatcher, self.directory, clock, tell)

    async def _answer(self, call: FunctionCall, offer: Offer) -> Outcome:
        if not isinstance(offer, ToolSet):
            raise TypeError("the session was given another offer than the registry's")
        return await self._calls.answer(call, offer)

    def _link_changed(self, change: LinkChange) -> None:
        self.bus.publish(BrokerChanged(change.state.value, change.reason))
        if change.state is LinkState.REFUSED:
            self._reason = change.reason
            self._refused.set()


def _with_cure(reason: str) -> LinkRefusedError:
    return LinkRefusedError(f"{reason}: check mqtt.username, mqtt.password and mqtt.ca_file")


def _link_options(config: Config, spoken: Iterable[Ecosystem]) -> MqttOptions:
    """`spoken` say how large a message may be; each bounds what it takes of that."""
    mqtt = config.mqtt
    wanted = [wanted.max_bytes for ecosystem in spoken for wanted in ecosystem.filters()]
    try:
        return MqttOptions(
            url=mqtt.url,
            username=mqtt.username,
            password=mqtt.password.get_secret_value(),
            ca_file=mqtt.ca_file,
            cert_file=mqtt.cert_file,
            key_file=mqtt.key_file,
            client_id=mqtt.client_id,
            max_payload_bytes=max(wanted, default=MAX_PAYLOAD_BYTES),
        )
    except ValueError as error:
        raise ConfigError(f"mqtt: {error}") from None


def _journal(config: Config, clock: Clock) -> Journal | None:
    """The record, where one is kept."""
    chosen = config.journal
    if chosen.path is None:
        return None
    settings = JournalSettings(
        chosen.path,
        client_id=config.mqtt.client_id,
        required=chosen.required,
        before_send=chosen.fsync == "before_send",
    )
    return Journal(settings, clock)


def _tidying(
    config: Config, clock: Clock, journal: Journal | None
) -> Callable[[], Coroutine[Any, Any, None]] | None:
    """What keeps the record within its bounds, where one is kept."""
    if config.journal.path is None or journal is None:
        return None
    return partial(keep_tidy, config.journal.path, config.journal, clock, journal.opened)


def _recent(config: Config, clock: Clock) -> Callable[[House], Tool] | None:
    """What makes the tool that tells of the past, where a record is kept."""
    if config.journal.path is None:
        return None
    return partial(RecentActions, past=Past(config.journal.path), clock=clock)


def _ecosystems(config: Config) -> list[Ecosystem]:
    """Those of the configuration that this version has; a default one that it lacks is no fault."""
    chosen = config.devices
    written = "ecosystems" in chosen.model_fields_set
    built = []
    for name, options in chosen.ecosystems.items():
        if name in ecosystems.NOT_YET:
            level = logging.WARNING if written else logging.DEBUG
            log.log(level, "ecosystem %s is not in this version: no device of it is offered", name)
            continue
        try:
            built.append(
                ecosystems.build(name, options, root=chosen.root, command_qos=chosen.command_qos)
            )
        except ValueError as error:
            raise ConfigError(f"devices.ecosystems: {error}") from None
    return built


def _overrides(config: Config) -> dict[str, Override]:
    return {
        device_id: Override(o.name, o.area, tuple(o.aliases), o.hide, o.risk)
        for device_id, o in config.devices.overrides.items()
    }


def _session_settings(config: Config) -> dict[str, Any]:
    """The provider's settings as plain values; secrets come out of their masks here only."""
    settings = config.session.model_dump()
    settings["license"] = config.session.license.get_secret_value()
    return settings
