"""The chart takes of an option what the command takes, and no more."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path

import pytest

from modelyard.cli.gateway_options import parser
from tests.shape.chart import CHART, KUBERNETES, helm

OF_THE_CHART = {"drain-delay", "grace"}
"""What the chart refuses with a sentence of its own."""

OPTIONS = sorted(
    pattern.strip("^$")
    for pattern in json.loads((CHART / "values.schema.json").read_text())["properties"]["gateway"][
        "properties"
    ]["options"]["patternProperties"]
    if pattern.strip("^$") not in OF_THE_CHART
)
NUMBERS = (-1, 0, 0.001, 0.5, 1, 1.5, 7, 20.0, 255, 256, 86400, 86400.5, 86401, 16777216)
TEXTS = ("", "-1", "0", "0.0", "0.01", "0.50", "1", "1.0", "1.01", "1.5", "7", "30.25", "255", "256", "999")
LARGE = ("1000", "9999", "10000", "79999", "86399", "86400", "86400.0", "86400.1", "86401", "90000", "100000")
ODD = ("007", "016777216", "00", "01.5", "1e3", "1_000", " 5", "5.", ".5", "inf", "nan", "9" * 19, "true")


def refused_by_the_command(value: str) -> set[str]:
    """The options for which it does not take this."""
    return {name for name in OPTIONS if not _takes(f"--{name}={value}")}


def _takes(argument: str) -> bool:
    with redirect_stderr(StringIO()):
        try:
            parser().parse_args([argument])
        except SystemExit:
            return False
    return True


@pytest.fixture
def refused_by_the_chart(tmp_path: Path) -> Callable[[object], set[str]]:
    """The options for which its schema does not take this."""

    def of(value: object) -> set[str]:
        values = tmp_path / "values.json"
        values.write_text(json.dumps({"gateway": {"options": dict.fromkeys(OPTIONS, value)}}))
        done = helm("template", str(CHART), f"--kube-version={KUBERNETES}", "--values", str(values))
        return set(re.findall("at '/gateway/options/([a-z-]+)'", done.stderr))

    return of


@pytest.mark.parametrize("value", [*NUMBERS, *TEXTS, *LARGE])
def test_a_value_is_refused_for_the_options_for_which_the_command_refuses_it(
    refused_by_the_chart: Callable[[object], set[str]], value: object
) -> None:
    told = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)

    assert refused_by_the_chart(value) == refused_by_the_command(told)


@pytest.mark.parametrize("text", ODD)
def test_what_may_be_read_in_two_ways_is_refused_for_every_option_of_numbers(
    refused_by_the_chart: Callable[[object], set[str]], text: str
) -> None:
    assert refused_by_the_chart(text) >= set(OPTIONS) - {"answer-half-closed"}
