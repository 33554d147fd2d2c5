"""A machine with a proxy: gRPC takes it for a server on 127.0.0.1, too."""

import os

import grpc
import pytest


@pytest.mark.parametrize("variable", ["http_proxy", "https_proxy", "grpc_proxy"])
def test_say(variable: str, proxy: str, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service gives back what it was sent."""
    monkeypatch.setenv(variable, proxy)
    print(f"{variable}={proxy}")
    print(f"NO_PROXY={os.environ.get('NO_PROXY', '')}")
    with grpc.insecure_channel(address) as channel:
        say = channel.unary_unary("/echo.Echo/Say", bytes, bytes)
        assert say(b"hello", timeout=60) == b"hello"
    print("the service has answered")
