"""A frozen workload as a pass would make it, from objects as users write them."""

from __future__ import annotations

from typing import Any

from modelyard.api.custom_model import CustomModel
from modelyard.api.custom_model_version import CustomModelVersion
from modelyard.api.digests import version_key
from modelyard.api.execution_environment_version import ExecutionEnvironmentVersion
from modelyard.api.kinds import CUSTOM_MODEL, MODEL_TEST
from modelyard.manifests.code import CodeFile, code_digest, code_map_name
from modelyard.manifests.frozen import Frozen
from modelyard.manifests.metadata import Owner
from modelyard.manifests.pod_template import Rendering, render
from modelyard.settings import Settings
from tests.support.objects import NAMESPACE, make_environment_version, make_model, make_version

SETTINGS = Settings()
IMAGE = "registry.example/envs/python@sha256:" + "a" * 64
MODEL = Owner(CUSTOM_MODEL, NAMESPACE, "hello", "11111111-2222-3333-4444-555555555555")
TEST = Owner(MODEL_TEST, NAMESPACE, "hello-1-check", "66666666-7777-8888-9999-000000000000")
FILES = (
    CodeFile("server.py", b'print("a server")\n'),
    CodeFile("start_server.sh", b"#!/bin/sh\nexec python3 server.py\n"),
)


def make_rendering(
    *,
    model: dict[str, Any] | None = None,
    environment: dict[str, Any] | None = None,
    files: tuple[CodeFile, ...] = FILES,
    **version: Any,
) -> Rendering:
    """What `hello-1` (1.0) is made of; overrides by kind, those of the version as keywords."""
    spec = CustomModelVersion.model_validate(make_version("hello-1", **version)).spec
    key = version_key("hello-1", spec)
    return Rendering(
        namespace=NAMESPACE,
        model_name="hello",
        model=CustomModel.model_validate(make_model(**(model or {}))).spec,
        key=key,
        label="1.0",
        version=spec,
        environment=ExecutionEnvironmentVersion.model_validate(
            make_environment_version(**(environment or {}))
        ).spec,
        image=IMAGE,
        code=files,
        code_map=code_map_name("hello-1", key=key, digest=code_digest(files)),
    )


def make_frozen(settings: Settings = SETTINGS, **overrides: Any) -> Frozen:
    """The same, frozen."""
    made = make_rendering(**overrides)
    return Frozen(
        key=made.key,
        version="hello-1",
        label=made.label,
        model=made.model_name,
        template=render(made, settings),
        replicas=made.version.replicas,
        requires_ha=made.version.requires_ha,
        egress=made.version.network_egress_policy,
        startup_seconds=made.version.startup.timeout_seconds,
        image=made.image,
        code_digest=code_digest(made.code),
        environment="python",
        environment_number=1,
    )
