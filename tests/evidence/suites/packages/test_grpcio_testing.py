"""grpcio-testing: servicers are called, and no server is there at all."""

import grpc
import grpc_testing
from grpc_health.v1 import health, health_pb2


def test_starts_no_server() -> None:
    """What it calls a server is none of grpcio's, and leaks nothing."""
    service = health_pb2.DESCRIPTOR.services_by_name["Health"]
    servicer = health.HealthServicer()
    servicer.set("", health_pb2.HealthCheckResponse.SERVING)
    server = grpc_testing.server_from_dictionary(
        {service: servicer}, grpc_testing.strict_real_time()
    )
    call = server.invoke_unary_unary(
        service.methods_by_name["Check"], (), health_pb2.HealthCheckRequest(), timeout=5.0
    )
    answer, _, code, _ = call.termination()
    assert code is grpc.StatusCode.OK
    assert answer.status == health_pb2.HealthCheckResponse.SERVING
