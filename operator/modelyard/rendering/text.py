"""What was rendered, as text for people and programs. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import yaml

from modelyard.api import labels
from modelyard.api.kinds import (
    EXECUTION_ENVIRONMENT_VERSION,
    MODEL_LEDGER,
    MODEL_TEST,
    POD_DISRUPTION_BUDGET,
    SERVICE,
)
from modelyard.rendering.reading import BARE_WORDS

Manifest = dict[str, Any]

_WIDTH = 110


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as blocks, so that code and plans can be read. Quoted is what kubectl, or PyYAML, would
    take for something else than a text."""

    yaml_implicit_resolvers = {**yaml.SafeDumper.yaml_implicit_resolvers, None: BARE_WORDS}


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)
_Dumper.ignore_aliases = lambda self, data: True  # type: ignore[method-assign]


def as_yaml(manifests: Sequence[Manifest]) -> str:
    """A stream of documents, each with a line on when it is applied."""
    return "".join(f"---\n# {moment(one)}\n{_document(one)}" for one in manifests)


def as_json(manifests: Sequence[Manifest]) -> str:
    """One List."""
    whole = {"apiVersion": "v1", "kind": "List", "items": list(manifests)}
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def moment(manifest: Manifest) -> str:
    """When the operator applies this."""
    kind, of = manifest["kind"], manifest["metadata"]["labels"]
    if kind in (EXECUTION_ENVIRONMENT_VERSION.name, MODEL_LEDGER.name):
        return "at once"
    if kind == MODEL_TEST.name:
        return "when every replica of the version is ready"
    if kind == POD_DISRUPTION_BUDGET.name:
        return "when the version serves"
    if kind == SERVICE.name and labels.SERVES in manifest["spec"]["selector"] and labels.OF_VERSION not in of:
        return "at once; it selects the version when that serves"
    if labels.OF_TEST in of:
        return "when the test has its turn"
    return "when the image of the environment is resolved"


def _document(manifest: Manifest) -> str:
    return yaml.dump(manifest, Dumper=_Dumper, sort_keys=False, width=_WIDTH, allow_unicode=True)
