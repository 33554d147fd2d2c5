"""The generated stubs can be imported."""

from chat import echo_pb2_grpc


def test_stub() -> None:
    """The stubs have the method of the .proto file."""
    assert echo_pb2_grpc.EchoServicer.Say
