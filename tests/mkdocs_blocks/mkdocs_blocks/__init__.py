"""Checks every fenced block of a MkDocs site as a pytest test."""
