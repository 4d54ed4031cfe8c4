"""What it costs to watch our own kinds, and nothing else: by kopf, or by reflectors of our own.

    python -m tests.bench.watching kopf|reflectors --kubeconfig FILE

`make bench` runs each beside a controller that writes.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import kopf
import uvloop

from modelyard.api.kinds import OWN_KINDS, Kind
from modelyard.kube.access import from_kubeconfig
from modelyard.kube.cache import Cache
from modelyard.kube.lists import Scope
from modelyard.kube.reflector import Reflector
from modelyard.kube.session import Session

WAYS = ("kopf", "reflectors")


async def by_kopf(kubeconfig: Path) -> None:
    """As an operator of kopf's does it that handles events alone: nothing kept on objects, no Events of its own."""
    os.environ["KUBECONFIG"] = str(kubeconfig)
    registry, settings, cache = kopf.OperatorRegistry(), kopf.OperatorSettings(), Cache()
    settings.posting.enabled = False
    settings.scanning.disabled = True
    kopf.on.login(id="kubeconfig", registry=registry)(kopf.login_with_kubeconfig)
    for kind in OWN_KINDS:
        on_event = kopf.on.event(kind.group, kind.version, kind.plural, id=kind.plural, registry=registry)
        on_event(_handler(kind, cache))
    await kopf.operator(registry=registry, settings=settings, standalone=True, clusterwide=True)


def _handler(kind: Kind, cache: Cache) -> Any:
    async def take(event: Mapping[str, Any], **_: Any) -> None:
        if event["type"] == "DELETED":
            cache.remove(kind, event["object"])
        else:
            cache.put(kind, event["object"])

    return take


async def by_reflectors(kubeconfig: Path) -> None:
    """As the operator does it."""
    session, cache = Session(from_kubeconfig(kubeconfig)), Cache()
    await asyncio.gather(*(Reflector(session, cache, Scope(kind, None)).run() for kind in OWN_KINDS))


def main(arguments: Sequence[str]) -> int:
    """Watch until the process is ended."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.watching", description=__doc__)
    parser.add_argument("way", choices=WAYS)
    parser.add_argument("--kubeconfig", type=Path, required=True)
    options = parser.parse_args(arguments)
    watch = by_kopf if options.way == "kopf" else by_reflectors
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(watch(options.kubeconfig))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
