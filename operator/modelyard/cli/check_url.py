"""`modelyard check --url`: the checks of a test against a model that is up, wherever it is."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from pydantic import ValidationError

from modelyard.api.check_plan import CheckPlan, first_problem
from modelyard.api.check_report import CheckReport
from modelyard.checks.data import DataError
from modelyard.checks.limits import Limits
from modelyard.checks.report import report_of
from modelyard.checks.run import Progress, Run
from modelyard.checks.runner import run_checks
from modelyard.cli.model_options import Asked, add_options, asked_for, data_of, plan_of, report_options
from modelyard.cli.output_files import refuse_to_write_nowhere
from modelyard.cli.stopping import Stopped, run_until_stopped
from modelyard.cli.terminal import Terminal, exit_code, write_report
from modelyard.cli.usage import EXIT_USAGE, UsageError

LIMITS = Limits(settle_seconds=2, settle_interval=0.5, back_seconds=10, aftermath_seconds=0)

_PORTS = {"http": 80, "https": 443}
_ROUTE = "/predict_no_state/"


@dataclass(frozen=True, slots=True)
class Target:
    """Where a model is: what the checks call its address, and the path below which it answers."""

    address: str
    url_prefix: str


def main(argv: Sequence[str], limits: Limits = LIMITS) -> int:
    """Check a model; 0 when it is fine, 1 when it is not, 2 when it cannot be checked as asked, 128 + n by signal."""
    options = _parser().parse_args(argv)
    try:
        report = _report(options, limits)
        write_report(report, report_options(options))
    except (UsageError, DataError) as error:
        print(f"modelyard check: {error}", file=sys.stderr)
        return EXIT_USAGE
    except Stopped as stopped:
        print(f"modelyard check: {stopped}", file=sys.stderr)
        return stopped.exit_code
    return exit_code(report, strict=options.strict)


def _report(options: argparse.Namespace, limits: Limits) -> CheckReport:
    refuse_to_write_nowhere([options.output])
    target = parse_url(options.url)
    asked = asked_for(options, target.url_prefix.rpartition("/")[2] or target.address)
    data = data_of(asked)
    terminal = Terminal(options.quiet)
    terminal.introduce(asked.remarks, asked.warnings)
    terminal.say(f"asking {options.url}, for {options.timeout:g} s at most (--timeout)")
    run = Run(_plan(asked, target), data, limits, terminal.say, Progress())
    summary = run_until_stopped(run_checks(run))
    return report_of(run, summary)


def parse_url(url: str) -> Target:
    """What a URL says; UsageError when it is not that of a model."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UsageError(f"--url {url}: {error}") from None
    if problem := _url_problem(parts):
        raise UsageError(f"--url {url}: {problem}")
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    scheme = "https://" if parts.scheme == "https" else ""
    path = parts.path.removesuffix(_ROUTE.rstrip("/")).removesuffix(_ROUTE)
    return Target(f"{scheme}{host}:{_PORTS[parts.scheme] if port is None else port}", path.rstrip("/"))


def _url_problem(parts: SplitResult) -> str | None:
    if parts.scheme not in _PORTS:
        return "must begin with http:// or https://"
    if not parts.hostname:
        return "names no host"
    if parts.username is not None:
        return "must hold no user name or password"
    if any(letter.isspace() for letter in f"{parts.netloc}{parts.path}"):
        return "must hold no blank; write %20 in its path"
    if not parts.hostname.isascii():
        return "must name its host in ASCII, as xn--bcher-kva.example for bücher.example"
    if parts.port == 0:
        return "names port 0, on which nobody listens"
    if parts.query or parts.fragment:
        return "must end with the path below which the model answers: no ? and no #"
    return None


def _plan(asked: Asked, target: Target) -> CheckPlan:
    try:
        return plan_of(asked, "check", target.address, target.url_prefix)
    except ValidationError as error:
        raise UsageError(f"--url: {first_problem(error)}") from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="modelyard check",
        description="Check a model that is up, as the cluster would. Exit code: 0 succeeded or warning, 1 failed,"
        " 2 cannot be checked as asked.",
        epilog="With --plan it is the runner of a test's Job instead: `modelyard check --plan FILE --help`.",
    )
    parser.add_argument(
        "--url",
        required=True,
        help="where the model answers: http or https, up to and including its URL_PREFIX",
    )
    add_options(parser)
    return parser
