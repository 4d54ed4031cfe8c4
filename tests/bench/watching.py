"""What it costs to watch our own kinds, and nothing else: by the event engine (kopf), or by reflectors of our own.

    python -m tests.bench.watching kopf|reflectors --kubeconfig FILE

`make bench` runs each beside a controller that writes.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import uvloop

from modelyard.api.kinds import OWN_KINDS
from modelyard.handlers.watches import Activity, Engine
from modelyard.kube.access import Access, from_kubeconfig
from modelyard.kube.cache import Cache
from modelyard.kube.lists import Scope
from modelyard.kube.reflector import Reflector
from modelyard.kube.session import Session, ignore

WAYS = ("kopf", "reflectors")


async def by_kopf(access: Access) -> None:
    """As the operator does it."""
    activity = Activity(lambda _scope: None, asyncio.get_running_loop().time)
    await Engine(access, Cache(), (), activity=activity, observe=ignore).run()


async def by_reflectors(access: Access) -> None:
    """As the operator watches the children."""
    session, cache = Session(access), Cache()
    await asyncio.gather(*(Reflector(session, cache, Scope(kind, None)).run() for kind in OWN_KINDS))


def main(arguments: Sequence[str]) -> int:
    """Watch until the process is ended."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.watching", description=__doc__)
    parser.add_argument("way", choices=WAYS)
    parser.add_argument("--kubeconfig", type=Path, required=True)
    options = parser.parse_args(arguments)
    watch = by_kopf if options.way == "kopf" else by_reflectors
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(watch(from_kubeconfig(options.kubeconfig)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
