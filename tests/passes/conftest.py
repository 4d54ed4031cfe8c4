"""Passes run against both API servers."""

from __future__ import annotations

from tests.support.backends import backend, pytest_generate_tests

__all__ = ["backend", "pytest_generate_tests"]
