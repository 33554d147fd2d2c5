"""The generated code can be imported and used."""

import echo_pb2
import echo_pb2_grpc


def test_echo() -> None:
    """A message keeps its text, and the stub has the method."""
    assert echo_pb2.Text(text="hello").text == "hello"
    assert echo_pb2_grpc.EchoServicer.Say
