"""The floor: WebSocket frame -> json -> paho on the asyncio loop -> ack -> WebSocket frame.

No checks, no retries, no state, no names: the least that any gateway must do. Run as
`python -m benchmarks.floor SERVICE_URL BROKER_PORT`.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from typing import Any

from paho.mqtt.client import CallbackAPIVersion, Client, MQTTMessage
from websockets.asyncio.client import ClientConnection, connect


class Floor:
    """Passes calls to the broker and acknowledgements back."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._pending: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._count = 0
        client = self.mqtt = Client(CallbackAPIVersion.VERSION2, client_id="floor")
        client.on_socket_open = lambda _c, _u, sock: loop.add_reader(sock, client.loop_read)
        client.on_socket_close = lambda _c, _u, sock: loop.remove_reader(sock)
        client.on_socket_register_write = lambda _c, _u, sock: loop.add_writer(
            sock, client.loop_write
        )
        client.on_socket_unregister_write = lambda _c, _u, sock: loop.remove_writer(sock)
        client.on_message = self._on_message

    def connect(self, port: int) -> None:
        """Connect, and listen for acknowledgements."""
        self.mqtt.connect("127.0.0.1", port)
        sock = self.mqtt.socket()
        assert sock is not None
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # type: ignore[attr-defined]
        self.mqtt.subscribe("home/+/ack")

    def _on_message(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        ack = json.loads(message.payload)
        if (waiter := self._pending.pop(ack["id"], None)) is not None:
            waiter.set_result(ack)

    async def call(self, session: ClientConnection, data: dict[str, Any]) -> None:
        """One call: command out, acknowledgement in, result back."""
        self._count += 1
        command_id = f"floor-{self._count}"
        args = data["arguments"]
        target = args.pop("target")
        waiter = self._pending[command_id] = self._loop.create_future()
        command = {"id": command_id, "command": data["function_name"], "args": args}
        topic = f"home/{target.lower().replace(' ', '-')}/command"
        self.mqtt.publish(topic, json.dumps({**command, "ttl_ms": 3000, "attempt": 1}))
        ack = await waiter
        output = json.dumps({"ok": True, "status": "confirmed", "state": ack["state"]})
        result = {"call_id": data["call_id"], "output": output, "reply": 1}
        frame = {"type": "realtime.function_call_output", "data": result}
        await session.send(json.dumps(frame))


async def main(url: str, port: int) -> None:
    """Serve calls until the service closes."""
    floor = Floor(asyncio.get_running_loop())
    floor.connect(port)
    tasks: set[asyncio.Task[None]] = set()
    async with connect(url, compression=None, max_size=None) as session:
        empty = {"type": "realtime.input_function_call", "data": {"content": "[]"}}
        await session.send(json.dumps(empty))
        async for frame in session:
            event = json.loads(frame)
            if event["type"] == "realtime.response.function_call_arguments.done":
                task = asyncio.create_task(floor.call(session, event["data"]))
                tasks.add(task)
                task.add_done_callback(tasks.discard)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
