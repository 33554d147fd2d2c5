"""The same machine; the channel of the test asks no proxy."""

import grpc
import pytest


@pytest.mark.parametrize("variable", ["http_proxy", "https_proxy", "grpc_proxy"])
def test_say(variable: str, proxy: str, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service gives back what it was sent."""
    monkeypatch.setenv(variable, proxy)
    print(f"{variable}={proxy}")
    with grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)]) as channel:
        say = channel.unary_unary("/echo.Echo/Say", bytes, bytes)
        assert say(b"hello", timeout=60) == b"hello"
    print("the service has answered")
