"""Valid manifests of our kinds as the API server would hold them, with overrides.

    make_version("hello-2", label="2.0", replicas=3)

Keyword arguments are fields of the spec, in camelCase; a field given as None is left out. `metadata` and
`status` are merged over what a new object has. `as_applied` gives what a user would have applied.
"""

from __future__ import annotations

import copy
import hashlib
from typing import Any

Manifest = dict[str, Any]

NAMESPACE = "team-a"
CREATED = "2026-01-01T00:00:00Z"

CONFIGURATION = {
    "longRunningService": "fail",
    "errorCheck": "fail",
    "nullValueImputation": "warn",
    "sideEffects": "warn",
    "tolerance": {"absolute": 1e-6, "relative": 1e-6},
    "sampleRows": 100,
}
"""What a test does unless it says otherwise."""

START_SERVER = "#!/bin/sh\nexec python3 server.py\n"
SERVER = 'print("a server")\n'


def make_environment(name: str = "python", **overrides: Any) -> Manifest:
    """An ExecutionEnvironment with an image by tag."""
    spec = {"image": "registry.example/envs/python:1", "programmingLanguage": "python"}
    return _object("ExecutionEnvironment", name, spec, overrides)


def make_environment_version(name: str = "python-1", **overrides: Any) -> Manifest:
    """The first version of the environment `python`."""
    spec = {"environmentRef": {"name": "python"}, "number": 1, "image": "registry.example/envs/python:1"}
    return _object("ExecutionEnvironmentVersion", name, spec, overrides)


def make_model(name: str = "hello", **overrides: Any) -> Manifest:
    """A regression model without a gate."""
    spec = {"targetType": "Regression", "targetName": "y", "predictionThreshold": 0.5}
    return _object("CustomModel", name, spec, overrides)


def make_version(name: str = "hello-1", **overrides: Any) -> Manifest:
    """Version 1.0 of the model `hello` with two inline files, in the environment `python`."""
    files = [
        {"path": "start_server.sh", "content": START_SERVER, "executable": True},
        {"path": "server.py", "content": SERVER, "executable": False},
    ]
    spec = {
        "modelRef": {"name": "hello"},
        "label": "1.0",
        "isMajorUpdate": True,
        "source": {"inline": files},
        "environmentRef": {"name": "python"},
        "replicas": 1,
        "requiresHa": False,
        "maximumMemory": "1Gi",
        "cpu": "250m",
        "networkEgressPolicy": "NONE",
        "startup": {"timeoutSeconds": 300},
    }
    return _object("CustomModelVersion", name, spec, overrides)


def make_test(name: str = "hello-1-check", **overrides: Any) -> Manifest:
    """A ModelTest of `hello-1` with two inline rows."""
    spec = {
        "versionRef": {"name": "hello-1"},
        "dataset": make_dataset(),
        "configuration": CONFIGURATION,
        "timeoutSeconds": 600,
        "cancel": False,
    }
    return _object("ModelTest", name, spec, overrides)


def make_ledger(name: str = "hello", **overrides: Any) -> Manifest:
    """The ledger of a model of which nothing is known yet."""
    manifest = _object("ModelLedger", name, {"modelName": name}, overrides)
    manifest.pop("status")
    return manifest


def make_dataset(content: str = '{"x": [1, 2]}', path: str = "rows.json") -> Manifest:
    """An inline dataset."""
    return {"inline": [{"path": path, "content": content, "executable": False}], "format": "json"}


def make_gate(*names: str, **overrides: Any) -> Manifest:
    """A gate of tests with these names, each with an inline dataset; overrides go to every test."""
    test = {
        "dataset": make_dataset(),
        "configuration": CONFIGURATION,
        "required": True,
        "timeoutSeconds": 600,
        **overrides,
    }
    return {"tests": [{"name": name, **copy.deepcopy(test)} for name in names]}


def as_applied(manifest: Manifest) -> Manifest:
    """What a user would have applied: without status and without metadata of the server."""
    metadata = {
        key: value
        for key, value in manifest["metadata"].items()
        if key in ("name", "namespace", "labels", "annotations") and value
    }
    return {key: copy.deepcopy(value) for key, value in manifest.items() if key != "status"} | {
        "metadata": copy.deepcopy(metadata)
    }


def _object(kind: str, name: str, spec: Manifest, overrides: Manifest) -> Manifest:
    fields = dict(overrides)
    metadata = fields.pop("metadata", {})
    status = fields.pop("status", {})
    namespace = fields.pop("namespace", NAMESPACE)
    merged = {key: value for key, value in {**spec, **fields}.items() if value is not None}
    return copy.deepcopy(
        {
            "apiVersion": "modelyard.dev/v1alpha1",
            "kind": kind,
            "metadata": {**_metadata(kind, namespace, name), **metadata},
            "spec": merged,
            "status": {"observedGeneration": -1, **status},
        }
    )


def _metadata(kind: str, namespace: str, name: str) -> Manifest:
    digest = hashlib.sha256(f"{kind}/{namespace}/{name}".encode()).hexdigest()
    return {
        "name": name,
        "namespace": namespace,
        "uid": "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:32])),
        "generation": 1,
        "resourceVersion": "1",
        "creationTimestamp": CREATED,
    }
