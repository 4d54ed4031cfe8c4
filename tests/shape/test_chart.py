"""The chart: what it installs, and that it gives the operator what its passes need and no more."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
import yaml

import modelyard
from modelyard.api import kinds
from modelyard.cli.commands import _COMMANDS
from modelyard.settings import Settings, from_environ
from tests.shape.chart import CHART, KUBERNETES, helm, of_kind, permissions, render
from tests.support.rights import CALLS, READ, WITHOUT_STATUS


def needed() -> set[tuple[str, str, str]]:
    calls = {(kind.group, kind.plural, verb) for kind, verbs in CALLS.items() for verb in verbs}
    reports = {
        (kind.group, f"{kind.plural}/status", "patch")
        for kind in kinds.OWN_KINDS
        if kind not in WITHOUT_STATUS
    }
    return calls | reports | {("", "pods/log", "get")}


def role_named(manifests: list[dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    return next(role for role in of_kind(manifests, kind) if role["metadata"]["name"] == name)


def pod_spec(*settings: str) -> dict[str, Any]:
    (deployment,) = of_kind(render(*settings), "Deployment")
    spec: dict[str, Any] = deployment["spec"]["template"]["spec"]
    return spec


def environment(*settings: str) -> dict[str, str]:
    return {variable["name"]: variable["value"] for variable in pod_spec(*settings)["containers"][0]["env"]}


def test_helm_finds_no_fault_with_the_chart() -> None:
    done = helm("lint", "--strict", str(CHART), f"--kube-version={KUBERNETES}")

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_kind_that_the_operator_knows_has_its_calls_listed() -> None:
    assert set(CALLS) == set(kinds.ALL_KINDS)


def test_the_operator_may_do_what_its_passes_do_and_nothing_else() -> None:
    role = role_named(render(), "ClusterRole", "modelyard")

    assert set(permissions(role)) == needed()


def test_with_a_list_of_namespaces_the_operator_has_no_right_outside_them() -> None:
    manifests = render("namespaces={blue,green}")

    roles = of_kind(manifests, "Role")
    assert {role["metadata"]["namespace"] for role in roles} == {"blue", "green"}
    assert all(set(permissions(role)) == needed() for role in roles)
    assert of_kind(manifests, "ClusterRoleBinding") == []
    assert environment("namespaces={blue,green}")["MODELYARD_NAMESPACES"] == "blue,green"


def test_the_clusters_edit_role_cannot_write_facts_or_status() -> None:
    edit = set(permissions(role_named(render(), "ClusterRole", "modelyard-edit")))

    resources = {resource for _, resource, _ in edit}
    assert resources == {"executionenvironments", "custommodels", "custommodelversions", "modeltests"}


def test_the_clusters_view_role_only_reads() -> None:
    view = set(permissions(role_named(render(), "ClusterRole", "modelyard-view")))

    assert view == {(kind.group, kind.plural, verb) for kind in kinds.OWN_KINDS for verb in READ}


def test_the_operators_pod_fits_the_restricted_pod_security_standard() -> None:
    spec = pod_spec()
    (container,) = spec["containers"]

    assert spec["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "runAsGroup": 65532,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"]["memory"]
    assert all(set(volume) == {"name", "emptyDir"} for volume in spec["volumes"])


def health_pod(*settings: str) -> dict[str, Any]:
    (pod,) = of_kind(render(*settings), "Pod")
    return pod


def test_helm_test_runs_the_operators_own_image_against_its_service() -> None:
    chosen = f"image.digest=sha256:{'a' * 64}"
    (service,) = of_kind(render(chosen), "Service")
    (operator,) = pod_spec(chosen)["containers"]
    (container,) = health_pod(chosen)["spec"]["containers"]

    (port,) = (each["port"] for each in service["spec"]["ports"])
    where = f"http://{service['metadata']['name']}.{service['metadata']['namespace']}.svc:{port}"
    assert container["args"] == ["health", f"--url={where}"]
    assert "health" in _COMMANDS
    assert (container["image"], container["imagePullPolicy"]) == (
        operator["image"],
        operator["imagePullPolicy"],
    )


def test_helm_test_leaves_a_pod_only_to_tell_why_it_failed() -> None:
    assert health_pod()["metadata"]["annotations"] == {
        "helm.sh/hook": "test",
        "helm.sh/hook-delete-policy": "before-hook-creation,hook-succeeded",
    }
    assert health_pod()["spec"]["restartPolicy"] == "Never"
    assert health_pod()["spec"]["activeDeadlineSeconds"] == 120


def test_the_pod_of_helm_test_is_as_restricted_as_the_operators() -> None:
    spec = health_pod()["spec"]
    (container,) = spec["containers"]

    assert spec["securityContext"] == pod_spec()["securityContext"]
    assert container["securityContext"] == pod_spec()["containers"][0]["securityContext"]
    assert set(container["resources"]) == {"requests", "limits"}
    assert container["resources"]["limits"]["memory"]


def test_the_pod_of_helm_test_has_no_right_and_is_not_taken_for_the_operator() -> None:
    manifests = render()
    (service,) = of_kind(manifests, "Service")
    (deployment,) = of_kind(manifests, "Deployment")
    bound = [
        (subject["namespace"], subject["name"])
        for binding in (*of_kind(manifests, "ClusterRoleBinding"), *of_kind(manifests, "RoleBinding"))
        for subject in binding["subjects"]
    ]

    assert health_pod()["spec"]["serviceAccountName"] == "default"
    assert bound == [("modelyard-system", "modelyard")]
    labels = health_pod()["metadata"]["labels"].items()
    assert not service["spec"]["selector"].items() <= labels
    assert not deployment["spec"]["selector"]["matchLabels"].items() <= labels


def test_both_pods_go_where_they_are_sent() -> None:
    settings = (
        "nodeSelector.zone=a",
        "tolerations[0].key=dedicated",
        "priorityClassName=high",
        "image.pullSecrets={one,two}",
        "affinity.nodeAffinity.x=y",
        "models.runAsUser=null",
    )
    fields = (
        "nodeSelector",
        "tolerations",
        "priorityClassName",
        "imagePullSecrets",
        "affinity",
        "securityContext",
    )
    operator, health = pod_spec(*settings), health_pod(*settings)["spec"]

    assert all(operator[field] == health[field] for field in fields)
    assert health["imagePullSecrets"] == [{"name": "one"}, {"name": "two"}]
    assert "runAsUser" not in health["securityContext"]


def test_the_notes_say_how_to_ask_whether_it_is_well() -> None:
    notes = (CHART / "templates" / "NOTES.txt").read_text()

    assert "helm test {{ .Release.Name }} --namespace {{ .Release.Namespace }}" in notes


def test_every_value_has_a_place_in_the_schema() -> None:
    """And every place of the schema a default, but for what helm itself hands down."""
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    schema = json.loads((CHART / "values.schema.json").read_text())

    assert named(schema) - {"global", "enabled"} == keys(values, schema)


def named(schema: dict[str, Any], path: str = "") -> set[str]:
    """The paths of a schema's properties; what only has a type of its own is a leaf."""
    found = set()
    for name, child in schema.get("properties", {}).items():
        found |= named(child, f"{path}{name}.") or {f"{path}{name}"}
    return found


def keys(values: dict[str, Any], schema: dict[str, Any], path: str = "") -> set[str]:
    """The paths of values, as deep as the schema goes."""
    found = set()
    for name, value in values.items():
        below = schema.get("properties", {}).get(name, {})
        found |= keys(value, below, f"{path}{name}.") if "properties" in below else {f"{path}{name}"}
    return found


def test_two_operators_never_run_at_once() -> None:
    (deployment,) = of_kind(render(), "Deployment")

    assert deployment["spec"]["replicas"] == 1
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}


def test_every_setting_is_a_variable_of_the_operators_pod() -> None:
    fixed_by_the_chart = {"port"}  # the probes and the Service name it
    fields = {field.name for field in dataclasses.fields(Settings)} - fixed_by_the_chart

    assert set(environment()) == {f"MODELYARD_{name.upper()}" for name in fields}


def test_the_charts_defaults_are_the_operators_defaults() -> None:
    image = f"modelyard:{modelyard.__version__}"

    assert from_environ(environment()) == dataclasses.replace(Settings(), image=image)


def test_values_reach_the_operators_settings() -> None:
    settings = from_environ(
        environment(
            "image.repository=registry.example:5000/modelyard",
            f"image.digest=sha256:{'a' * 64}",
            "image.pullPolicy=Always",
            "checks.pullSecrets={one,two}",
            "namespaces={blue}",
            "clusterDomain=corp.example",
            "network.dns.namespace=dns",
            "network.dns.podLabels.k8s-app=null",
            "network.dns.podLabels.app=coredns",
            "network.dns.port=1053",
            "network.privateCidrs={10.0.0.0/8}",
            "network.clusterCidrs={203.0.113.0/24}",
            "models.runAsUser=null",
            "models.cpuLimit=2",
            "registries.insecure={registry.example:5000}",
            "concurrency=4",
        )
    )

    assert settings == Settings(
        namespaces=("blue",),
        image=f"registry.example:5000/modelyard@sha256:{'a' * 64}",
        image_pull_policy="Always",
        image_pull_secrets=("one", "two"),
        cluster_domain="corp.example",
        dns_namespace="dns",
        dns_pod_labels=(("app", "coredns"),),
        dns_port=1053,
        private_cidrs=("10.0.0.0/8",),
        cluster_cidrs=("203.0.113.0/24",),
        run_as_user=None,
        cpu_limit="2",
        insecure_registries=("registry.example:5000",),
        concurrency=4,
    )


def test_without_a_user_id_the_cluster_chooses_one() -> None:
    context = pod_spec("models.runAsUser=null")["securityContext"]

    assert "runAsUser" not in context
    assert context["runAsNonRoot"] is True


def test_crds_stay_when_the_release_goes() -> None:
    crds = of_kind(render(), "CustomResourceDefinition")

    assert {crd["spec"]["names"]["kind"] for crd in crds} == {kind.name for kind in kinds.OWN_KINDS}
    assert all(crd["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep" for crd in crds)


def test_crds_go_with_the_release_when_asked_to() -> None:
    crds = of_kind(render("crds.keep=false"), "CustomResourceDefinition")

    assert len(crds) == len(kinds.OWN_KINDS)
    assert not any("helm.sh/resource-policy" in crd["metadata"].get("annotations", {}) for crd in crds)


def test_crds_can_be_left_out() -> None:
    assert of_kind(render("crds.enabled=false"), "CustomResourceDefinition") == []


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ("namespace={blue}", "namespace"),
        ("namespaces=blue", "namespaces"),
        ("concurrency=0", "concurrency"),
        ("network.privateCidrs={10.0.0.1}", "privateCidrs"),
        ("image.digest=latest", "digest"),
        ("models.runAsUser=0", "runAsUser"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_by_its_name(setting: str, complaint: str) -> None:
    done = helm("template", "modelyard", str(CHART), f"--kube-version={KUBERNETES}", "--set", setting)

    assert done.returncode != 0
    assert complaint in done.stderr
