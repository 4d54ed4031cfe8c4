"""`modelyard health`: say whether an operator is well, and whether its cluster serves the kinds that it knows.

Exit code 0: all is well. 1: something is not; each line says what, and what to do. 2: it cannot be asked.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path

from modelyard.api.crds import RESOURCES
from modelyard.api.kinds import CUSTOM_MODEL
from modelyard.api.served import lacking
from modelyard.kube.access import Access, AccessError, from_kubeconfig, in_cluster
from modelyard.kube.errors import ApiError, NotFound
from modelyard.kube.session import Session

PATIENCE = 30.0
"""Seconds for which something may be amiss: right after an installation the operator still starts."""

_TIMEOUT = 5.0
_PAUSE = 1.0
_PATHS = ("/healthz", "/readyz", "/metrics")
_SHOWN = 5


def main(argv: Sequence[str]) -> int:
    """Entry of `modelyard health`."""
    options = _parser().parse_args(argv)
    try:
        access = from_kubeconfig(options.kubeconfig) if options.kubeconfig else in_cluster(os.environ)
    except AccessError as error:
        print(f"modelyard health: {error}", file=sys.stderr)
        return 2
    problems = _patiently(lambda: _problems(options.url.rstrip("/"), access), options.patience)
    for problem in problems:
        print(problem, file=sys.stderr)
    if not problems:
        print(
            f"{options.url} is live and ready; the cluster serves all {len(RESOURCES)} kinds as it knows them."
        )
    return int(bool(problems))


def _patiently(look: Callable[[], list[str]], seconds: float) -> list[str]:
    """The first time that nothing is found; what is found still when the time is over."""
    end = time.monotonic() + seconds
    while (found := look()) and time.monotonic() < end:
        time.sleep(_PAUSE)
    return found


def _problems(url: str, access: Access) -> list[str]:
    return [*operator_problems(url), *asyncio.run(kind_problems(access))]


def operator_problems(url: str) -> list[str]:
    """What the operator's own probes find wrong."""
    return [problem for path in _PATHS if (problem := _problem(url + path))]


def _problem(url: str) -> str:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=_TIMEOUT) as answer:
            return "" if answer.status == 200 else f"{url} answers {answer.status}."
    except urllib.error.HTTPError as error:
        with error:
            return f"{url} answers {error.code}: {error.read(2000).decode(errors='replace')}"
    except (OSError, http.client.HTTPException) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        return f"{url} does not answer ({reason}): look at the operator's pod and its log."


async def kind_problems(access: Access) -> list[str]:
    """What the cluster's API lacks of our kinds; whoever is known to a cluster may ask."""
    session = Session(access)
    try:
        path = f"/openapi/v3/apis/{CUSTOM_MODEL.group}/{CUSTOM_MODEL.version}"
        found = lacking(await session.request("GET", path))
    except NotFound:
        found = [resource.kind.name for resource in RESOURCES]
    except ApiError as error:
        return [f"The cluster does not say which kinds it serves: {error}"]
    finally:
        await session.close()
    return [_older(found)] if found else []


def _older(found: Sequence[str]) -> str:
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return (
        f"The cluster's CRDs lack {', '.join(found[:_SHOWN])}{more}: they are older than the operator. Upgrade the "
        "release with crds.enabled=true, or apply the chart's CRDs."
    )


def _url(text: str) -> str:
    try:
        parts = urllib.parse.urlsplit(text)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
    if not fine:
        raise argparse.ArgumentTypeError(f"must be a URL such as http://modelyard-metrics:8080, not {text!r}")
    return text


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="modelyard health", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--url", required=True, type=_url, help="where the operator's probes answer: http://<Service>:8080"
    )
    parser.add_argument(
        "--patience", type=float, default=PATIENCE, metavar="SECONDS", help=f"default: {PATIENCE:.0f}"
    )
    parser.add_argument(
        "--kubeconfig",
        type=Path,
        metavar="FILE",
        help="ask from outside the cluster, as its current context says",
    )
    return parser
