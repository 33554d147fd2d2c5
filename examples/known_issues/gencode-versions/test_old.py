"""A module that was generated years ago, and has been checked in since."""

import old_pb2


def test_old() -> None:
    """A message keeps its text."""
    message = vars(old_pb2)["Old"](text="hello")
    assert message.text == "hello"
