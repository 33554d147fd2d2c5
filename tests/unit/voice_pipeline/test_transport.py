"""Addresses, and a server that is gone when its context is."""

from __future__ import annotations

import grpc.aio
import pytest
from grpc import StatusCode

from examples.voice_pipeline.registry import SERVICE
from examples.voice_pipeline.transport import (
    LOCAL,
    connect,
    join_address,
    serving,
    split_address,
)
from examples.voice_pipeline.v1 import registry_pb2, registry_pb2_grpc


def add_nothing(server: grpc.aio.Server) -> None:
    """Serve nothing but health."""
    del server


@pytest.mark.parametrize(
    ("address", "host", "port"),
    [
        ("127.0.0.1:0", "127.0.0.1", 0),
        ("localhost:65535", "localhost", 65535),
        ("[::1]:1", "::1", 1),
    ],
)
def test_address_is_split_and_joined(address: str, host: str, port: int) -> None:
    """Host and port come out of an address and make it again; IPv6 hosts have brackets in it."""
    assert split_address(address) == (host, port)
    assert join_address(host, port) == address


async def test_address_is_free_when_the_server_is_gone() -> None:
    """A server has its address for itself while it runs, and no longer."""
    async with serving(SERVICE, add_nothing, LOCAL) as address:
        assert split_address(address)[1] > 0
        with pytest.raises(OSError, match=f"cannot listen on {address}"):
            async with serving(SERVICE, add_nothing, address):
                pass
    async with serving(SERVICE, add_nothing, address) as again:
        assert again == address


async def test_failure_within_stops_the_server() -> None:
    """An error in the body gets out, and the server does not outlive it."""
    with pytest.raises(ZeroDivisionError):
        async with serving(SERVICE, add_nothing, LOCAL) as address:
            raise ZeroDivisionError
    async with connect(address) as channel:
        stub = registry_pb2_grpc.RegistryServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await stub.Register(registry_pb2.RegisterRequest(), timeout=30)
    assert failure.value.code() is StatusCode.UNAVAILABLE
