"""`modelyard try`: run a model on this machine, with the contract of a pod, and check it as the cluster would."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from modelyard.api.check_report import CheckReport
from modelyard.checks.data import DataError
from modelyard.checks.limits import Limits
from modelyard.cli.model_name import name_for
from modelyard.cli.model_options import Asked, add_options, asked_for, data_of, report_options
from modelyard.cli.output_files import KeptLog, refuse_to_write_nowhere
from modelyard.cli.stopping import Stopped, run_until_stopped
from modelyard.cli.terminal import Terminal, exit_code, write_report
from modelyard.cli.trial import Patience, Trial, tried
from modelyard.cli.usage import EXIT_USAGE, UsageError
from modelyard.local.workspace import START_SCRIPT, WorkspaceError, workspace

LIMITS = Limits(
    ask_interval=0.1,
    strange_seconds=5,
    settle_seconds=2,
    settle_interval=0.5,
    back_seconds=0.5,
    aftermath_seconds=0.5,
)
"""For one process on this machine: it is seen sooner than a pod, and nobody starts it again."""

PATIENCE = Patience()

MODEL_FILE = "model.yaml"
CODE_FOLDER = "code"


def main(argv: Sequence[str], limits: Limits = LIMITS, patience: Patience = PATIENCE) -> int:
    """Try a model; 0 when it is fine, 1 when it is not, 2 when it cannot be tried as asked, 128 + n by signal."""
    options = _parser().parse_args(argv)
    log = KeptLog(options.keep_logs)
    try:
        report = _report(options, log, limits, patience)
        write_report(report, report_options(options))
        log.refuse_a_loss()
    except (UsageError, WorkspaceError, DataError) as error:
        print(f"modelyard try: {error}", file=sys.stderr)
        return EXIT_USAGE
    except Stopped as stopped:
        print(f"modelyard try: {stopped}; nothing of the model runs on", file=sys.stderr)
        return stopped.exit_code
    return exit_code(report, strict=options.strict)


def _report(options: argparse.Namespace, log: KeptLog, limits: Limits, patience: Patience) -> CheckReport:
    if os.name != "posix":
        raise UsageError("models are tried on Linux and macOS; on Windows, inside WSL")
    refuse_to_write_nowhere([options.output, options.keep_logs])
    if not options.file and not options.target_type and (options.folder / MODEL_FILE).is_file():
        options.file = options.folder / MODEL_FILE
    asked = asked_for(options, name_for(options.folder))
    data = data_of(asked)
    words = _command(options, asked)
    terminal = Terminal(options.quiet)
    with workspace(_code_of(options.folder), needs_script=not words) as space, log:
        terminal.introduce(asked.remarks, asked.warnings)
        trial = Trial(
            asked=asked,
            data=data,
            command=words or [str(space.code / START_SCRIPT)],
            space=space,
            terminal=terminal,
            log=log,
            limits=limits,
            patience=patience,
        )
        return run_until_stopped(tried(trial))


def _command(options: argparse.Namespace, asked: Asked) -> list[str]:
    """What starts the server in place of the model's own script; empty when that does."""
    if options.command is None:
        return list(asked.start_command)
    try:
        words = shlex.split(options.command)
    except ValueError as error:
        raise UsageError(f"--command cannot be read: {str(error).lower()}") from None
    if not words:
        raise UsageError("--command is empty; give the words that start the server")
    return words


def _code_of(folder: Path) -> Path:
    """The folder of the code: the given one, or `code` in it, as `modelyard init` lays it out."""
    inner = folder / CODE_FOLDER
    return inner if not (folder / START_SCRIPT).exists() and (inner / START_SCRIPT).is_file() else folder


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="modelyard try",
        description="Run the model in a folder on this machine, as a pod would, and check it as the cluster would."
        " Exit code: 0 succeeded or warning, 1 failed, 2 cannot be tried as asked.",
    )
    parser.add_argument(
        "folder", type=Path, metavar="DIR", help=f"folder with {START_SCRIPT}, or with it in {CODE_FOLDER}"
    )
    parser.add_argument(
        "--command", metavar="WORDS", help=f"start the server by this, run in DIR, in place of {START_SCRIPT}"
    )
    parser.add_argument(
        "--keep-logs", type=Path, metavar="FILE", help="write all that the model prints to FILE"
    )
    add_options(parser)
    return parser
