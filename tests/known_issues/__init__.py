"""Tests of the suites of the known issues."""
