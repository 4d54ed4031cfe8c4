"""What controllers and kubelets do for a version, where there are none: its pods run, and its tests succeed.

What they say is what they say in the stories; what the operator reads of it is the API server's. No container runs.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from modelyard.api.kinds import CONFIG_MAP, DEPLOYMENT, ENDPOINT_SLICE, JOB, POD, SERVICE, Kind
from modelyard.status.conditions import timestamp
from tests.bench.server import Client
from tests.support.platform import completed, deployment_status, pod_status, summary_of

Manifest = dict[str, Any]
Label = tuple[str, str]


@asynccontextmanager
async def nodes(client: Client) -> AsyncIterator[None]:
    """They work for as long as the block, which ends with whatever goes wrong in them."""
    playing = _Nodes(client)
    acts = ((DEPLOYMENT, playing.deployment), (JOB, playing.job), (SERVICE, playing.service))
    async with asyncio.TaskGroup() as group:
        watches = [group.create_task(_each(client, kind, act)) for kind, act in acts]
        yield
        for watch in watches:
            watch.cancel()


async def _each(client: Client, kind: Kind, act: Callable[[Manifest], Awaitable[None]]) -> None:
    """Act on each state of each object; on those of one object one after the other."""
    locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def one(found: Manifest) -> None:
        async with locks[found["metadata"]["name"]]:
            await act(found)

    async with asyncio.TaskGroup() as group:
        async for _, found in client.watch(kind):
            group.create_task(one(found))


class _Nodes:
    """One pod for each Deployment and Job, and one slice of endpoints for each Service."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._done: set[str] = set()
        self._pods: dict[Label, Manifest] = {}
        """Those that are ready, by each of their labels."""

        self._services: defaultdict[Label, dict[str, Manifest]] = defaultdict(dict)
        """By what they select."""

        self._slices: dict[str, str] = {}

    async def deployment(self, found: Manifest) -> None:
        """Its pod is ready at once."""
        if found["metadata"]["name"] in self._done:
            return
        self._done.add(found["metadata"]["name"])
        pod = await self._pod(found)
        pod = await self._client.status(POD, pod, pod_status("ready", pod, _now()))
        await self._client.status(DEPLOYMENT, found, deployment_status(found, 1, 1, _now()))
        for label in pod["metadata"]["labels"].items():
            self._pods[label] = pod
            for service in list(self._services[label].values()):
                await self._slice(service, pod)

    async def job(self, found: Manifest) -> None:
        """Its pod ends at once, and all tests have succeeded."""
        if found["metadata"]["name"] in self._done:
            return
        self._done.add(found["metadata"]["name"])
        mounted = found["spec"]["template"]["spec"]["volumes"][0]["configMap"]["name"]
        files = (await self._client.get(CONFIG_MAP, mounted))["data"]
        summary = json.dumps(summary_of(json.loads(files["plan.json"]), None))
        ended = {"exitCode": 0, "reason": "Completed", "message": summary, "finishedAt": timestamp(_now())}
        state = {"name": "check", "state": {"terminated": ended}, "restartCount": 0, "ready": False}
        state |= {"image": "modelyard", "imageID": ""}
        pod = await self._pod(found)
        await self._client.status(POD, pod, {"phase": "Succeeded", "containerStatuses": [state]})
        await self._client.status(JOB, found, completed(_now()))

    async def service(self, found: Manifest) -> None:
        """It has the pod that it selects now."""
        name = found["metadata"]["name"]
        for chosen in self._services.values():
            chosen.pop(name, None)
        (label,) = found["spec"]["selector"].items()
        self._services[label][name] = found
        if label in self._pods:
            await self._slice(found, self._pods[label])

    async def _pod(self, of: Manifest) -> Manifest:
        template, meta = of["spec"]["template"], of["metadata"]
        owner = {name: of[name] for name in ("apiVersion", "kind")} | {
            name: meta[name] for name in ("name", "uid")
        }
        metadata = {"labels": template["metadata"]["labels"], "ownerReferences": [owner]}
        body = {"apiVersion": "v1", "kind": "Pod", "spec": template["spec"]}
        return await self._client.create(POD, body | {"metadata": {"name": f"{meta['name']}-0"} | metadata})

    async def _slice(self, service: Manifest, pod: Manifest) -> None:
        name, target = service["metadata"]["name"], pod["metadata"]
        before = self._slices.get(name)
        self._slices[name] = target["name"]
        if before == target["name"]:
            return
        endpoint = {
            "addresses": [pod["status"]["podIP"]],
            "conditions": {"ready": True},
            "targetRef": {"kind": "Pod", "name": target["name"], "uid": target["uid"]},
        }
        if before is not None:
            await self._client.merge(ENDPOINT_SLICE, f"{name}-slice", {"endpoints": [endpoint]})
            return
        known = {**service["metadata"].get("labels", {}), "kubernetes.io/service-name": name}
        await self._client.create(
            ENDPOINT_SLICE,
            {
                "apiVersion": "discovery.k8s.io/v1",
                "kind": "EndpointSlice",
                "metadata": {"name": f"{name}-slice", "labels": known},
                "addressType": "IPv4",
                "endpoints": [endpoint],
            },
        )


def _now() -> datetime:
    return datetime.now(UTC)
