"""`modelyard report`: the full report of a test that has ended, read through kubectl.

Exit code 0: the test succeeded, maybe with warnings. 1: it failed, was aborted or canceled. 2: there is no report
to show, or the command cannot be meant so.
"""

from __future__ import annotations

import argparse
import re
import shlex
import sys
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from modelyard.api.check_plan import first_problem
from modelyard.api.check_report import CheckReport, digest_of, parse_report
from modelyard.api.kinds import CONFIG_MAP, MODEL_TEST
from modelyard.api.labels import GROUP
from modelyard.api.meta import Condition
from modelyard.api.model_test import ModelTest, ReportRef
from modelyard.api.reasons import ConditionType
from modelyard.cli.kubectl import Kubectl
from modelyard.cli.stdout import write_out
from modelyard.cli.terminal import RENDERERS
from modelyard.cli.usage import EXIT_FAILED, EXIT_FINE, EXIT_USAGE, UsageError
from modelyard.manifests.test_report import unpacked_log, unpacked_report

_FINE = ("succeeded", "warning")
_KINDS = ("modeltest", "modeltests", f"modeltest.{GROUP}", f"modeltests.{GROUP}")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def main(argv: Sequence[str] | None = None) -> int:
    """Entry of `modelyard report`."""
    options = _parser().parse_args(argv)
    kubectl = Kubectl(options.namespace, options.context, options.kubeconfig)
    try:
        if options.logs and options.format != "text":
            raise UsageError("--logs goes with --format text alone: the log of the runner is text")
        test = _ended(kubectl, _name(options.test))
        write_out(_told(kubectl, test, options), options.format)
    except UsageError as error:
        print(f"modelyard report: {error}", file=sys.stderr)
        return EXIT_USAGE
    return EXIT_FINE if test.status.overall_status in _FINE else EXIT_FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="modelyard report", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "test", metavar="TEST", help="name of the ModelTest, or what `kubectl get --output name` calls it"
    )
    parser.add_argument("-n", "--namespace", help="its namespace (default: that of the context)")
    parser.add_argument("--context", help="the context of the kubeconfig (default: the current one)")
    parser.add_argument("--kubeconfig", metavar="FILE", help="the kubeconfig (default: as kubectl has it)")
    parser.add_argument("--format", choices=RENDERERS, default="text", help="default: text")
    parser.add_argument("--logs", action="store_true", help="show what the runner printed, too")
    return parser


def _name(text: str) -> str:
    """The name of the test; UsageError where it may be of another namespace, or of something else."""
    kind, slash, name = text.rpartition("/")
    if slash and kind.lower() not in _KINDS:
        where = f"its namespace with -n: modelyard report {shlex.quote(name)} -n {shlex.quote(kind)}"
        raise UsageError(f"{text!r} is no name of a ModelTest; give the name alone, and {where}")
    return name


# --- reading ---------------------------------------------------------------------------------------------------


def _ended(kubectl: Kubectl, name: str) -> ModelTest:
    """The test; UsageError when there is none, or it has not ended."""
    found = kubectl.get(MODEL_TEST, name)
    if found is None:
        place = f'namespace "{kubectl.namespace}"' if kubectl.namespace else "the namespace of the context"
        raise UsageError(
            f'ModelTest "{name}" does not exist in {place}. {_next(kubectl, "get", "modeltests")} lists those that do'
        )
    try:
        test = ModelTest.model_validate(found)
    except ValidationError as error:
        raise UsageError(
            f'ModelTest "{name}" is not one that this release knows: {first_problem(error)}'
        ) from None
    if test.status.completed_at is None:
        raise UsageError(_not_ended(kubectl, test))
    return test


def _told(kubectl: Kubectl, test: ModelTest, options: argparse.Namespace) -> str:
    """All that is to be printed."""
    reference = test.status.report
    if reference is None:
        raise UsageError(f"{_outcome(test)}. It has no report: {_why_not_kept(test)}")
    kept = kubectl.get(CONFIG_MAP, reference.config_map)
    if kept is None:
        raise UsageError(
            f'{_outcome(test)}. Its report is gone: ConfigMap "{reference.config_map}" was deleted. '
            "It is not made again; a new ModelTest makes a new one"
        )
    try:
        report, log = _verified(kept, reference), unpacked_log(kept) if options.logs else None
    except ValueError as error:
        raise UsageError(f"{_outcome(test)}. Its report cannot be trusted: {error}") from None
    text = RENDERERS[options.format](report)
    if options.format == "text":
        text += _remark(test, text)
    return text if log is None else f"{text}\nLog of the runner:\n\n{_CONTROL.sub(' ', log)}"


def _verified(kept: dict[str, Any], reference: ReportRef) -> CheckReport:
    """The report, if it is the one that the operator stored; ValueError with one sentence."""
    content = unpacked_report(kept)
    digest = digest_of(content)
    if (digest.length, digest.sha256) != (reference.length, reference.sha256):
        raise ValueError(
            f'ConfigMap "{reference.config_map}" holds {digest.length} bytes with SHA-256 {digest.sha256[:12]}…, the '
            f"status of the test names {reference.length} bytes with {reference.sha256[:12]}…; somebody changed it"
        )
    return parse_report(content)


# --- saying ----------------------------------------------------------------------------------------------------


def _not_ended(kubectl: Kubectl, test: ModelTest) -> str:
    status = test.status
    place = f", number {status.queue_position} of those that wait" if status.queue_position else ""
    ready = _condition(test, ConditionType.READY)
    why = f" ({ready.message})" if ready and ready.message else ""
    wait = _next(kubectl, "wait", "--for=condition=Ready", f"modeltest/{test.metadata.name}", "--timeout=15m")
    word = status.overall_status.replace("_", " ")
    return f'ModelTest "{test.metadata.name}" has not ended: {word}{place}{why}. {wait} waits for its end'


def _outcome(test: ModelTest) -> str:
    said = _condition(test, ConditionType.SUCCEEDED)
    why = f" ({said.message})" if said and said.message else ""
    return f'ModelTest "{test.metadata.name}" ended: {test.status.overall_status}{why}'


def _why_not_kept(test: ModelTest) -> str:
    said = _condition(test, ConditionType.REPORT_STORED)
    if said is None:
        return "it ended under a release of Modelyard that kept none"
    if said.status == "Unknown":
        return f"not yet: the operator {said.message}; try again in a minute"
    return f"{said.reason}: {said.message}"


def _remark(test: ModelTest, text: str) -> str:
    """What the operator knows beyond the report: how a pod under test died, say."""
    said = _condition(test, ConditionType.SUCCEEDED)
    if said is None or said.status == "True" or said.message in text:
        return ""
    return f"The operator says: {_CONTROL.sub(' ', said.message)}\n"


def _condition(test: ModelTest, type: ConditionType) -> Condition | None:
    return next((condition for condition in test.status.conditions if condition.type == type), None)


def _next(kubectl: Kubectl, *arguments: str) -> str:
    """A command for the user to run."""
    return f"`{shlex.join(['kubectl', *kubectl.options, *arguments])}`"
