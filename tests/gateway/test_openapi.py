"""What the gateway says of itself in /v2/openapi.json is so: schemathesis tries whatever that allows, and forbids."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.gateway.conftest import Chaos
from tests.gateway.environments import SCHEMATHESIS, Environment, variables
from tests.gateway.running import Gateway

_START = "import sys; from schemathesis.cli import schemathesis; sys.argv[0] = 'st'; schemathesis()"
SEED = 20261121
KNOWN = '[parameters]\nmodel = "echo"\nversion = "1.0"\n"path.namespace" = "here"\n'
"""Names that there are: with random ones little more than 404 is ever answered."""


@pytest.mark.chaos
@pytest.mark.parametrize(
    ("configuration", "phases"),
    [("", "examples,fuzzing"), (KNOWN, "coverage,fuzzing")],
    ids=["any-names", "known-names"],
)
def test_every_answer_is_one_that_is_described(
    front: Gateway,
    pythons: Callable[[Environment], Path],
    tmp_path: Path,
    chaos: Chaos,
    configuration: str,
    phases: str,
) -> None:
    (tmp_path / "schemathesis.toml").write_text(configuration)
    options = [
        f"--url=http://{front.base}",
        f"--seed={SEED}",
        f"--max-examples={round(chaos.time(5))}",
        f"--phases={phases}",
        "--checks=all",
        "--exclude-checks=positive_data_acceptance",  # No schema can say that data must fit its shape.
        "--output-truncate=false",
    ]
    if not chaos.seconds:  # The paths of every namespace are the same once more.
        options.append("--exclude-path-regex=namespace")
    done = subprocess.run(
        [str(pythons(SCHEMATHESIS)), "-c", _START, "run", f"http://{front.base}/v2/openapi.json", *options],
        cwd=tmp_path,
        env=variables(NO_COLOR="1"),
        capture_output=True,
        text=True,
        timeout=60 + 10 * chaos.seconds,
    )

    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    tested = re.search(r"Tested: (\d+)", done.stdout)
    assert tested, done.stdout
    assert int(tested[1]) >= (19 if chaos.seconds else 9), done.stdout
