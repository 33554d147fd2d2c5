"""Leases: how the orchestrator knows its workers, and how a worker stays known."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import grpc.aio
from google.protobuf.duration_pb2 import Duration
from grpc import StatusCode

from .transport import RPC_DEADLINE, connect, split_address
from .v1 import registry_pb2, registry_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from .transport import Context

SERVICE: Final = "voice_pipeline.v1.RegistryService"
# Seconds.
LEASE_DURATION: Final = 15.0
# A worker may miss two renewals of three.
RENEWALS_PER_LEASE: Final = 3

log = logging.getLogger(__name__)


@dataclass(eq=False)
class Lease:
    """A worker's place in the registry, until `expires` on the registry's clock."""

    lease_id: str
    address: str
    expires: float
    # Sessions that the orchestrator has open on the worker.
    sessions: int = 0


class Leases:
    """The leases that run. `clock` returns seconds and never goes back."""

    def __init__(
        self, duration: float = LEASE_DURATION, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Start with none; each lease runs for `duration` seconds."""
        self.duration = duration
        self._clock = clock
        self._leases: dict[str, Lease] = {}

    def running(self) -> list[Lease]:
        """Return the leases that run, the oldest first, and forget the others."""
        now = self._clock()
        self._leases = {key: lease for key, lease in self._leases.items() if lease.expires > now}
        return list(self._leases.values())

    def grant(self, address: str) -> Lease:
        """Return a new lease for `address` in the place of one that it may have.

        Raises `ValueError` when `address` is not `host:port`.
        """
        split_address(address)
        for lease in self.running():
            if lease.address == address:
                self.end(lease.lease_id)
        lease = Lease(uuid.uuid4().hex, address, self._clock() + self.duration)
        self._leases[lease.lease_id] = lease
        return lease

    def renew(self, lease_id: str) -> None:
        """Let a lease run for its whole time again; raises `LookupError` when it does not run."""
        self.running()
        self._leases[lease_id].expires = self._clock() + self.duration

    def end(self, lease_id: str) -> None:
        """End a lease; raises `LookupError` when it does not run."""
        self.running()
        del self._leases[lease_id]


class Registry(registry_pb2_grpc.RegistryServiceServicer):
    """The RPCs of `v1/registry.proto`, which says what each does and refuses."""

    def __init__(self, leases: Leases) -> None:
        """Grant, renew and end `leases`."""
        self._leases = leases

    async def Register(
        self, request: registry_pb2.RegisterRequest, context: Context
    ) -> registry_pb2.RegisterResponse:
        """Grant a lease."""
        try:
            lease = self._leases.grant(request.address)
        except ValueError as error:
            await context.abort(StatusCode.INVALID_ARGUMENT, str(error))
        duration = Duration()
        duration.FromTimedelta(timedelta(seconds=self._leases.duration))
        return registry_pb2.RegisterResponse(lease_id=lease.lease_id, lease_duration=duration)

    async def Renew(
        self, request: registry_pb2.RenewRequest, context: Context
    ) -> registry_pb2.RenewResponse:
        """Renew a lease."""
        try:
            self._leases.renew(request.lease_id)
        except LookupError:
            await context.abort(StatusCode.NOT_FOUND, f"no such lease: {request.lease_id!r}")
        return registry_pb2.RenewResponse()

    async def Deregister(
        self, request: registry_pb2.DeregisterRequest, context: Context
    ) -> registry_pb2.DeregisterResponse:
        """End a lease."""
        try:
            self._leases.end(request.lease_id)
        except LookupError:
            await context.abort(StatusCode.NOT_FOUND, f"no such lease: {request.lease_id!r}")
        return registry_pb2.DeregisterResponse()


class Registration:
    """A worker's side of its lease."""

    def __init__(self, address: str, channel: grpc.aio.Channel) -> None:
        """Speak for the worker at `address` to the registry behind `channel`."""
        self._address = address
        self._stub = registry_pb2_grpc.RegistryServiceStub(channel)
        self._lease = registry_pb2.RegisterResponse()

    async def register(self) -> None:
        """Ask for a lease; raises `AioRpcError`."""
        request = registry_pb2.RegisterRequest(address=self._address)
        self._lease = await self._stub.Register(request, timeout=RPC_DEADLINE)

    async def deregister(self) -> None:
        """Give the lease back; raises `AioRpcError`."""
        request = registry_pb2.DeregisterRequest(lease_id=self._lease.lease_id)
        await self._stub.Deregister(request, timeout=RPC_DEADLINE)

    async def keep_renewed(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Renew the lease in good time, for ever, and register anew when it was lost."""
        while True:
            duration = self._lease.lease_duration.ToTimedelta().total_seconds()
            await sleep(duration / RENEWALS_PER_LEASE)
            request = registry_pb2.RenewRequest(lease_id=self._lease.lease_id)
            try:
                try:
                    await self._stub.Renew(request, timeout=RPC_DEADLINE)
                except grpc.aio.AioRpcError as error:
                    if error.code() is not StatusCode.NOT_FOUND:
                        raise
                    await self.register()
            except grpc.aio.AioRpcError as error:
                # The registry may come back: it then knows nothing of the lease.
                log.warning("lease not renewed: %s", error.details())


@asynccontextmanager
async def registered(
    address: str, registry: str, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> AsyncIterator[None]:
    """Keep the worker at `address` registered at `registry`, and deregister it on leaving.

    `sleep` waits between renewals. Raises `ConnectionError` when the first registration fails.
    """
    async with connect(registry) as channel:
        registration = Registration(address, channel)
        try:
            await registration.register()
        except grpc.aio.AioRpcError as error:
            raise ConnectionError(
                f"cannot register at {registry}: {error.code().name}: {error.details()}"
            ) from error
        renewal = asyncio.create_task(registration.keep_renewed(sleep))
        try:
            yield
        finally:
            renewal.cancel()
            await asyncio.gather(renewal, return_exceptions=True)
            # The registry may be gone, or the lease.
            with suppress(grpc.aio.AioRpcError):
                await registration.deregister()
