from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from modelyard.checks.limits import Limits

FAST = Limits(
    ask_interval=0.02,
    strange_seconds=0.2,
    settle_seconds=0.05,
    settle_interval=0.02,
    back_seconds=0.1,
    aftermath_seconds=0.2,
)
"""Of a machine where nothing takes long."""


@pytest.fixture(autouse=True)
def path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models find the Python that runs the tests."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """Data of three rows."""
    path = tmp_path / "rows.csv"
    path.write_text("a,b\n1,2\n3,4\n5,6\n")
    return path
