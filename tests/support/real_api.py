"""A real API server as that of a world: what it makes of each write is its own.

Schemas, defaults, rules, immutability, the merge of server-side apply, generations, conflicts, the status
subresource and the addresses of Services come from kube-apiserver. What other programs do (the garbage
collector, controllers, kubelets) is played as in a world in memory, through the same server. The mirror is made of
the server's answers, in the world's spelling and with the world's time, so that both tell the same story.
"""

from __future__ import annotations

from typing import Any

import orjson

from modelyard.api.kinds import Kind
from modelyard.api.labels import FIELD_MANAGER
from modelyard.kube.errors import NotFound
from modelyard.kube.session import APPLY
from modelyard.status.conditions import timestamp
from tests.support.connection import Connection
from tests.support.objects import NAMESPACE
from tests.support.translation import Translation
from tests.support.world_api import Address, Manifest, Now, Turn, WorldApi


class RealApi(WorldApi):
    """A namespace of its own on a server that tests share."""

    def __init__(self, now: Now, turn: Turn, connection: Connection) -> None:
        super().__init__(now, turn)
        self._connection = connection
        self._words = Translation(NAMESPACE, connection.new_namespace(NAMESPACE))
        self._births: dict[str, str] = {}
        self._deaths: dict[str, str] = {}

    def get(self, kind: Kind, namespace: str, name: str) -> Manifest:
        """See `WorldApi.get`. AssertionError when the mirror is not what the server holds."""
        mirrored = self.objects.get((kind, namespace, name))
        try:
            found = self._ask("GET", kind.path(namespace, name))
        except NotFound:
            assert mirrored is None, f"{kind.name} {name} is only in the mirror"
            raise
        assert found == mirrored, f"{kind.name} {name} is not what the mirror says"
        return found

    def fill_from(self, other: WorldApi) -> None:
        """Not here: who applied which field cannot be carried over to another namespace."""
        raise NotImplementedError("a world on a real API server has no copy; see the marker `memory_only`")

    def _post(self, address: Address, sent: Manifest) -> Manifest:
        kind, namespace, _ = address
        return self._ask("POST", kind.path(namespace), sent, self._by())

    def _put(self, address: Address, sent: Manifest, subresource: str = "") -> Manifest:
        return self._ask("PUT", _path(address, subresource), sent, self._by())

    def _patch(self, address: Address, sent: Manifest, subresource: str = "") -> Manifest:
        return self._ask("PATCH", _path(address, subresource), sent, {**self._by(), "force": "true"}, APPLY)

    def _erase(self, address: Address, uid: str | None) -> Manifest | None:
        options: Manifest = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
        precondition = {"preconditions": {"uid": uid}} if uid else {}
        left = self._ask("DELETE", _path(address), {**options, **precondition})
        return left if left.get("metadata", {}).get("finalizers") else None

    def _by(self) -> dict[str, str]:
        return {"fieldManager": FIELD_MANAGER if self.actor == "operator" else self.actor}

    def _ask(
        self,
        method: str,
        path: str,
        body: Manifest | None = None,
        params: dict[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Manifest:
        target = self._words.to_server(path.encode()).decode()
        data = None if body is None else self._words.to_server(orjson.dumps(_sendable(body)))
        answer = self._connection.ask(method, target, data, params=params, content_type=content_type)
        return self._understood(answer)

    def _understood(self, answer: bytes) -> Manifest:
        """An answer in the world's words; an object that is new to it is given its number first."""
        self._learn(orjson.loads(answer))
        found: Manifest = orjson.loads(self._words.from_server(answer))
        metadata = found.get("metadata", {})
        if "uid" in metadata:
            metadata.pop("managedFields", None)
            metadata["creationTimestamp"] = self._births[metadata["uid"]]
            if "deletionTimestamp" in metadata:
                metadata["deletionTimestamp"] = self._deaths.setdefault(
                    metadata["uid"], timestamp(self._now())
                )
        return found

    def _learn(self, answer: Manifest) -> None:
        uid = answer.get("metadata", {}).get("uid")
        if uid is None or self._words.knows(uid):
            return
        ours = self._next_uid()
        self._words.learn(ours, uid)
        self._births[ours] = timestamp(self._now())
        if answer["kind"] == "Service":
            self._words.learn(self._cluster_ip(), answer["spec"]["clusterIP"])


def _path(address: Address, subresource: str = "") -> str:
    kind, namespace, name = address
    return kind.path(namespace, name, subresource or None)


def _sendable(body: Manifest) -> Manifest:
    """The object without the times of its birth and its end, which are the server's own."""
    metadata: Any = body.get("metadata", {})
    own = ("creationTimestamp", "deletionTimestamp")
    return {**body, "metadata": {key: value for key, value in metadata.items() if key not in own}}
