"""How long tea takes."""

import sys

MINUTES = {"black": 4, "green": 2, "white": 5}


def minutes(kind: str) -> int:
    """Return the minutes that a kind of tea takes; raise `KeyError` for one that is not known."""
    return MINUTES[kind]


if __name__ == "__main__":
    print(minutes(sys.argv[1]), "minutes")
