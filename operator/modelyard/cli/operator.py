"""`modelyard operator`: the operator itself."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import gc
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import uvloop

from modelyard.handlers.process import Operator, Setup, take_signals
from modelyard.handlers.wiring import passes
from modelyard.images.lazy import lazy_registries
from modelyard.kube.access import Access, AccessError, from_kubeconfig, in_cluster
from modelyard.settings import Settings, from_environ
from modelyard.telemetry import configure_logs

_GARBAGE = 50_000
"""Objects made and not yet freed at which the collector looks for cycles among them."""


def main(argv: Sequence[str]) -> int:
    """Run until SIGTERM (0) or until something essential fails (1); 2 when it cannot start as configured."""
    options = _parser().parse_args(argv)
    try:
        settings, access = _settings(options), _access(options)
    except (AccessError, ValueError) as error:
        print(f"modelyard operator: {error}", file=sys.stderr)
        return 2
    configure_logs()
    _tune_collector()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            return 0 if runner.run(_run(settings, access)) else 1
        except OSError as error:
            print(f"modelyard operator: port {settings.port}: {error.strerror}", file=sys.stderr)
            return 2


async def _run(settings: Settings, access: Access) -> bool:
    async with lazy_registries(settings.insecure_registries) as registries:
        operator = Operator(Setup(access, settings, passes(registries), instance=socket.gethostname()))
        take_signals(operator)
        return await operator.run()


def _tune_collector() -> None:
    """What is imported stays; and garbage in cycles is rare beside what a burst of work makes and frees at once."""
    gc.freeze()
    gc.set_threshold(_GARBAGE, 20, 20)


def _settings(options: argparse.Namespace) -> Settings:
    settings = from_environ(os.environ)
    if options.namespace:
        return dataclasses.replace(settings, namespaces=tuple(options.namespace))
    return settings


def _access(options: argparse.Namespace) -> Access:
    return from_kubeconfig(options.kubeconfig) if options.kubeconfig else in_cluster(os.environ)


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
