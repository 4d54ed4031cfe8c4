"""`modelyard gateway`: the Open Inference Protocol in front of models."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import uvloop

from modelyard.gateway.routes.file import FileRoutes
from modelyard.gateway.serving import Gateway
from modelyard.gateway.settings import Settings
from modelyard.http1.host import bound
from modelyard.telemetry import configure_logs


def main(argv: Sequence[str]) -> int:
    """Run until SIGTERM or SIGINT (0); 2 when it cannot start as configured."""
    options = _parser().parse_args(argv)
    configure_logs()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            runner.run(_run(options))
        except OSError as error:
            print(f"modelyard gateway: port {options.port}: {error.strerror}", file=sys.stderr)
            return 2
    return 0


async def _run(options: argparse.Namespace) -> None:
    gateway = Gateway(FileRoutes(options.routes), Settings(), "0.1.0")
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, gateway.end)
    await gateway.serve(bound(options.host, options.port, shared=True))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="modelyard gateway", description=__doc__)
    parser.add_argument("--routes", type=Path, required=True, metavar="FILE")
    parser.add_argument("--host", default="")
    parser.add_argument("--port", type=int, default=8080)
    return parser
