"""What several tests of clusters need."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cluster.docker_machine import Machine, provider


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine where a cluster runs; what made it is forgotten."""
    made = Machine()
    provider(made, tmp_path).up()
    made.commands.clear()
    return made
