"""`modelyard init`: write a model that works, to start from: its code, sample data and YAML."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import get_args

from modelyard.api.custom_model import TargetType
from modelyard.cli.model_name import name_for, name_problem
from modelyard.cli.skeleton import LANGUAGES, skeleton
from modelyard.cli.stdout import write_out
from modelyard.cli.usage import EXIT_FINE, EXIT_USAGE, UsageError

_EXECUTABLE = 0o755


def main(argv: Sequence[str]) -> int:
    """Write the model; 0, or 2 when it cannot be written as asked."""
    options = _parser().parse_args(argv)
    name = options.name if options.name is not None else name_for(options.folder)
    try:
        if problem := name_problem(name):
            raise UsageError(f"a model cannot be called {name!r}: the name {problem}")
        write(options.folder, skeleton(name, LANGUAGES[options.language], options.target_type))
        write_out(_next_steps(options.folder))
    except UsageError as error:
        print(f"modelyard init: {error}", file=sys.stderr)
        return EXIT_USAGE
    return EXIT_FINE


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Write files into a folder that is made, or empty; UsageError when that cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise UsageError(f"{folder} is not empty, and nothing is overwritten; name another folder")
        for path, text in files.items():
            file = folder / path
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, encoding="utf-8")
            if path.endswith(".sh"):
                file.chmod(_EXECUTABLE)
    except FileExistsError:
        raise UsageError(f"{folder} is a file; name a folder") from None
    except OSError as error:
        raise UsageError(f"{error.filename} cannot be written: {error.strerror}") from None


def _next_steps(folder: Path) -> str:
    place = shlex.quote(str(folder))
    data = shlex.quote(str(folder / "sample.csv"))
    return (
        f"{folder} holds a model that works. Try it, then change it:\n\n"
        f"  modelyard try {place} --data {data}\n\n"
        f"{folder / 'README.md'} says how it gets into a cluster."
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="modelyard init",
        description="Write a model that works, to start from: its code, sample data and YAML.",
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="where to; made if it is not there")
    parser.add_argument("--language", choices=list(LANGUAGES), default="python", help="default: python")
    parser.add_argument(
        "--target-type", choices=get_args(TargetType), default="Regression", help="default: Regression"
    )
    parser.add_argument("--name", help="of the model (default: made of the folder's)")
    return parser
