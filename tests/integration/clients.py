"""Clients with a deadline on everything, so that a hang is a failure that names its line."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import grpc.aio
from grpc_health.v1.health_pb2 import HealthCheckRequest
from grpc_health.v1.health_pb2_grpc import HealthStub
from websockets.asyncio.client import ClientConnection, connect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

# Seconds. For a whole RPC or the wait for a message: far more than any needs.
DEADLINE: Final = 30.0

# Every RPC of the channel gets the deadline.
SERVICE_CONFIG: Final = json.dumps({"methodConfig": [{"name": [{}], "timeout": f"{DEADLINE}s"}]})


def open_channel(address: str) -> grpc.aio.Channel:
    """Return a channel of which every RPC ends with DEADLINE_EXCEEDED rather than hangs."""
    options = [("grpc.enable_http_proxy", 0), ("grpc.service_config", SERVICE_CONFIG)]
    return grpc.aio.insecure_channel(address, options=options)


def health_stub(channel: grpc.aio.Channel) -> Any:  # noqa: ANN401 - the type stubs lack the RPCs
    """Return a client of the standard health service."""
    return HealthStub(channel)


async def health_status(channel: grpc.aio.Channel, service: str) -> int:
    """Return the status of a service, or of the whole server for ""."""
    response = await health_stub(channel).Check(HealthCheckRequest(service=service))
    status: int = response.status
    return status


@dataclass
class WebSocketClient:
    """A client of the orchestrator that knows no more than the protocol."""

    socket: ClientConnection

    async def send(self, message: str | bytes) -> None:
        """Send a message as it is."""
        async with asyncio.timeout(DEADLINE):
            await self.socket.send(message)

    async def say(self, text: str, *, is_final: bool = True) -> None:
        """Send a text message."""
        await self.send(json.dumps({"type": "text", "text": text, "is_final": is_final}))

    async def frame(self) -> bytes:
        """Return the next message, which is a frame."""
        async with asyncio.timeout(DEADLINE):
            return await self.socket.recv(decode=False)

    async def fields(self) -> dict[str, Any]:
        """Return the fields of the next message, which is JSON."""
        async with asyncio.timeout(DEADLINE):
            message = await self.socket.recv()
        assert isinstance(message, str), "a frame came where a JSON message is due"
        fields: dict[str, Any] = json.loads(message)
        return fields

    async def utterance(self, *heard: bytes) -> list[bytes]:
        """Return all frames of an utterance, of which some were heard; its end counts them."""
        frames = list(heard)
        while True:
            async with asyncio.timeout(DEADLINE):
                message = await self.socket.recv()
            if isinstance(message, str):
                assert json.loads(message) == {"type": "end", "frames": len(frames)}
                return frames
            frames.append(message)

    async def close_code(self) -> int | None:
        """Wait until the server has closed the connection and return its code."""
        async with asyncio.timeout(DEADLINE):
            await self.socket.wait_closed()
        return self.socket.close_code


@asynccontextmanager
async def websocket_client(url: str) -> AsyncIterator[WebSocketClient]:
    """Connect to an orchestrator."""
    # A test that fails has stopped reading, so the answer to its close is behind frames that nobody
    # takes: it is not worth waiting for.
    async with connect(url, proxy=None, open_timeout=DEADLINE, close_timeout=1) as socket:
        yield WebSocketClient(socket)
