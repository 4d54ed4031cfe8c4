"""`modelyard gateway`: the Open Inference Protocol in front of models."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import uvloop

import modelyard
from modelyard.cli.gateway_options import OptionsError, parser, settings_of
from modelyard.gateway import engine
from modelyard.gateway.admin import admin_pages
from modelyard.gateway.engine import About
from modelyard.gateway.files import allow_all_files
from modelyard.gateway.memory import keep_freed_memory
from modelyard.gateway.routes import Routes
from modelyard.gateway.routes.document import RoutesError
from modelyard.gateway.routes.file import FileRoutes, read_routes
from modelyard.gateway.serving import Gateway
from modelyard.gateway.settings import Settings
from modelyard.gateway.supervisor import Supervisor
from modelyard.gateway.worker import report_to_parent
from modelyard.http1.exchange import Limits
from modelyard.http1.host import Server, bound
from modelyard.kube.access import Access, AccessError, from_kubeconfig, in_cluster
from modelyard.telemetry import configure_logs

logger = logging.getLogger("modelyard.gateway")


class AddressError(Exception):
    """Where it is to listen, it cannot."""


_START = "import sys; from modelyard.cli.main import main; sys.exit(main())"


def main(argv: Sequence[str]) -> int:
    """Run until SIGTERM or SIGINT (0); 2 when it cannot start as configured."""
    options = parser().parse_args(argv)
    with ExitStack() as sockets:
        try:
            settings = settings_of(options)
            routes = _routes(options)
            on = sockets.enter_context(_bound(options.host, options.port, "port", shared=True))
            admin = None
            if not options.worker:
                admin = sockets.enter_context(
                    _bound(options.host, options.admin_port, "admin port", shared=False)
                )
        except (OptionsError, RoutesError, AccessError, AddressError) as error:
            print(f"modelyard gateway: {error}", file=sys.stderr)
            return 2
        configure_logs()
        keep_freed_memory()
        allow_all_files()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_run(options, argv, settings, routes, on, admin))
    return 0


def _bound(host: str, port: int, what: str, *, shared: bool) -> socket.socket:
    """A bound socket. Raises AddressError."""
    try:
        return bound(host, port, shared=shared)
    except OSError as error:
        raise AddressError(f"{what} {port}: {error.strerror}") from None


async def _run(
    options: argparse.Namespace,
    argv: Sequence[str],
    settings: Settings,
    routes: Callable[[], Routes],
    on: socket.socket,
    admin: socket.socket | None,
) -> None:
    count = options.workers or len(os.sched_getaffinity(0))
    port = on.getsockname()[1]
    if admin is None:
        gateway = Gateway(routes(), settings, About(modelyard.__version__, options.namespace))
        _take_signals(gateway)
        reporting = asyncio.create_task(report_to_parent(gateway, options.worker))
        await gateway.serve(on, once_known=True)
        reporting.cancel()
    elif count == 1:
        gateway = Gateway(routes(), settings, About(modelyard.__version__, options.namespace))
        await _overseen(gateway, gateway.serve(on), admin, port)
    else:
        command = [sys.executable, "-c", _START, "gateway", *argv, f"--port={port}", "--worker"]
        supervisor = Supervisor(command, count, settings)
        await _overseen(supervisor, supervisor.run(), admin, port)


async def _overseen(
    overseen: Gateway | Supervisor, work: Coroutine[Any, Any, None], admin: socket.socket, port: int
) -> None:
    """Answer probes while the work goes on, which signals end."""
    _take_signals(overseen)
    server = Server(admin_pages(overseen), Limits(body_bytes=64 * 1024))
    admin_port = await server.listen(admin)
    told = {"port": port, "admin_port": admin_port, "compiled": not engine.__file__.endswith(".py")}
    logger.info("The gateway listens", extra=told)
    await work
    await server.close(1.0)
    logger.info("The gateway ended")


def _take_signals(ends: Gateway | Supervisor) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ends.end)


def _routes(options: argparse.Namespace) -> Callable[[], Routes]:
    """What makes the routes, inside the event loop. Raises RoutesError and AccessError."""
    if options.routes:
        read_routes(options.routes)
        return lambda: FileRoutes(options.routes)
    from modelyard.gateway.routes.cluster import (
        ClusterRoutes,  # Of no use to a file, and it takes much to import.
    )

    access = _access(options.kubeconfig)
    watched = tuple(options.watch)
    return lambda: ClusterRoutes(access, namespaces=watched, default_namespace=options.namespace)


def _access(kubeconfig: Path | None) -> Access:
    """How to reach the API server. Raises AccessError, outside a pod with both places that routes come from."""
    if kubeconfig:
        return from_kubeconfig(kubeconfig)
    try:
        return in_cluster(os.environ)
    except AccessError as error:
        outside = not os.environ.get("KUBERNETES_SERVICE_HOST")
        raise AccessError(f"{error}, or --routes" if outside else str(error)) from None
