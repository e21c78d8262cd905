"""Our own devices: contract version 1 over MQTT, as one ecosystem among the others."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from devices.contract import codec
from devices.contract.command import Command
from devices.contract.errors import ContractError, PayloadError
from devices.contract.topics import Leaf, Topics
from devices.ecosystems.base import (
    Acknowledged,
    Announced,
    Availability,
    Delivery,
    Malformed,
    Removed,
    Sighting,
    StateReport,
    TopicFilter,
    Traits,
)
from devices.link.base import Message, Publish


class Native:
    """Translates the native contract under `root`. `command_qos` is 0 unless the user asks."""

    name = "native"
    traits = Traits(keeps_ids=True, silent_on_repeat=False)

    def __init__(self, root: str = "home", *, command_qos: int = 0) -> None:
        self._topics = Topics(root)
        self._command_qos = command_qos

    def filters(self) -> Sequence[TopicFilter]:
        """Acks first: they stand before the first command can be sent.

        All with QoS 0: brokers queue what is retained for a QoS 1 subscriber and silently
        drop what does not fit (rumqttd after 100 messages, mosquitto 2.0 after 1,000).
        """
        leaves = (Leaf.ACK, Leaf.AVAILABILITY, Leaf.STATE, Leaf.DESCRIPTION)
        return [TopicFilter(self._topics.of("+", leaf)) for leaf in leaves]

    def greeting(self) -> Sequence[Publish]:
        """Nothing: our devices announce themselves, retained."""
        return ()

    def decode(self, message: Message) -> Iterable[Sighting]:
        """One sighting a message, Malformed when it breaks the contract."""
        try:
            return (self._sighting(message),)
        except ContractError as error:
            return (Malformed(message.topic, str(error)),)

    def encode(self, device_id: str, command: Command) -> Delivery:
        """One message, never retained, that the broker drops when its time has passed."""
        message = Publish(
            topic=self._topics.of(device_id, Leaf.COMMAND),
            payload=codec.encode_command(command),
            qos=self._command_qos,
            # The broker counts whole seconds; ttl_ms in the payload is the exact limit.
            expiry_s=max(1, math.ceil(command.ttl_ms / 1000)),
            correlation=command.id.encode(),
        )
        return Delivery((message,))

    def _sighting(self, message: Message) -> Sighting:
        device_id, leaf = self._topics.read(message.topic)
        match leaf:
            case Leaf.ACK:
                if message.retained:
                    raise PayloadError("a retained acknowledgement is the past and proves nothing")
                return Acknowledged(device_id, codec.decode_ack(message.payload))
            case Leaf.STATE:
                state = codec.decode_state(message.payload) if message.payload else {}
                return StateReport(device_id, state, live=not message.retained)
            case Leaf.AVAILABILITY:
                online = bool(message.payload) and codec.decode_availability(message.payload)
                return Availability(device_id, online)
            case Leaf.DESCRIPTION if not message.payload:
                return Removed(device_id)
            case Leaf.DESCRIPTION:
                description = codec.decode_description(message.payload)
                if description.id != device_id:
                    raise PayloadError(f"the description on this topic is that of {description.id}")
                return Announced(description)
        raise PayloadError("only devices receive commands")
