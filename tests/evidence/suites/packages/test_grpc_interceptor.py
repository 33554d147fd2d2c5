"""grpc-interceptor: its module for tests serves in a thread, in a loop that nobody closes."""

import pytest
from grpc_interceptor.testing import DummyRequest, dummy_client


@pytest.mark.parametrize("number", range(3))
def test_stops(number: int) -> None:
    """It stops the server itself: there is nothing to be told."""
    with dummy_client(special_cases={}, aio_server=True) as client:
        assert client.Execute(DummyRequest(input=f"{number}")).output == f"{number}"


@pytest.mark.asyncio
async def test_stops_beside_a_loop() -> None:
    """So it does while another loop runs."""
    with dummy_client(special_cases={}, aio_server=True, aio_read_write=True) as client:
        assert client.Execute(DummyRequest(input="in a test")).output == "in a test"
