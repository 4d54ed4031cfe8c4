"""`modelyard crds`: write the CustomResourceDefinitions, or say which files are stale."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from modelyard.api.crds import RESOURCES, crd
from modelyard.cli.usage import EXIT_FINE, EXIT_USAGE

_NOTE = "# Made by `make crds` from the types in operator/modelyard/api; do not edit.\n"

_HEAD = "{{- if .Values.crds.enabled }}\n"
_KEEP = """\
  {{- if .Values.crds.keep }}
  annotations:
    helm.sh/resource-policy: keep
  {{- end }}
"""
_TAIL = "{{- end }}\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Entry of `modelyard crds`; 0 when all is written or fresh, 1 when --check finds a stale file, 2 when one cannot
    be written."""
    options = _parser().parse_args(argv)
    wanted = files(options.output, options.chart)
    if options.check:
        return _check(wanted)
    try:
        _write(wanted)
    except OSError as error:
        print(f"modelyard crds: {error.filename} cannot be written: {error.strerror}", file=sys.stderr)
        return EXIT_USAGE
    return EXIT_FINE


def _write(wanted: Mapping[Path, str]) -> None:
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def files(output: Path, chart: Path) -> dict[Path, str]:
    """The text of each file: plain manifests below `output`, Helm templates below `chart`."""
    plain = {output / f"{resource.kind.plural}.yaml": manifest(resource) for resource in RESOURCES}
    folder = chart / "templates" / "crds"
    return plain | {folder / path.name: template(text) for path, text in plain.items()}


def manifest(resource: type) -> str:
    """The CRD of one kind as YAML, the same bytes for the same types."""
    return _NOTE + yaml.safe_dump(crd(resource), sort_keys=False, width=110, allow_unicode=True)


def template(text: str) -> str:
    """The CRD as a Helm template: made only if `crds.enabled`, kept on uninstall if `crds.keep`."""
    name = "metadata:\n"
    head, rest = text.replace("{{", '{{ "{{" }}').split(name, 1)
    return _HEAD + head + name + _KEEP + rest + _TAIL


def _check(wanted: dict[Path, str]) -> int:
    folders = {path.parent for path in wanted}
    there = {path for folder in folders if folder.exists() for path in folder.glob("*.yaml")}
    stale = [path for path, text in wanted.items() if path not in there or path.read_text("utf-8") != text]
    odd = sorted(there - set(wanted))
    for path in sorted(stale):
        print(f"{path} is stale: run `make crds`", file=sys.stderr)
    for path in odd:
        print(f"{path} belongs to no kind: delete it", file=sys.stderr)
    return 1 if stale or odd else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="modelyard crds", description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("crds"), metavar="DIR", help="default: crds")
    parser.add_argument(
        "--chart",
        type=Path,
        default=Path("charts/modelyard"),
        metavar="DIR",
        help="Helm chart that gets them as templates too (default: charts/modelyard)",
    )
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file is stale")
    return parser
