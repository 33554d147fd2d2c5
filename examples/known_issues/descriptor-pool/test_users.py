"""The other package."""


def test_user() -> None:
    """A user keeps the name."""
    from users import types_pb2  # noqa: PLC0415 - the import is what is tested

    assert types_pb2.User(name="Ada").name == "Ada"
