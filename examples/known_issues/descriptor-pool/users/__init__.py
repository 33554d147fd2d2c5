"""One of two packages, each with a types.proto."""
