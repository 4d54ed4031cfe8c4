"""The CRDs in the repository are those that the types say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.shape.chart import ROOT


def test_crds_and_the_charts_copy_are_fresh() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("modelyard"), "crds", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, f"run `make crds`\n{done.stdout}{done.stderr}"
