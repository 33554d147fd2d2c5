"""What the suites share: a list of what tests forget, and a client that calls it too late."""

import gc
from collections.abc import Iterator

import grpc
import pytest
from grpc._cython.cygrpc import RPCState

# None of these servers has it.
METHOD = "/any.Service/AnyMethodOfAnyService"


class Forgotten:
    """What the tests have left: the things themselves, and the addresses of their servers."""

    def __init__(self) -> None:
        """Know of nothing."""
        self.kept: list[object] = []
        self.addresses: list[str] = []

    def keep(self, thing: object, address: int | str) -> None:
        """Keep a thing alive, whose server listens on a port of this host, or at an address."""
        self.kept.append(thing)
        self.addresses.append(f"127.0.0.1:{address}" if isinstance(address, int) else address)


@pytest.fixture(scope="session", autouse=True)
def forgotten() -> Iterator[Forgotten]:
    """Call each server once more after the last event loop has gone, as a health check would.

    What gRPC may then write into is as large as what it was told of: see the leaking suite.
    """
    forgotten = Forgotten()
    yield forgotten
    slots = [f"slot{n}" for n in range(RPCState.__basicsize__ // 8 - 3)]
    victim = type("Victim", (float,), {"__slots__": slots})
    victims = [victim() for _ in range(5_000)]
    for address in forgotten.addresses:
        with grpc.insecure_channel(address) as channel:
            call = channel.unary_unary(METHOD, bytes, bytes)
            with pytest.raises(grpc.RpcError):
                call(b"", timeout=0.3)
        gc.collect()
    del victims
    forgotten.kept.clear()
    gc.collect()


async def answers(address: str) -> grpc.StatusCode:
    """Call a server, and give the status of its answer: UNIMPLEMENTED."""
    async with grpc.aio.insecure_channel(address) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await channel.unary_unary(METHOD, bytes, bytes)(b"", timeout=5.0, wait_for_ready=True)
    return refusal.value.code()
