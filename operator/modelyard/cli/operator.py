"""`modelyard operator`: the operator itself."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import uvloop

from modelyard.handlers.process import Operator, Setup, take_signals
from modelyard.handlers.wiring import PASSES
from modelyard.kube.access import AccessError, from_kubeconfig, in_cluster
from modelyard.settings import from_environ
from modelyard.telemetry import configure_logs


def main(argv: Sequence[str]) -> int:
    """Run until SIGTERM (0) or until something essential fails (1); 2 when it cannot start as configured."""
    options = _parser().parse_args(argv)
    try:
        setup = _setup(options)
    except (AccessError, ValueError) as error:
        print(f"modelyard operator: {error}", file=sys.stderr)
        return 2
    configure_logs()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            return 0 if runner.run(_run(setup)) else 1
        except OSError as error:
            print(f"modelyard operator: port {setup.settings.port}: {error.strerror}", file=sys.stderr)
            return 2


async def _run(setup: Setup) -> bool:
    operator = Operator(setup)
    take_signals(operator)
    return await operator.run()


def _setup(options: argparse.Namespace) -> Setup:
    settings = from_environ(os.environ)
    if options.namespace:
        settings = dataclasses.replace(settings, namespaces=tuple(options.namespace))
    access = from_kubeconfig(options.kubeconfig) if options.kubeconfig else in_cluster(os.environ)
    return Setup(access, settings, PASSES, instance=os.environ.get("HOSTNAME") or socket.gethostname())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="modelyard operator",
        description="Watch models and keep what runs as declared. Settings are MODELYARD_* variables.",
    )
    parser.add_argument(
        "--kubeconfig", type=Path, metavar="FILE", help="run outside the cluster, as its current context says"
    )
    parser.add_argument(
        "--namespace",
        action="append",
        metavar="NS",
        help="watch this namespace only (may be repeated); overrides MODELYARD_NAMESPACES",
    )
    return parser
