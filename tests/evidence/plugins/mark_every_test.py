"""Gives every test the mark that EVIDENCE_MARK names: some plugins isolate marked tests alone."""

import os

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests."""
    for item in items:
        item.add_marker(os.environ["EVIDENCE_MARK"])
