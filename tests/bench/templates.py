"""What the operator writes for a version that starts, as templates for the reference controller.

The operator's own passes run once over a world in memory, and what they send is kept: the same bytes, but for names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from modelyard.api.kinds import CONTROLLER_REVISION, CUSTOM_MODEL, CUSTOM_MODEL_VERSION, MODEL_LEDGER
from tests.support.objects import NAMESPACE, as_applied, make_environment, make_model, make_version
from tests.support.world import World

Manifest = dict[str, Any]

MODEL, VERSION = "thebenchmodel", "thebenchversion"
GENERATION = 987654321
"""A number in place of the object's generation, which the reference puts there."""

_PATH = re.compile(r"^/(?:api|apis/(?P<group>[^/]+))/(?P<version>[^/]+)/namespaces/[^/]+/(?P<rest>.+)$")


class _Recorder:
    """Keeps the last body that was sent to each path."""

    def __init__(self, world: World) -> None:
        self.sent: dict[str, Manifest] = {}
        self._request = world.api.request
        world.api.request = self._record  # type: ignore[method-assign]

    async def _record(self, method: str, path: str, *, body: Any = None, **more: Any) -> Manifest:
        if method in ("PATCH", "PUT", "POST") and "/events" not in path:
            name = "" if method != "POST" else f"/{body['metadata']['name']}"
            self.sent[path + name] = json.loads(json.dumps(body))
        return await self._request(method, path, body=body, **more)


async def templates() -> Manifest:
    """The ledger, the children and both statuses, with placeholders for all that differs between versions."""
    world = World()
    recorder = _Recorder(world)
    world.user.apply(as_applied(make_environment()), as_applied(make_model(MODEL)), as_applied(_version()))
    while await world.work():
        pass
    uid = world.get(CUSTOM_MODEL, MODEL)["metadata"]["uid"]
    (revision,) = world.all(CONTROLLER_REVISION)
    data = revision["data"]
    code = data["template"]["spec"]["volumes"][0]["configMap"]["name"].rpartition("-")[2]
    hashes = {revision["metadata"]["name"].rpartition("-")[2]: "@HASH@", code: "@CODE@", data["key"]: "@KEY@"}
    names = {uid: "@MODELUID@", MODEL: "@MODEL@", VERSION: "@VERSION@", NAMESPACE: "@NAMESPACE@", **hashes}
    made = [_template(path, body, names) for path, body in recorder.sent.items() if _concerns(path)]
    return _sorted(made)


def _version() -> Manifest:
    return make_version(VERSION, modelRef={"name": MODEL})


def _concerns(path: str) -> bool:
    return "executionenvironment" not in path


def _template(path: str, body: Manifest, names: Mapping[str, str]) -> Manifest:
    found = _PATH.match(path)
    assert found, path
    resource, name, *sub = found["rest"].split("/")
    body["metadata"].pop("resourceVersion", None)
    if "annotations" in body["metadata"]:
        body["metadata"]["annotations"]["modelyard.dev/applied"] = "@APPLIED@"
    return {
        "resource": resource,
        "group": found["group"] or "",
        "version": found["version"],
        "name": _replaced(name, names),
        "body": json.loads(_replaced(json.dumps(body), names)) | _status(body, names),
        "sub": sub[0] if sub else "",
    }


def _status(body: Manifest, names: Mapping[str, str]) -> Manifest:
    """The status, speaking of the generation that the object has then."""
    if "status" not in body:
        return {}
    status: Manifest = json.loads(_replaced(json.dumps(body["status"]), names))
    conditions = [{**each, "observedGeneration": GENERATION} for each in status["conditions"]]
    return {"status": {**status, "observedGeneration": GENERATION, "conditions": conditions}}


def _replaced(text: str, names: Mapping[str, str]) -> str:
    for name, placeholder in names.items():
        text = text.replace(name, placeholder)
    return text


def _sorted(made: list[Manifest]) -> Manifest:
    def one(plural: str, sub: str = "") -> Manifest:
        return next(each for each in made if each["resource"] == plural and each["sub"] == sub)

    ledger = one(MODEL_LEDGER.plural)
    return {
        "ledger": ledger,
        "children": [each for each in made if each is not ledger and not each["sub"]],
        "versionStatus": one(CUSTOM_MODEL_VERSION.plural, "status"),
        "modelStatus": one(CUSTOM_MODEL.plural, "status"),
    }
