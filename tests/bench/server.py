"""An API server under measurement: filled at once, watched, and asked what was written to it."""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from modelyard.api.kinds import CUSTOM_MODEL, CUSTOM_MODEL_VERSION, Kind
from tests.apiserver.server import ApiServer
from tests.support.objects import as_applied, make_model, make_version

Manifest = dict[str, Any]

NAMESPACE = "bench"
_AT_ONCE = 32
_WRITES = re.compile(
    r'^apiserver_request_total\{.*?resource="(?P<resource>[^"]*)".*?subresource="(?P<sub>[^"]*)"'
    r'.*?verb="(?P<verb>APPLY|PATCH|POST|PUT|DELETE|DELETECOLLECTION)".*?\} (?P<count>\d+)',
    re.MULTILINE,
)
_NOT_OURS = {"leases", "tokenreviews", "subjectaccessreviews", "prioritylevelconfigurations", "flowschemas"}


class Client:
    """Asks one API server, many things at a time."""

    def __init__(self, session: aiohttp.ClientSession, server: ApiServer) -> None:
        self._session, self.server = session, server

    async def create(self, kind: Kind, manifest: Manifest) -> Manifest:
        """Create an object in the namespace of the benchmark; AssertionError when it is refused."""
        body = as_applied(manifest)
        body["metadata"] |= {"namespace": NAMESPACE, "ownerReferences": owners(manifest)}
        return await self._send("POST", kind.path(NAMESPACE), body)

    async def namespace(self) -> None:
        """Make the namespace of the benchmark."""
        await self._send("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})

    async def count(self, kind: Kind) -> int:
        """How many objects of a kind there are."""
        page = await self._send("GET", f"{kind.path(NAMESPACE)}?limit=1")
        return len(page["items"]) + int(page["metadata"].get("remainingItemCount", 0))

    async def version(self, kind: Kind) -> str:
        """The version of all objects of a kind together, from which on a watch tells what is new."""
        page = await self._send("GET", f"{kind.path(NAMESPACE)}?limit=1")
        return str(page["metadata"]["resourceVersion"])

    async def get(self, kind: Kind, name: str) -> Manifest:
        """One object."""
        return await self._send("GET", kind.path(NAMESPACE, name))

    async def all(self, kind: Kind) -> AsyncIterator[Manifest]:
        """All objects of a kind, page by page."""
        more = ""
        while True:
            page = await self._send("GET", f"{kind.path(NAMESPACE)}?limit=500{more}")
            for found in page["items"]:
                yield found
            if not page["metadata"].get("continue"):
                return
            more = f"&continue={page['metadata']['continue']}"

    async def writes(self) -> Counter[str]:
        """Writes since the server started, by verb and resource, but for those of its own."""
        async with self._session.get(f"{self.server.url}/metrics") as answer:
            text = await answer.text()
        found: Counter[str] = Counter()
        for match in _WRITES.finditer(text):
            if match["resource"] not in _NOT_OURS:
                verb = "PATCH" if match["verb"] == "APPLY" else match["verb"]
                sub = f"/{match['sub']}" if match["sub"] else ""
                found[f"{verb} {match['resource']}{sub}"] += int(match["count"])
        return found

    async def merge(self, kind: Kind, name: str, change: Manifest) -> Manifest:
        """Change an object by a merge patch."""
        path = kind.path(NAMESPACE, name)
        return await self._send("PATCH", path, change, "application/merge-patch+json")

    async def status(self, kind: Kind, manifest: Manifest, status: Manifest) -> Manifest:
        """Say this as the status of an object."""
        path = f"{kind.path(NAMESPACE, manifest['metadata']['name'])}/status"
        return await self._send("PATCH", path, {"status": status}, "application/merge-patch+json")

    async def watch(self, kind: Kind, since: str = "") -> AsyncIterator[tuple[float, Manifest]]:
        """(moment, object) for each change of a kind since a version, or for what there is and each change."""
        path = f"{kind.path(NAMESPACE)}?watch=1&allowWatchBookmarks=false"
        while True:
            url = f"{self.server.url}{path}&resourceVersion={since}"
            async with self._session.get(url, timeout=aiohttp.ClientTimeout(total=None)) as answer:
                async for line in answer.content:
                    event = orjson.loads(line)
                    if event["type"] == "ERROR":
                        break
                    yield time.monotonic(), event["object"]
            since = ""  # it ended, or began with an error while the server is busy: what there is comes again

    async def _send(
        self, method: str, path: str, body: object = None, content_type: str = "application/json"
    ) -> Manifest:
        data = None if body is None else orjson.dumps(body)
        headers = {"Content-Type": content_type}
        async with self._session.request(
            method, self.server.url + path, data=data, headers=headers
        ) as answer:
            found: Manifest = orjson.loads(await answer.read())
        assert answer.status < 300, found.get("message")
        return found


def owners(manifest: Manifest) -> list[Manifest]:
    """What an object belongs to."""
    return list(manifest["metadata"].get("ownerReferences", ()))


@asynccontextmanager
async def connected(server: ApiServer) -> AsyncIterator[Client]:
    """A client for as long as the block."""
    context = ssl.create_default_context(cafile=str(server.certificate))
    headers = {"Authorization": f"Bearer {server.token}"}
    connector = aiohttp.TCPConnector(limit=_AT_ONCE + 8, ssl=context)
    async with aiohttp.ClientSession(connector=connector, headers=headers, read_bufsize=2**20) as session:
        yield Client(session, server)


async def seed(client: Client, numbers: Iterable[int], versions: int = 1) -> None:
    """A model with so many versions for each number: `version-N` is 1.0, `version-N-1` is 1.1 and so on."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def pair(number: int) -> None:
        async with gate:
            await client.create(CUSTOM_MODEL, make_model(f"model-{number}"))
            for turn in range(versions):
                version = make_version(f"version-{number}-{turn}" if turn else f"version-{number}")
                version["spec"]["modelRef"] = {"name": f"model-{number}"}
                version["spec"] |= {"label": f"1.{turn}", "isMajorUpdate": turn == 0}
                await client.create(CUSTOM_MODEL_VERSION, version)

    await asyncio.gather(*(pair(number) for number in numbers))


def pid_of(server: ApiServer) -> int:
    """The process id of the API server; LookupError when it is gone."""
    home = str(server.certificate.parent)
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            words = _command(process)
            if words and words[0].endswith("kube-apiserver") and f"--cert-dir={home}" in words:
                return int(process.name)
    raise LookupError(home)


def _command(process: Path) -> list[str]:
    try:
        return (process / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
    except OSError:
        return []
