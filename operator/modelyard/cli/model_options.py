"""The options that `modelyard try` and `modelyard check` share, and what they ask for."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from modelyard.api.check_plan import CheckConfiguration, CheckName, CheckPlan, first_problem
from modelyard.api.custom_model import CustomModelSpec, TargetType
from modelyard.api.custom_model_version import Startup
from modelyard.api.dataset import DataFormat
from modelyard.checks.data import DataSet
from modelyard.checks.data_files import load_data_set
from modelyard.cli.model_file import ModelFile, read_model_file
from modelyard.cli.terminal import RENDERERS, ReportOptions
from modelyard.cli.usage import UsageError, readable
from modelyard.manifests.told import told

DEFAULT_TIMEOUT = 600
MAX_SAMPLE_ROWS = 1000

_OF_DATA = tuple(name for name in CheckName if name is not CheckName.LONG_RUNNING_SERVICE)
"""The checks of predictions."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be checked, and how."""

    name: str
    model: CustomModelSpec
    configuration: CheckConfiguration
    data: Path | None
    data_format: DataFormat
    timeout_seconds: int
    label: str = "1.0"
    variables: Mapping[str, str] = field(default_factory=dict)
    """The environment variables that the version declares."""

    start_command: tuple[str, ...] = ()
    """The environment's, where it brings its own server."""

    startup_seconds: float = Startup().timeout_seconds
    """How long the server may take to start."""

    remarks: tuple[str, ...] = ()
    """What was assumed, for the user to know."""

    warnings: tuple[str, ...] = ()
    """What is hardly meant so."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Give a parser the options that `asked_for` reads."""
    model = parser.add_argument_group("the model")
    model.add_argument(
        "-f", "--file", type=Path, metavar="FILE", help="take what follows from the CustomModel in this YAML"
    )
    model.add_argument("--target-type", choices=get_args(TargetType), help="what it predicts")
    model.add_argument("--target-name", metavar="NAME", help="name of what it predicts (default: target)")
    model.add_argument("--positive-label", metavar="LABEL", help='of a Binary model (default: "1")')
    model.add_argument("--negative-label", metavar="LABEL", help='of a Binary model (default: "0")')
    model.add_argument("--class-labels", metavar="A,B,C", help="of a Multiclass model, separated by commas")
    checks = parser.add_argument_group("the checks")
    checks.add_argument("--data", type=Path, metavar="FILE", help="rows to predict, as CSV or JSON")
    checks.add_argument(
        "--data-format",
        choices=get_args(DataFormat),
        help="how they are written (default: by the file's name)",
    )
    checks.add_argument(
        "--check",
        action="append",
        default=[],
        metavar="NAME=WORD",
        help=f"what a failure means: skip, warn or fail; names: {', '.join(CheckName)}",
    )
    checks.add_argument(
        "--tolerance",
        metavar="NUMBER",
        help="how far apart equal predictions may be, absolute and relative (1e-6)",
    )
    checks.add_argument(
        "--sample-rows", type=int, metavar="N", help="rows that are sent one by one and for each column (100)"
    )
    checks.add_argument(
        "--timeout",
        type=int,
        default=DEFAULT_TIMEOUT,
        metavar="SECONDS",
        help=f"for all of it (default: {DEFAULT_TIMEOUT})",
    )
    report = parser.add_argument_group("the report")
    report.add_argument("--format", choices=RENDERERS, default="text", help="default: text")
    report.add_argument("--output", type=Path, metavar="FILE", help="where to write it (default: stdout)")
    report.add_argument("--strict", action="store_true", help="exit with 1 for a warning too")
    report.add_argument("-q", "--quiet", action="store_true", help="no progress on stderr")


def report_options(options: argparse.Namespace) -> ReportOptions:
    """How the options want the report."""
    return ReportOptions(options.format, options.output, options.strict)


def data_of(asked: Asked) -> DataSet | None:
    """The rows to predict, if there are any. UsageError where there is no such file, DataError for its content."""
    if asked.data is None:
        return None
    with readable(f"data set {asked.data}"):
        asked.data.stat()
    return load_data_set(asked.data, asked.data_format)


def asked_for(options: argparse.Namespace, name: str) -> Asked:
    """What the options ask for; UsageError when they cannot be meant. `name` is for a model without one."""
    found = read_model_file(options.file) if options.file else ModelFile()
    if options.timeout < 1:
        raise UsageError(f"--timeout must be at least 1 second, not {options.timeout}")
    spec = _spec(options, found.model)
    configuration = _configuration(options, found.configuration)
    return Asked(
        name=found.name or name,
        model=spec,
        configuration=configuration,
        data=options.data,
        data_format=_data_format(options),
        timeout_seconds=options.timeout,
        label=found.label or "1.0",
        variables=found.variables,
        start_command=found.start_command,
        startup_seconds=found.startup_seconds,
        remarks=_remarks(options, spec, found),
        warnings=_warnings(options, configuration),
    )


def plan_of(asked: Asked, test: str, address: str, url_prefix: str) -> CheckPlan:
    """The plan of a run against one address, which is all that is known of the model's servers."""
    spec = asked.model
    positive, negative = spec.labels()
    return CheckPlan(
        test=test,
        model=asked.name,
        version=asked.label,
        url_prefix=url_prefix,
        service=address,
        target_type=spec.target_type,
        target_name=spec.target_name,
        positive_class_label=positive,
        negative_class_label=negative,
        class_labels=tuple(spec.class_labels or ()),
        configuration=asked.configuration,
        timeout_seconds=asked.timeout_seconds,
    )


def _spec(options: argparse.Namespace, declared: Mapping[str, Any]) -> CustomModelSpec:
    wire = {"targetType": "Regression", "targetName": "target"} | dict(declared)
    classes = (
        [one.strip() for one in options.class_labels.split(",")] if options.class_labels is not None else None
    )
    given = {
        "targetType": options.target_type,
        "targetName": options.target_name,
        "positiveClassLabel": options.positive_label,
        "negativeClassLabel": options.negative_label,
        "classLabels": classes,
    }
    wire |= {key: value for key, value in given.items() if value is not None}
    if options.target_type and options.target_type != declared.get("targetType", options.target_type):
        wire = _without_labels(wire, given)
    try:
        spec = CustomModelSpec.model_validate(wire)
    except ValidationError as error:
        raise UsageError(f"the model cannot be like that: {first_problem(error)}") from None
    if problem := label_problem(spec):
        raise UsageError(problem)
    return spec


def _without_labels(wire: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Labels of another target type than the one asked for mean nothing; those given as options stay."""
    labels = ("positiveClassLabel", "negativeClassLabel", "classLabels")
    return {key: value for key, value in wire.items() if key not in labels or given.get(key) is not None}


def label_problem(spec: CustomModelSpec) -> str | None:
    """Why the labels do not fit the target type, as the API server would find too; None when they do."""
    if any("\0" in text for text in told("", "", spec).values()):
        return "a name holds a NUL character, which no process can be told; remove it"
    binary = (spec.positive_class_label, spec.negative_class_label)
    if spec.target_type != "Binary" and binary != (None, None):
        return f"positive and negative label are for Binary models, and this one is {spec.target_type}"
    if (binary[0] is None) != (binary[1] is None):
        return "positive and negative label belong together: give both, or neither for 1 and 0"
    if binary[0] is not None and binary[0] == binary[1]:
        return f"positive and negative label are both {binary[0]!r}; they must differ"
    if spec.target_type != "Multiclass" and spec.class_labels is not None:
        return f"class labels are for Multiclass models, and this one is {spec.target_type}"
    if spec.target_type == "Multiclass" and spec.class_labels is None:
        return "a Multiclass model needs its classes: --class-labels a,b,c (or -f with classLabels)"
    if spec.class_labels and len(set(spec.class_labels)) < len(spec.class_labels):
        return "a class label is there twice"
    return None


def _configuration(options: argparse.Namespace, declared: CheckConfiguration) -> CheckConfiguration:
    wire = declared.model_dump(by_alias=True)
    asked = dict(_severity(word) for word in options.check)
    wire |= asked
    if options.tolerance is not None:
        wire["tolerance"] = _tolerance(options.tolerance)
    if options.sample_rows is not None:
        if not 1 <= options.sample_rows <= MAX_SAMPLE_ROWS:
            raise UsageError(f"--sample-rows must be from 1 to {MAX_SAMPLE_ROWS}, not {options.sample_rows}")
        wire["sampleRows"] = options.sample_rows
    if options.data is None:
        wire |= _without_data(asked)
    return CheckConfiguration.model_validate(wire)


def _without_data(asked: Mapping[str, str]) -> dict[str, str]:
    """Nothing can be predicted without data. UsageError where a check that needs some was asked for."""
    for name in _OF_DATA:
        if asked.get(name, "skip") != "skip":
            raise UsageError(f"--check {name}={asked[name]} needs rows to predict: give --data FILE")
    return dict.fromkeys(_OF_DATA, "skip")


def _severity(text: str) -> tuple[str, str]:
    name, separator, word = text.partition("=")
    if not separator:
        raise UsageError(f"--check is NAME=WORD, as {CheckName.SIDE_EFFECTS}=fail, not {text!r}")
    if name not in set(CheckName):
        near = difflib.get_close_matches(name, list(CheckName), n=1, cutoff=0.5)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise UsageError(f"there is no check {name!r}{hint} (there are {', '.join(CheckName)})")
    words = severities(CheckName(name))
    if word not in words:
        raise UsageError(f"--check {name} can be {' or '.join(words)}, not {word!r}")
    return name, word


def severities(name: CheckName) -> tuple[str, ...]:
    """The words that say what a failure of a check means."""
    fields = {one.alias: one for one in CheckConfiguration.model_fields.values()}
    return get_args(fields[name.value].annotation)


def _tolerance(text: str) -> dict[str, float]:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise UsageError(f"--tolerance must be a number from 0 to 1, as 1e-6, not {text!r}")
    return {"absolute": number, "relative": number}


def _data_format(options: argparse.Namespace) -> DataFormat:
    if options.data is None or options.data_format:
        return options.data_format or "json"
    match options.data.suffix.lower():
        case ".csv":
            return "csv"
        case ".json":
            return "json"
    raise UsageError(f"{options.data}: is this csv or json? Say --data-format csv (or json)")


def _remarks(options: argparse.Namespace, spec: CustomModelSpec, found: ModelFile) -> tuple[str, ...]:
    remarks = []
    if not options.target_type and not found.model:
        remarks.append(f"taken as a {spec.target_type} model; --target-type or -f model.yaml say otherwise")
    if options.data is None:
        remarks.append("no --data: only longRunningService is run")
    elif found.remark:
        remarks.append(found.remark)
    return tuple(remarks)


def _warnings(options: argparse.Namespace, configuration: CheckConfiguration) -> tuple[str, ...]:
    """Who gives data wants it predicted, and would take the word of checks that were not run for praise."""
    if options.data is None or any(configuration.severity(name) != "skip" for name in _OF_DATA):
        return ()
    by = f"{options.file} says" if options.file and not options.check else "configured"
    return (
        f"the predictions for {options.data} are not checked: {', '.join(_OF_DATA)} are all skipped, as {by}; "
        f"--check {CheckName.ERROR_CHECK}=fail checks them",
    )
