"""What stands beside the cluster: the registry that its nodes pull from, and the pretended internet."""

from __future__ import annotations

import json
import sys

from tests.cluster.local import processes
from tests.cluster.local.layout import INTERNET_ADDRESS, INTERNET_BODY, REGISTRY, STATE
from tests.cluster.local.network import INTERNET_NAMESPACE

ROLES = ("registry", "internet")


def start_registry() -> None:
    """A registry on the bridge's address, plain HTTP; what it holds goes with the cluster."""
    storage = STATE / "registry"
    storage.mkdir()
    config = {
        "version": 0.1,
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(storage)}, "delete": {"enabled": True}},
        "http": {"addr": REGISTRY},
    }
    file = STATE / "registry.yml"
    file.write_text(json.dumps(config))
    processes.start("registry", ["docker-registry", "serve", str(file)])


def start_internet() -> None:
    """An HTTP server that says INTERNET_BODY, at an address that only the cluster can reach."""
    pages = STATE / "internet"
    pages.mkdir()
    (pages / "index.html").write_text(INTERNET_BODY)
    server = [
        sys.executable,
        "-u",
        "-m",
        "http.server",
        "80",
        "--bind",
        INTERNET_ADDRESS,
        "--directory",
        str(pages),
    ]
    processes.start("internet", server, namespace=INTERNET_NAMESPACE)
