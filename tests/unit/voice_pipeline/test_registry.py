"""Leases on a clock of their own, and the worker that keeps its lease."""

from __future__ import annotations

import asyncio
import functools
import logging
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from examples.voice_pipeline.registry import SERVICE, Leases, Registry, registered
from examples.voice_pipeline.transport import LOCAL, serving
from examples.voice_pipeline.v1 import registry_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.unit.voice_pipeline.conftest import Clock


@pytest.fixture
def leases(clock: Clock) -> Leases:
    """An empty table of leases that run for ten seconds."""
    return Leases(10.0, clock)


def addresses(leases: Leases) -> list[str]:
    """Return the addresses of the leases that run."""
    return [lease.address for lease in leases.running()]


def test_lease_runs_for_its_duration(leases: Leases, clock: Clock) -> None:
    """A lease runs until the moment at which its duration is over."""
    leases.grant("127.0.0.1:1")
    clock.now += 9.9
    assert addresses(leases) == ["127.0.0.1:1"]
    clock.now += 0.1
    assert addresses(leases) == []


def test_renewal_starts_the_duration_again(leases: Leases, clock: Clock) -> None:
    """A renewed lease runs for a whole duration from its renewal."""
    lease = leases.grant("127.0.0.1:1")
    clock.now += 9
    leases.renew(lease.lease_id)
    clock.now += 9
    assert addresses(leases) == ["127.0.0.1:1"]
    clock.now += 1
    assert addresses(leases) == []


def test_lost_lease_is_not_renewed(leases: Leases, clock: Clock) -> None:
    """A lease that ran out, was ended or never was can be neither renewed nor ended."""
    ran_out = leases.grant("127.0.0.1:1").lease_id
    clock.now += 10
    ended = leases.grant("127.0.0.1:2").lease_id
    leases.end(ended)
    for lease_id in (ran_out, ended, "never was"):
        with pytest.raises(LookupError):
            leases.renew(lease_id)
        with pytest.raises(LookupError):
            leases.end(lease_id)


def test_address_has_one_lease(leases: Leases) -> None:
    """A worker that registers again replaces its old lease, and nobody else's."""
    old = leases.grant("127.0.0.1:1")
    leases.grant("127.0.0.1:2")
    leases.grant("127.0.0.1:1")
    assert sorted(addresses(leases)) == ["127.0.0.1:1", "127.0.0.1:2"]
    with pytest.raises(LookupError):
        leases.renew(old.lease_id)


@pytest.mark.parametrize(
    "address", ["", "127.0.0.1", ":1", "127.0.0.1:", "h:x", "h:65536", "::1:1", "a b:1"]
)
def test_bad_address_gets_no_lease(leases: Leases, address: str) -> None:
    """What is not host:port is refused with a message that shows it."""
    with pytest.raises(ValueError, match="not an address of the form host:port"):
        leases.grant(address)
    assert addresses(leases) == []


class Naps:
    """The waits of a worker between renewals, each ended by the test."""

    def __init__(self) -> None:
        """Start with nobody asleep."""
        self.seconds: asyncio.Queue[float] = asyncio.Queue()
        self._over: asyncio.Queue[None] = asyncio.Queue()

    async def sleep(self, seconds: float) -> None:
        """Wait for the test."""
        self.seconds.put_nowait(seconds)
        await self._over.get()

    async def started(self) -> float:
        """Wait until the worker waits and return for how long it wants to."""
        async with asyncio.timeout(30):
            return await self.seconds.get()

    def end(self) -> None:
        """End the worker's wait."""
        self._over.put_nowait(None)


@asynccontextmanager
async def served(leases: Leases) -> AsyncIterator[str]:
    """Serve a registry of the leases; yield its address."""
    add_to = functools.partial(
        registry_pb2_grpc.add_RegistryServiceServicer_to_server, Registry(leases)
    )
    async with serving(SERVICE, add_to, LOCAL) as address:
        yield address


async def test_worker_renews_in_good_time(leases: Leases, clock: Clock) -> None:
    """A worker keeps one lease for as long as it is there, and gives it back as it leaves."""
    naps = Naps()
    async with served(leases) as registry:
        async with registered("127.0.0.1:1", registry, sleep=naps.sleep):
            (lease,) = leases.running()
            assert await naps.started() == pytest.approx(10 / 3)
            for _ in range(6):
                clock.now += 10 / 3
                naps.end()
                assert await naps.started() == pytest.approx(10 / 3)
            assert leases.running() == [lease]
        assert leases.running() == []


async def test_worker_registers_anew_when_its_lease_is_lost(leases: Leases, clock: Clock) -> None:
    """A worker whose lease ran out has a new one after its next renewal."""
    naps = Naps()
    async with (
        served(leases) as registry,
        registered("127.0.0.1:1", registry, sleep=naps.sleep),
    ):
        await naps.started()
        clock.now += 10
        assert leases.running() == []
        naps.end()
        await naps.started()
        assert addresses(leases) == ["127.0.0.1:1"]


async def test_worker_outlives_its_registry(
    leases: Leases, caplog: pytest.LogCaptureFixture
) -> None:
    """A registry that is gone is a warning at each renewal, and no error as the worker leaves."""
    naps = Naps()
    async with AsyncExitStack() as registry_stack:
        registry = await registry_stack.enter_async_context(served(leases))
        async with registered("127.0.0.1:1", registry, sleep=naps.sleep):
            await naps.started()
            await registry_stack.aclose()
            naps.end()
            await naps.started()
            assert [record.levelno for record in caplog.records] == [logging.WARNING]
            assert "lease not renewed" in caplog.text


async def test_first_registration_must_succeed() -> None:
    """A worker that can't register says where and why."""
    async with served(Leases()) as registry:
        gone = registry
        with pytest.raises(ConnectionError, match=f"{registry}: INVALID_ARGUMENT: not an address"):
            async with registered("nonsense", registry):
                pass
    with pytest.raises(ConnectionError, match=f"cannot register at {gone}: UNAVAILABLE"):
        async with registered("127.0.0.1:1", gone):
            pass
