"""Every child whole, as YAML that a reader can judge: tests/golden/manifests/*.yaml."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from modelyard.api.check_plan import CheckConfiguration, CheckPlan, Replica
from modelyard.api.columns import known_columns
from modelyard.api.custom_model import Caller, GateTest
from modelyard.api.execution_environment import ExecutionEnvironment
from modelyard.api.kinds import EXECUTION_ENVIRONMENT
from modelyard.api.model_test import ModelTest
from modelyard.manifests.code import CodeFile, code_map
from modelyard.manifests.dedicated import dedicated
from modelyard.manifests.deployment import deployment
from modelyard.manifests.disruption_budget import disruption_budget
from modelyard.manifests.environment_version import environment_version
from modelyard.manifests.frozen import revision
from modelyard.manifests.gate_test import gate_test
from modelyard.manifests.metadata import Manifest, Owner
from modelyard.manifests.network_policy import version_policy
from modelyard.manifests.service import stable_service, version_service
from modelyard.manifests.test_job import TestRun, objects
from modelyard.settings import Settings
from tests.support.objects import NAMESPACE, make_environment, make_gate, make_test
from tests.unit.manifests.builders import FILES, MODEL, SETTINGS, TEST, make_frozen

GOLDEN = Path(__file__).parents[2] / "golden" / "manifests"

BINARY = {"targetType": "Binary", "positiveClassLabel": "yes", "negativeClassLabel": "no"}
PARTNER = Caller.model_validate(
    {"namespaceSelector": {"matchLabels": {"team": "b"}}, "podSelector": {"matchLabels": {"app": "front"}}}
)
COLUMNS = known_columns({"area": "FP64", "rooms": "INT64", "Ort": "BYTES", "new": "BOOL"}) or ()
PLAN = CheckPlan(
    test=f"{NAMESPACE}/{TEST.name}",
    model="hello",
    version="1.0",
    url_prefix="/models/team-a/hello",
    service="10.96.3.4:80",
    replicas=(Replica(name="hello-1-x", uid="u-1", address="10.244.1.5:8080"),),
    target_type="Regression",
    target_name="y",
    configuration=CheckConfiguration(),
    dataset="rows.json",
    timeout_seconds=600,
)


def _run(settings: Settings = SETTINGS) -> list[Manifest]:
    frozen = make_frozen()
    run = TestRun(TEST, "hello", frozen.key, frozen.workload, PLAN, '{"x": [1, 2]}')
    return objects(run, settings)


def _copy(**overrides: Any) -> list[Manifest]:
    spec = ModelTest.model_validate(make_test(**overrides)).spec
    return dedicated(TEST, make_frozen(), spec, SETTINGS)


def _environment_version() -> Manifest:
    spec = ExecutionEnvironment.model_validate(make_environment(imagePullSecrets=[{"name": "pull"}])).spec
    owner = Owner(EXECUTION_ENVIRONMENT, NAMESPACE, "python", "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee")
    return environment_version(owner, spec, 2)


def _gate_test() -> Manifest:
    return gate_test(make_frozen(), MODEL, GateTest.model_validate(make_gate("accuracy")["tests"][0]))


def _policy(*callers: Caller, egress: str = "NONE", settings: Settings = SETTINGS) -> Manifest:
    return version_policy(make_frozen(networkEgressPolicy=egress), MODEL, callers=callers, settings=settings)


MANIFESTS: dict[str, Callable[[], Manifest]] = {
    "deployment": lambda: deployment(make_frozen(), MODEL, replicas=1),
    "deployment-spread-over-two-nodes": lambda: deployment(
        make_frozen(replicas=2, requiresHa=True), MODEL, replicas=2
    ),
    "deployment-of-two-replicas": lambda: deployment(make_frozen(replicas=2), MODEL, replicas=2),
    "deployment-with-start-command": lambda: deployment(
        make_frozen(environment={"startCommand": ["serve", "--all"], "imagePullSecrets": [{"name": "pull"}]}),
        MODEL,
        replicas=1,
    ),
    "deployment-of-a-binary-model": lambda: deployment(
        make_frozen(
            model=BINARY,
            environmentVariables=[{"name": "GREETING", "value": "$(HOME) costs $5"}],
            desiredMemory="256Mi",
            networkEgressPolicy="PUBLIC",
            startup={"timeoutSeconds": 61},
        ),
        MODEL,
        replicas=0,
    ),
    "deployment-under-other-settings": lambda: deployment(
        make_frozen(Settings(run_as_user=None, cpu_limit="2")), MODEL, replicas=1
    ),
    "service-of-a-version": lambda: version_service(make_frozen(), MODEL),
    "service-of-a-version-that-was-tested-with-data": lambda: version_service(make_frozen(), MODEL, COLUMNS),
    "service-of-a-version-of-a-binary-model": lambda: version_service(make_frozen(model=BINARY), MODEL),
    "service-of-a-model": lambda: stable_service(MODEL, serving="0123456789"),
    "service-of-a-model-that-nothing-serves": lambda: stable_service(MODEL, serving=None),
    "network-policy-none": _policy,
    "network-policy-public": lambda: _policy(
        egress="PUBLIC", settings=Settings(cluster_cidrs=("198.18.0.0/15", "fd00::/8"))
    ),
    "network-policy-with-callers": lambda: _policy(PARTNER, Caller.model_validate({"podSelector": {}})),
    "network-policy-with-a-gateway": lambda: _policy(settings=Settings(gateway_namespace="modelyard-system")),
    "network-policy-of-a-test": lambda: _run()[0],
    "disruption-budget": lambda: disruption_budget(make_frozen(replicas=2), MODEL),
    "config-map-of-code": lambda: code_map(
        MODEL,
        version="hello-1",
        model="hello",
        key="0123456789",
        files=[*FILES, CodeFile("weights.bin", b"\xff\x00\x01")],
    ),
    "config-map-of-a-test": lambda: _run()[1],
    "controller-revision": lambda: revision(make_frozen(), MODEL),
    "job": lambda: _run()[2],
    "job-under-other-settings": lambda: _run(
        Settings(
            image="mirror.example/modelyard:1",
            image_pull_policy="Always",
            image_pull_secrets=("a", "b"),
            run_as_user=None,
        )
    )[2],
    "model-test-of-a-gate": _gate_test,
    "copy-for-a-test-deployment": lambda: _copy()[2],
    "copy-for-a-test-service": lambda: _copy()[1],
    "copy-for-a-test-network-policy": lambda: _copy()[0],
    "copy-for-a-test-with-overrides": lambda: _copy(maximumMemory="256Mi", replicas=2, requiresHa=True)[2],
    "copy-for-a-test-with-egress": lambda: _copy(networkEgressPolicy="PUBLIC")[0],
    "execution-environment-version": _environment_version,
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_child_is_whole_as_its_golden_file_says(name: str, request: pytest.FixtureRequest) -> None:
    path = GOLDEN / f"{name}.yaml"
    text = yaml.dump(MANIFESTS[name](), Dumper=_Dumper, sort_keys=False, width=110)
    if request.config.getoption("--update-golden"):
        path.write_text(text)
    assert text == path.read_text(), (
        f"{path.name} is another now: run `make golden`, then read `git diff tests/golden`"
    )


def test_every_golden_file_belongs_to_a_child() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == set(MANIFESTS)


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as blocks, and nothing by reference."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)
