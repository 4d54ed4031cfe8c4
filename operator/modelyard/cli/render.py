"""`modelyard render`: what the operator would apply for YAML files, without a cluster.

The documents go through the operator's own passes, over a world on paper where every pod comes up and every test
succeeds. Printed is what it would send to the API server, in the order of applying; what only a cluster knows is a
placeholder, and is told on stderr. The settings are those of the environment: the MODELYARD_ variables of the operator.

Exit code 0: printed. 2: the documents cannot be meant so, or something that they name is missing; nothing is printed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from modelyard.api.kinds import ALL_KINDS
from modelyard.cli.stdout import write_out
from modelyard.cli.usage import EXIT_FINE, EXIT_INTERRUPTED, EXIT_USAGE, UsageError, readable
from modelyard.rendering.documents import Documents, Text, namespace_problem, read
from modelyard.rendering.placeholders import Placeholders
from modelyard.rendering.render import Rendering, render
from modelyard.rendering.text import as_json, as_yaml
from modelyard.settings import Settings, from_environ

_KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_SUFFIXES = (".yaml", ".yml", ".json")
_RENDERERS = {"yaml": as_yaml, "json": as_json}


def main(argv: Sequence[str] | None = None) -> int:
    """Entry of `modelyard render`."""
    options = _parser().parse_args(argv)
    try:
        found = _found(options)
        rendering = asyncio.run(render(found.objects, _settings(), Placeholders()))
        return _tell(found, rendering, options)
    except UsageError as error:
        print(f"modelyard render: {error}", file=sys.stderr)
        return EXIT_USAGE
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def _tell(found: Documents, rendering: Rendering, options: argparse.Namespace) -> int:
    told = [*_ignored(found), *(rendering.notes if not rendering.problems else ())]
    for note in () if options.quiet else told:
        print(f"note: {note}", file=sys.stderr)
    for problem in rendering.problems:
        print(f"error: {problem}", file=sys.stderr)
    if rendering.problems:
        return EXIT_USAGE
    chosen = [one for one in rendering.manifests if not options.only or one["kind"] in options.only]
    if text := _RENDERERS[options.format](chosen):
        write_out(text, options.format)
    return EXIT_FINE


def _parser() -> argparse.ArgumentParser:
    head, _, rest = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        prog="modelyard render",
        description=head,
        epilog=rest,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "-f",
        "--file",
        action="append",
        required=True,
        metavar="FILE",
        help="a file of YAML or JSON documents, a folder of such, or - for standard input; may be given again",
    )
    parser.add_argument(
        "-n", "--namespace", default="default", help="of documents that name none (default: default)"
    )
    parser.add_argument("--format", choices=_RENDERERS, default="yaml", help="default: yaml")
    parser.add_argument(
        "--only",
        action="append",
        type=_kind,
        metavar="KIND",
        help="print this kind alone; may be given again",
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="say nothing of placeholders on stderr")
    return parser


def _kind(word: str) -> str:
    """The name of a kind, however it is spelt: Deployment, deployment, deployments, cmv."""
    for kind in ALL_KINDS:
        if word.lower() in (kind.name.lower(), kind.plural, kind.short):
            return kind.name
    raise argparse.ArgumentTypeError(f"there is no kind {word!r} here (Deployment is one)")


def _found(options: argparse.Namespace) -> Documents:
    """The documents of all files; UsageError when one cannot be meant so, or there is none of use."""
    if problem := namespace_problem(options.namespace):
        raise UsageError(f"--namespace: {problem}")
    found = read([text for name in options.file for text in _texts(name)], options.namespace)
    if found.problems:
        raise UsageError("\n  ".join(found.problems))
    if not found.objects:
        raise UsageError(_nothing(options.file, found))
    return found


def _settings() -> Settings:
    try:
        return from_environ(os.environ)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _texts(name: str) -> Iterator[Text]:
    if name == "-":
        with readable("standard input"):
            content = sys.stdin.read() if sys.stdin else ""
        yield Text("standard input", content)
        return
    path = Path(name)
    if any((path / kustomization).exists() for kustomization in _KUSTOMIZATIONS):
        made = f"kubectl kustomize {shlex.quote(name)} | modelyard render -f -"
        raise UsageError(f"{name} is to be put together by Kustomize first: {made}")
    with readable(name):
        files = sorted(one for one in path.iterdir() if one.suffix in _SUFFIXES) if path.is_dir() else [path]
    if not files:
        raise UsageError(
            f"{name} holds no file that ends in {', '.join(_SUFFIXES)}; give the file itself, or another folder"
        )
    for file in files:
        with readable(str(file)):
            content = file.read_text(encoding="utf-8")
        yield Text(str(file), content)


def _nothing(names: Sequence[str], found: Documents) -> str:
    what = f"only {'; '.join(found.ignored)}" if found.ignored else "no document"
    return f"{', '.join(names)}: there is {what}; give a CustomModel, its versions and their environment"


def _ignored(found: Documents) -> list[str]:
    """What is not of ours, and how what Kustomize makes gets in."""
    notes = [f"not looked at: {one}" for one in found.ignored]
    if any(one.endswith(": Kustomization") for one in found.ignored):
        notes.append(
            "what a Kustomization makes gets in with `kubectl kustomize FOLDER | modelyard render -f -`"
        )
    return notes
