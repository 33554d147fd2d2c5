"""Code that somebody else has generated: grpcio's health checking."""

from grpc_health.v1 import health_pb2


def test_health() -> None:
    """A request keeps the name of its service."""
    assert health_pb2.HealthCheckRequest(service="echo").service == "echo"
