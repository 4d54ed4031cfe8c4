"""The cluster's API as its starter sees it: a few plain requests as its administrator."""

from __future__ import annotations

import http.client
import json
import ssl
from functools import cache
from typing import Any

from tests.cluster.local import pki
from tests.cluster.local.layout import API_PORT, MACHINE

_TIMEOUT = 15.0


UNREACHABLE = (OSError, http.client.HTTPException)


class ApiRefused(Exception):
    """The API server answered with an error; the message has its status and words."""


@cache
def _trust(authority: bytes) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=authority.decode())
    context.load_cert_chain(pki.FOLDER / "admin.crt", pki.FOLDER / "admin.key")
    return context


def request(method: str, path: str, body: Any = None, *, content: str = "application/json") -> bytes:
    """The body of the answer. Raises ApiRefused for a status of 300 and more, OSError when nobody answers."""
    connection = http.client.HTTPSConnection(
        MACHINE, API_PORT, timeout=_TIMEOUT, context=_trust(pki.CA.read_bytes())
    )
    try:
        sent = None if body is None else json.dumps(body).encode()
        connection.request(method, path, sent, {"Content-Type": content})
        answer = connection.getresponse()
        said = answer.read()
    finally:
        connection.close()
    if answer.status >= 300:
        raise ApiRefused(f"{method} {path}: {answer.status} {said.decode(errors='replace')[:500]}")
    return said


def get(path: str) -> Any:
    """The object or list at `path`."""
    return json.loads(request("GET", path))


def is_ready() -> bool:
    """Whether the API server answers, and says that it is ready."""
    try:
        return request("GET", "/readyz") == b"ok"
    except (ApiRefused, *UNREACHABLE):
        return False


def node_names() -> set[str]:
    """The nodes that have registered."""
    return {node["metadata"]["name"] for node in get("/api/v1/nodes")["items"]}


def ready_nodes() -> set[str]:
    """The nodes that are Ready."""
    return {node["metadata"]["name"] for node in get("/api/v1/nodes")["items"] if _is_true(node, "Ready")}


def is_available(namespace: str, deployment: str) -> bool:
    """Whether the Deployment has all its replicas."""
    return _is_true(get(f"/apis/apps/v1/namespaces/{namespace}/deployments/{deployment}"), "Available")


def _is_true(thing: dict[str, Any], condition: str) -> bool:
    conditions = thing.get("status", {}).get("conditions", [])
    return any(entry["type"] == condition and entry["status"] == "True" for entry in conditions)


def set_pod_range(node: str, pods: str) -> bytes:
    """Say which pod addresses `node` has; the node as it then is."""
    body = {"spec": {"podCIDR": pods, "podCIDRs": [pods]}}
    return request("PATCH", f"/api/v1/nodes/{node}", body, content="application/strategic-merge-patch+json")
