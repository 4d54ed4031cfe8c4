"""The chart as helm renders it, for the tests of its shape."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.tools import tool

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts" / "modelyard"
KUBERNETES = "1.33.0"
"""The oldest release that the chart installs on."""


def helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run helm; the caller looks at the code."""
    return subprocess.run([tool("helm"), *arguments], capture_output=True, text=True)


@cache
def render(*settings: str) -> list[dict[str, Any]]:
    """The manifests of the chart with `--set` settings."""
    options = [option for setting in settings for option in ("--set", setting)]
    done = helm(
        "template",
        "modelyard",
        str(CHART),
        "--namespace=modelyard-system",
        f"--kube-version={KUBERNETES}",
        *options,
    )
    assert done.returncode == 0, done.stderr
    return parsed(done.stdout)


def parsed(text: str) -> list[dict[str, Any]]:
    """All documents but empty ones; read by libyaml, as Python's own reader takes a fifth of a second for a chart."""
    return [manifest for manifest in yaml.load_all(text, yaml.CSafeLoader) if manifest]


def of_kind(manifests: Iterable[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """Those of one kind."""
    return [manifest for manifest in manifests if manifest["kind"] == kind]


def permissions(role: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """(group, resource, verb) for each thing that a role allows."""
    for rule in role["rules"]:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                for verb in rule["verbs"]:
                    yield group, resource, verb
