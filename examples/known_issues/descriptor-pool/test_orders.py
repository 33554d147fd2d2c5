"""The one package."""


def test_order() -> None:
    """An order keeps its number."""
    from orders import types_pb2  # noqa: PLC0415 - the import is what is tested

    assert types_pb2.Order(id="1").id == "1"
