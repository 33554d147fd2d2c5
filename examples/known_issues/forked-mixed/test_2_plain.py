"""The next file: its first test is the one that is told to have failed."""


def test_innocent() -> None:
    """Has nothing to do with forks."""
    print("\nthe innocent test runs")
