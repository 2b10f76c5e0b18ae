"""Socket Mode: connections, envelopes, acknowledgements, redelivery and disconnects.

Decides which connection an envelope goes to (round robin, each envelope to one), when it counts as failed (not
acknowledged within ``ack_timeout``), and when an event is sent again. What an acknowledgement means to a person is
decided by ``people``.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from dataclasses import dataclass

from aiohttp import WSMsgType, web

from bot.practice.record import Ack, Envelope
from bot.practice.shapes import DidNotRespond, Json
from bot.practice.world import APP_ID, World

CONNECTIONS_MOST = 10
RETRY_DELAYS = (0.0, 60.0, 300.0)
"""seconds before an unacknowledged event is sent again [DOC events-api]"""


@dataclass(eq=False)
class Connection:
    """One WebSocket of the app."""

    socket: web.WebSocketResponse
    request: web.Request
    draining: bool = False
    """told to go away; gets no more envelopes"""


class SocketMode:
    """All connections of the app, and what was sent over them."""

    def __init__(self, world: World, *, ack_timeout: float, grace: float) -> None:
        self.world = world
        self.record = world.record
        self.ack_timeout = ack_timeout
        self.grace = grace
        self.retry_delays: tuple[float, ...] = RETRY_DELAYS
        self.connections: list[Connection] = []
        self.refusals = 0
        """how many of the next connection attempts answer 503"""
        self._next = 0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def connected(self) -> int:
        """How many connections take envelopes."""
        return sum(1 for one in self.connections if not one.draining)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """The WebSocket endpoint."""
        if self.refusals > 0:
            self.refusals -= 1
            return web.Response(status=503)
        if not self.world.tickets.use_socket(request.query.get("ticket", "")):
            return web.Response(status=408, text="invalid ticket")
        socket = web.WebSocketResponse(timeout=0.5, max_msg_size=0)
        await socket.prepare(request)
        if len(self.connections) >= CONNECTIONS_MOST:
            await socket.send_json(_goodbye("too_many_websockets"))
            await socket.close()
            return socket
        connection = Connection(socket, request)
        self.connections.append(connection)
        await socket.send_json(self._hello())
        self.world.touch()
        try:
            async for frame in socket:
                if frame.type is WSMsgType.TEXT:
                    self._acknowledge(frame.data)
        finally:
            self.connections.remove(connection)
            self.world.touch()
        return socket

    def _hello(self) -> Json:
        info: Json = {
            "host": "practice",
            "started": f"{self.world.now():.3f}",
            "build_number": 1,
            "approximate_connection_time": 18060,
        }
        return {
            "type": "hello",
            "num_connections": len(self.connections),
            "debug_info": info,
            "connection_info": {"app_id": APP_ID},
        }

    def _acknowledge(self, text: str) -> None:
        try:
            frame = json.loads(text)
            envelope = self.record.envelope(str(frame["envelope_id"]))
        except (ValueError, KeyError, TypeError):
            return
        payload = frame.get("payload") or {}
        seconds = time.monotonic() - envelope.sent[-1]
        late = envelope.outcome == "expired"
        ack = Ack(envelope.id, payload, seconds, late, len(envelope.acks) + 1)
        envelope.acks.append(ack)
        self.record.acks.append(ack)
        if envelope.outcome == "pending":
            envelope.outcome = "acked"
        if envelope.waiting is not None and not envelope.waiting.done():
            envelope.waiting.set_result(payload)
        self.world.touch()

    def _pick(self) -> Connection | None:
        open_ones = [one for one in self.connections if not one.draining and not one.socket.closed]
        if not open_ones:
            return None
        self._next += 1
        return open_ones[self._next % len(open_ones)]

    async def _connection(self) -> Connection | None:
        """The next connection in turn; waits a moment for an app that is just reconnecting."""
        end = time.monotonic() + self.grace
        while not self.connected and (left := end - time.monotonic()) > 0:
            await self.world.changes.after(self.world.changes.version, left)
        return self._pick()

    async def _send(self, envelope: Envelope, **extra: object) -> bool:
        connection = await self._connection()
        if connection is None:
            return False
        frame = {
            "envelope_id": envelope.id,
            "type": envelope.type,
            "payload": envelope.payload,
            "accepts_response_payload": envelope.accepts_response_payload,
            **extra,
        }
        envelope.sent.append(time.monotonic())
        try:
            await connection.socket.send_str(json.dumps(frame))
        except (ConnectionError, RuntimeError):
            return False
        return True

    def envelope(self, kind: str, payload: Json, *, accepts: bool) -> Envelope:
        """A new envelope in the record, not yet sent."""
        one = Envelope(str(uuid.uuid4()), kind, payload, accepts)
        self.record.envelopes.append(one)
        return one

    async def ask(self, kind: str, payload: Json, *, accepts: bool) -> Json:
        """Send a person's interaction and wait for the acknowledgement's payload; raises ``DidNotRespond``."""
        one = self.envelope(kind, payload, accepts=accepts)
        one.waiting = asyncio.get_running_loop().create_future()
        if not await self._send(one):
            one.outcome = "undeliverable"
            self.world.touch()
            raise DidNotRespond("dispatch_failed: the app is not connected")
        try:
            return await asyncio.wait_for(one.waiting, self.ack_timeout)
        except TimeoutError as problem:
            one.outcome = "expired"
            self.world.touch()
            raise DidNotRespond(f"operation_timeout: no answer within {self.ack_timeout:g} s") from problem

    def tell(self, payload: Json) -> None:
        """Send an event in the background, and again while it is not acknowledged."""
        one = self.envelope("events_api", payload, accepts=False)
        task = asyncio.get_running_loop().create_task(self._deliver(one))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, one: Envelope) -> None:
        reason = ""
        for attempt, delay in enumerate((0.0, *self.retry_delays)):
            if delay:
                await asyncio.sleep(delay)
            one.waiting = asyncio.get_running_loop().create_future()
            if await self._send(one, retry_attempt=attempt, retry_reason=reason):
                await asyncio.wait([one.waiting], timeout=self.ack_timeout)
                if one.waiting.done():
                    return
                reason = "timeout"
            else:
                reason = "connection_failed"
        one.outcome = "expired"
        self.world.touch()

    async def redeliver(self, envelope_id: str, times: int) -> int:
        """Send the same envelope again, as at-least-once delivery may; answers how many more acks came in time."""
        one = self.record.envelope(envelope_id)
        before = len(one.acks)
        for nth in range(times):
            extra = {"retry_attempt": nth + 1, "retry_reason": "timeout"} if one.type == "events_api" else {}
            await self._send(one, **extra)
        end = time.monotonic() + self.ack_timeout
        while len(one.acks) < before + times and (left := end - time.monotonic()) > 0:
            await self.world.changes.after(self.world.changes.version, left)
        return len(one.acks) - before

    async def disconnect(self, reason: str) -> None:
        """Ask every connection to go, as Slack does every few hours."""
        for connection in list(self.connections):
            connection.draining = True
            if not connection.socket.closed:
                await connection.socket.send_json(_goodbye(reason))
        self.world.touch()

    async def abort(self) -> None:
        """Cut every connection without a word."""
        for connection in list(self.connections):
            connection.draining = True
            if connection.request.transport is not None:
                connection.request.transport.abort()
        self.world.touch()

    def busy(self) -> bool:
        """Whether something sent is neither acknowledged nor given up."""
        return any(one.outcome == "pending" for one in self.record.envelopes)

    async def close(self) -> None:
        """End: no more deliveries, close all connections."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for connection in list(self.connections):
            await connection.socket.close(code=1001)


def _goodbye(reason: str) -> Json:
    return {"type": "disconnect", "reason": reason, "debug_info": {"host": "practice"}}
