"""`modelyard <command>`: one program, each command in a module of its own that is imported only when asked for."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

_COMMANDS = {
    "operator": "watch models and keep what runs as declared (in the cluster)",
    "check": "run the checks that gate a version (in a test's Job)",
    "crds": "write the CustomResourceDefinitions",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name; its exit code. Arguments that cannot be understood: exit 2."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    options, rest = _parser().parse_known_args(arguments[:1]), arguments[1:]
    module = importlib.import_module(f"modelyard.cli.{options[0].command}")
    return int(module.main(rest))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="modelyard",
        description="Custom models on Kubernetes, tested before they serve.",
        epilog="`modelyard <command> --help` says more.",
    )
    commands = parser.add_subparsers(dest="command", metavar="<command>", required=True)
    for name, text in _COMMANDS.items():
        commands.add_parser(name, help=text, add_help=False)
    return parser
