"""The commands there are, each in a module of its own that is imported only when asked for."""

from __future__ import annotations

import argparse
import difflib
import importlib
import sys
from collections.abc import Callable, Sequence
from types import ModuleType

import modelyard
from modelyard.cli.stdout import take_any_letter

_FOR_PEOPLE = {
    "init": "write a model that works, to start from",
    "try": "run a model here, as the cluster would, and check it",
    "check": "check a model that is up, by its URL",
    "report": "show the report of a test that ran in a cluster",
    "render": "show what the operator would apply for YAML files",
}

_FOR_THE_CLUSTER = {
    "operator": "watch models and keep what runs as declared (in the cluster)",
    "check --plan": "run the checks that gate a version (in a test's Job)",
    "crds": "write the CustomResourceDefinitions",
    "gateway": "answer the Open Inference Protocol in front of models",
    "health": "say whether an installed operator is well (in `helm test`)",
}

_COMMANDS = {name.partition(" ")[0]: text for name, text in (_FOR_PEOPLE | _FOR_THE_CLUSTER).items()}


_OF_THE_OPERATOR = ("operator", "gateway", "health")
"""Commands that need more than the packages of the extra `cli`."""


def chosen(arguments: Sequence[str]) -> Callable[[], int]:
    """What the arguments ask for, ready to be run. Arguments that cannot be understood, or no packages: exit 2."""
    take_any_letter()
    if not arguments:
        _parser().error("name a command (`modelyard --help` lists them)")
    (options, _), rest = _parser().parse_known_args(arguments[:1]), arguments[1:]
    module = _imported(options.command, rest)
    return lambda: int(module.main(rest))


def _imported(command: str, rest: Sequence[str]) -> ModuleType:
    """The module of a command. Exit 2 where a package that it needs is not installed."""
    try:
        return importlib.import_module(f"modelyard.cli.{_module(command, rest)}")
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in ("", "modelyard", *sys.stdlib_module_names):
            raise
        extra = "operator" if command in _OF_THE_OPERATOR else "cli"
        _parser().exit(
            2,
            f"modelyard {command}: the module {package} is missing; "
            f"`pip install '.[{extra}]'` in a checkout brings what this command needs\n",
        )


def _module(command: str, rest: Sequence[str]) -> str:
    """Where a command is. The one of a test's Job starts small, so it is apart from the one for people."""
    if command == "check":
        in_a_job = any(argument.partition("=")[0] == "--plan" for argument in rest)
        return "check" if in_a_job else "check_url"
    return {"try": "try_model"}.get(command, command)


def _command(word: str) -> str:
    if word in _COMMANDS:
        return word
    near = difflib.get_close_matches(word, _COMMANDS, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise argparse.ArgumentTypeError(f"there is no command {word!r}{hint} (`modelyard --help` lists them)")


def _listed(commands: dict[str, str]) -> str:
    return "\n".join(f"  {name:<14}{text}" for name, text in commands.items())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="modelyard",
        description="Custom models on Kubernetes, tested before they serve.",
        epilog=f"for people:\n{_listed(_FOR_PEOPLE)}\n\n"
        f"for the cluster and its builders:\n{_listed(_FOR_THE_CLUSTER)}\n\n"
        "`modelyard <command> --help` says more.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--version",
        action="version",
        version=f"modelyard {modelyard.__version__}",
        help="show the version and exit",
    )
    parser.add_argument("command", metavar="<command>", type=_command, help="one of those below")
    return parser
