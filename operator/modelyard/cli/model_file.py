"""What a YAML file says of a model: its CustomModel, and of its version and environment what a process is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from modelyard.api.check_plan import CheckConfiguration, first_problem
from modelyard.api.custom_model import CustomModelSpec
from modelyard.api.custom_model_version import CustomModelVersionSpec, Startup
from modelyard.api.execution_environment import ExecutionEnvironmentSpec
from modelyard.api.findings import findings
from modelyard.api.labels import GROUP
from modelyard.api.meta import ApiModel
from modelyard.api.schema import structural
from modelyard.cli.gate_checks import counting, merged, merging_remark
from modelyard.cli.model_name import name_problem
from modelyard.cli.usage import UsageError, readable
from modelyard.rendering.reading import NotYaml, documents_in

Spec = TypeVar("Spec", bound=ApiModel)


@dataclass(frozen=True, slots=True)
class ModelFile:
    """What was found; the defaults are those of no file at all."""

    name: str = ""
    model: Mapping[str, Any] = field(default_factory=dict)
    """The spec of the CustomModel, as it is written."""

    configuration: CheckConfiguration = field(default_factory=CheckConfiguration)
    """As strict as the tests of the gate that count."""

    remark: str = ""
    """Which tests these are, where that is not plain."""

    label: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    start_command: tuple[str, ...] = ()
    startup_seconds: int = Startup().timeout_seconds
    """How long the version's server may take to start."""


def read_model_file(path: Path) -> ModelFile:
    """The model in a YAML file of one or more documents; UsageError when there is not exactly one."""
    with readable(str(path)):
        text = path.read_text(encoding="utf-8")
    try:
        return model_in(text)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None


def model_in(text: str) -> ModelFile:
    """The model in the text of a YAML file."""
    documents = _documents(text)
    models = _of_kind(documents, "CustomModel")
    if len(models) != 1:
        names = ", ".join(_name(one) for one in models)
        raise UsageError(f"holds {len(models)} CustomModels ({names})" if models else "holds no CustomModel")
    model = models[0]
    if problem := name_problem(_name(model)) if _name(model) else None:
        raise UsageError(f"CustomModel {_name(model)!r}: its name {problem}")
    spec = _valid(CustomModelSpec, model)
    version = _newest(_of_kind(documents, "CustomModelVersion"), _name(model))
    environment = _environment(_of_kind(documents, "ExecutionEnvironment"), version)
    tests = spec.gate.tests if spec.gate else []
    return ModelFile(
        name=_name(model),
        model=model["spec"],
        configuration=merged(counting(tests)) if tests else CheckConfiguration(),
        remark=merging_remark(tests),
        label=(version.label or "") if version else "",
        variables={one.name: one.value for one in version.environment_variables} if version else {},
        start_command=tuple(environment.start_command) if environment else (),
        startup_seconds=(version.startup if version else Startup()).timeout_seconds,
    )


def _documents(text: str) -> list[dict[str, Any]]:
    try:
        found = documents_in(text)
    except NotYaml as error:
        raise UsageError(f"is not YAML: {error}") from None
    return [one for one in found if isinstance(one, dict)]


def _of_kind(documents: Sequence[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [
        one
        for one in documents
        if one.get("kind") == kind and str(one.get("apiVersion", "")).startswith(f"{GROUP}/")
    ]


def _name(document: Mapping[str, Any]) -> str:
    metadata = document.get("metadata")
    return str(metadata.get("name") or "") if isinstance(metadata, dict) else ""


def _valid(kind: type[Spec], document: Mapping[str, Any]) -> Spec:
    what, wire = f"{document['kind']} {_name(document)}", document.get("spec")
    try:
        spec = kind.model_validate(wire)
    except ValidationError as error:
        raise UsageError(f"{what}: spec.{first_problem(error)}") from None
    for finding in findings(wire, structural(kind), "spec"):
        raise UsageError(f"{what}: {finding}")
    return spec


def _newest(versions: Sequence[dict[str, Any]], model: str) -> CustomModelVersionSpec | None:
    """The version of a model with the highest label, as the one that would serve."""
    specs = [_valid(CustomModelVersionSpec, one) for one in versions]
    ours = [spec for spec in specs if spec.model_ref.name == model]
    return max(ours, key=lambda spec: _order(spec.label or "0.0"), default=None)


def _order(label: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else 0 for part in label.split("."))


def _environment(
    environments: Sequence[dict[str, Any]], version: CustomModelVersionSpec | None
) -> ExecutionEnvironmentSpec | None:
    for one in environments:
        if version is not None and _name(one) == version.environment_ref.name:
            return _valid(ExecutionEnvironmentSpec, one)
    return None
