"""Options of the whole suite."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update-golden` rewrites what stories are compared with; the diff is then the review."""
    parser.addoption("--update-golden", action="store_true", help="rewrite the golden files")
