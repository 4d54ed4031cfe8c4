"""The gateway of the chart: off unless asked for, with rights on Services and EndpointSlices alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelyard.api import labels
from modelyard.cli.gateway_options import parser, settings_of
from modelyard.settings import Settings, from_environ
from tests.shape.chart import CHART, KUBERNETES, helm, of_kind, parsed, permissions, render
from tests.shape.gateway_chart import NAME, ON, container, named, pod, refused

_MARGIN = 10
"""Seconds: more than the five after which workers that do not end are killed."""


def test_there_is_no_gateway_unless_it_is_asked_for() -> None:
    assert [m["metadata"]["name"] for m in render() if "gateway" in m["metadata"]["name"]] == []
    assert of_kind(render(), "NetworkPolicy") == []


def test_it_may_list_and_watch_services_and_their_endpoints_and_nothing_else() -> None:
    assert set(permissions(named("ClusterRole"))) == {
        (group, resource, verb)
        for group, resource in (("", "services"), ("discovery.k8s.io", "endpointslices"))
        for verb in ("list", "watch")
    }


def test_with_a_list_of_namespaces_it_watches_these_and_has_no_right_outside_them() -> None:
    manifests = render(ON, "namespaces={blue,green}")

    roles = [role for role in of_kind(manifests, "Role") if role["metadata"]["name"] == NAME]
    assert {role["metadata"]["namespace"] for role in roles} == {"blue", "green"}
    assert of_kind(manifests, "ClusterRoleBinding") == []
    arguments = container("namespaces={blue,green}")["args"]
    assert [each for each in arguments if "--watch=" in each] == ["--watch=blue", "--watch=green"]


def test_its_rights_are_those_of_its_own_account() -> None:
    account = named("ServiceAccount")
    (subject,) = named("ClusterRoleBinding")["subjects"]

    assert account["automountServiceAccountToken"] is False
    assert subject["name"] == account["metadata"]["name"] == pod()["spec"]["serviceAccountName"] == NAME
    assert pod("gateway.serviceAccount.name=mine")["spec"]["serviceAccountName"] == "mine"
    assert pod("gateway.serviceAccount.create=false")["spec"]["serviceAccountName"] == "default"


def test_models_let_in_the_pods_that_it_labels_of_the_namespace_that_the_operator_is_told() -> None:
    assert pod()["metadata"]["labels"][labels.GATEWAY] == labels.GATEWAY_VALUE
    (operator,) = pod(name="modelyard")["spec"]["containers"]
    told = from_environ({variable["name"]: variable["value"] for variable in operator["env"]})
    assert told.gateway_namespace == named("Deployment")["metadata"]["namespace"] == "modelyard-system"
    assert Settings().gateway_namespace == ""


def test_its_pods_are_as_restricted_as_the_operators_and_run_the_same_image() -> None:
    spec, of_operator = pod()["spec"], pod(name="modelyard")["spec"]
    (operator,) = of_operator["containers"]

    assert spec["securityContext"] == of_operator["securityContext"]
    for field in ("securityContext", "image", "imagePullPolicy"):
        assert container()[field] == operator[field]
    assert container()["resources"]["limits"]["memory"]
    assert all(set(volume) == {"name", "emptyDir"} for volume in spec["volumes"])


def test_its_pods_are_not_taken_for_the_operators_nor_these_for_its() -> None:
    operator = pod(name="modelyard")["metadata"]["labels"].items()
    gateway = pod()["metadata"]["labels"].items()

    for kind, name in (("Service", "modelyard-metrics"), ("Deployment", "modelyard")):
        selector = named(kind, name=name)["spec"]["selector"]
        assert not selector.get("matchLabels", selector).items() <= gateway
    for kind in ("Service", "Deployment", "PodDisruptionBudget"):
        selector = named(kind)["spec"]["selector"]
        assert selector.get("matchLabels", selector).items() <= gateway
        assert not selector.get("matchLabels", selector).items() <= operator


def test_a_worker_that_reads_the_largest_body_stays_in_its_service() -> None:
    """Which takes 6.5 s, and no probe is answered meanwhile."""
    probe = container()["readinessProbe"]
    assert (probe["failureThreshold"] - 1) * probe["periodSeconds"] > 6.5


def test_it_is_probed_where_clients_do_not_reach() -> None:
    ports = {port["name"]: port["containerPort"] for port in container()["ports"]}

    assert f"--port={ports['http']}" in container()["args"]
    assert f"--admin-port={ports['admin']}" in container()["args"]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert container()[probe]["httpGet"]["port"] == "admin"
    (port,) = named("Service")["spec"]["ports"]
    assert (port["port"], port["targetPort"]) == (80, "http")


@pytest.mark.parametrize(
    ("settings", "ends"),
    [
        ((), 75),
        (("gateway.drainSeconds=30", "gateway.graceSeconds=300"), 340),
        (("gateway.drainSeconds=0", "gateway.graceSeconds=9", "gateway.options.whole-timeout=9"), 19),
    ],
)
def test_a_pod_has_the_time_to_go_on_and_then_to_finish_what_is_under_way(
    settings: tuple[str, ...], ends: int
) -> None:
    told = settings_of(parser().parse_args(container(*settings)["args"][1:]))

    assert pod(*settings)["spec"]["terminationGracePeriodSeconds"] == ends
    assert ends == told.drain_seconds + told.grace_seconds + _MARGIN
    assert told.grace_seconds >= told.whole_seconds
    assert "lifecycle" not in container(*settings), "the time of a hook would be the pod's, too"


def test_no_request_comes_to_a_port_that_is_closed_when_a_pod_ends() -> None:
    assert settings_of(parser().parse_args(container()["args"][1:])).drain_seconds >= 5
    assert named("Deployment")["spec"]["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}


def test_whoever_sets_these_times_twice_or_against_each_other_is_told() -> None:
    for settings, sentence in {
        ("gateway.options.grace=5",): "gateway.options.grace: set gateway.graceSeconds instead",
        ("gateway.options.drain-delay=5",): "gateway.options.drain-delay: set gateway.drainSeconds instead",
        ("gateway.options.whole-timeout=60.5",): "what is under way would be cut off",
        ("gateway.graceSeconds=59",): "gateway.graceSeconds (59) is shorter than a prediction may take (60 s",
    }.items():
        assert sentence in refused(*settings)


def test_who_may_call_it_is_everyone_or_whom_the_values_name() -> None:
    everyone, metrics = named("NetworkPolicy")["spec"]["ingress"]
    assert everyone == {"ports": [{"port": "http", "protocol": "TCP"}]}
    assert metrics == {"ports": [{"port": "admin", "protocol": "TCP"}]}

    peer = "gateway.callers[0].namespaceSelector.matchLabels.team=a"
    some, _ = named("NetworkPolicy", peer)["spec"]["ingress"]
    assert some["from"] == [{"namespaceSelector": {"matchLabels": {"team": "a"}}}]


def test_who_may_read_its_metrics_is_everyone_or_whom_the_values_name() -> None:
    peer = "gateway.scrapers[0].podSelector.matchLabels.app=prometheus"
    clients, metrics = named("NetworkPolicy", peer)["spec"]["ingress"]
    assert "from" not in clients
    assert metrics == {
        "ports": [{"port": "admin", "protocol": "TCP"}],
        "from": [{"podSelector": {"matchLabels": {"app": "prometheus"}}}],
    }


def test_its_number_is_given_or_left_to_an_autoscaler() -> None:
    assert named("Deployment", "gateway.replicas=3")["spec"]["replicas"] == 3
    assert of_kind(render(ON), "HorizontalPodAutoscaler") == []

    scaled = ("gateway.autoscaling.enabled=true", "gateway.autoscaling.maxReplicas=5")
    assert "replicas" not in named("Deployment", *scaled)["spec"]
    scaler = named("HorizontalPodAutoscaler", *scaled)["spec"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (2, 5)
    assert scaler["scaleTargetRef"]["name"] == NAME


def test_a_drained_node_takes_down_one_pod_at_a_time() -> None:
    budget = named("PodDisruptionBudget")["spec"]

    assert (budget["maxUnavailable"], budget["unhealthyPodEvictionPolicy"]) == (1, "AlwaysAllow")


def test_it_goes_where_the_operator_is_sent() -> None:
    settings = ("nodeSelector.zone=a", "priorityClassName=high", "image.pullSecrets={one}")
    spec, operator = pod(*settings)["spec"], pod(*settings, name="modelyard")["spec"]

    for field in ("nodeSelector", "priorityClassName", "imagePullSecrets"):
        assert spec[field] == operator[field]


def test_values_reach_its_arguments() -> None:
    chosen = ("gateway.workers=4", "gateway.defaultNamespace=team-a")
    command, *arguments = container(*chosen, "gateway.options.access-log-sample=0.5")["args"]
    options = parser().parse_args(arguments)

    assert command == "gateway"
    assert (options.workers, options.namespace, options.watch) == (4, "team-a", [])
    assert settings_of(options).access_log_sample == 0.5
    assert parser().parse_args(container()["args"][1:]).namespace is None


def test_options_may_be_numbers_or_text(tmp_path: Path) -> None:
    values = tmp_path / "values.yaml"
    numbers = {"max-body-bytes": 16777216, "max-in-flight": "12", "whole-timeout": 7.5, "write-timeout": 20.0}
    given = {**numbers, "answer-half-closed": True}
    values.write_text(json.dumps({"gateway": {"enabled": True, "options": given}}))
    done = helm("template", "modelyard", str(CHART), f"--kube-version={KUBERNETES}", "--values", str(values))
    (found,) = (
        each for each in of_kind(parsed(done.stdout), "Deployment") if each["metadata"]["name"] == NAME
    )
    told = settings_of(parser().parse_args(found["spec"]["template"]["spec"]["containers"][0]["args"][1:]))

    assert (told.limits.body_bytes, told.in_flight) == (16777216, 12)
    assert (told.whole_seconds, told.limits.write_seconds) == (7.5, 20.0)
    assert told.limits.half_closed is True


def test_each_option_of_the_command_but_those_of_the_chart_can_be_given() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    options = schema["properties"]["gateway"]["properties"]["options"]
    flags = {flag.removeprefix("--") for action in parser()._actions for flag in action.option_strings}
    own = {
        "-h",
        "help",
        "routes",
        "kubeconfig",
        "watch",
        "namespace",
        "host",
        "port",
        "admin-port",
        "workers",
    }

    assert options["additionalProperties"] is False
    assert {pattern.strip("^$") for pattern in options["patternProperties"]} == flags - own - {"worker"}


def test_helm_finds_no_fault_with_all_of_it_turned_on() -> None:
    on = ("--set", f"{ON},gateway.autoscaling.enabled=true,namespaces={{blue}}")
    done = helm("lint", "--strict", str(CHART), f"--kube-version={KUBERNETES}", *on)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ("gateway.replicas=0", "replicas"),
        ("gateway.callers[0].pods=x", "callers"),
        ("gateway.scrapers[0].pods=x", "scrapers"),
        ("gateway.service.type=ExternalName", "type"),
        ("gateway.defaultNamespace=A", "defaultNamespace"),
        ("gateway.worker=2", "worker"),
        ("gateway.options.port=1", "options"),
        ("gateway.options.max-body-byte=1", "options"),
        ("gateway.drainSeconds=-1", "drainSeconds"),
        ("gateway.graceSeconds=0", "graceSeconds"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_by_its_name(setting: str, complaint: str) -> None:
    done = helm("template", "modelyard", str(CHART), f"--kube-version={KUBERNETES}", "--set", setting)

    assert done.returncode != 0
    assert complaint in done.stderr
