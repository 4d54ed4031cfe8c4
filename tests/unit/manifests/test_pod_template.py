"""The pod template: what each field of a version and of its model becomes."""

from __future__ import annotations

from typing import Any

import pytest

from modelyard.api import labels
from modelyard.manifests.pod_template import environment, render, url_prefix
from modelyard.settings import Settings
from tests.unit.manifests.builders import IMAGE, SETTINGS, make_frozen, make_rendering

Manifest = dict[str, Any]


def _container(settings: Settings = SETTINGS, **overrides: Any) -> Manifest:
    (container,) = render(make_rendering(**overrides), settings)["spec"]["containers"]
    return dict(container)


def test_what_a_regression_is_told() -> None:
    assert environment(make_rendering()) == {
        "PORT": "8080",
        "URL_PREFIX": "/models/team-a/hello",
        "CODE_DIR": "/opt/modelyard/code",
        "HOME": "/tmp",
        "MODEL_NAME": "hello",
        "MODEL_VERSION": "1.0",
        "TARGET_TYPE": "Regression",
        "TARGET_NAME": "y",
    }


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ({}, ("1", "0", "0.5")),
        ({"positiveClassLabel": "yes", "negativeClassLabel": "no"}, ("yes", "no", "0.5")),
        ({"predictionThreshold": 0.25}, ("1", "0", "0.25")),
        ({"predictionThreshold": 0}, ("1", "0", "0.0")),
        ({"predictionThreshold": 1}, ("1", "0", "1.0")),
    ],
)
def test_what_a_binary_model_is_told_besides(model: Manifest, told: tuple[str, str, str]) -> None:
    found = environment(make_rendering(model={"targetType": "Binary", **model}))
    named = ("POSITIVE_CLASS_LABEL", "NEGATIVE_CLASS_LABEL", "PREDICTION_THRESHOLD")
    assert tuple(found[name] for name in named) == told


def test_what_the_platform_says_comes_before_what_the_user_says() -> None:
    variables = [{"name": "LOG_LEVEL", "value": "debug"}, {"name": "EMPTY"}]
    found = environment(make_rendering(environmentVariables=variables))
    assert list(found)[-2:] == ["LOG_LEVEL", "EMPTY"]
    assert (found["LOG_LEVEL"], found["EMPTY"]) == ("debug", "")


@pytest.mark.parametrize(
    ("written", "passed"),
    [("$(HOME)", "$$(HOME)"), ("$5", "$$5"), ("$$", "$$$$"), ("plain", "plain"), ("", "")],
)
def test_a_value_reaches_the_process_as_it_stands(written: str, passed: str) -> None:
    """Kubernetes expands $(NAME) and halves $$; doubling every dollar undoes both."""
    container = _container(environmentVariables=[{"name": "X", "value": written}])
    assert container["env"][-1] == {"name": "X", "value": passed}


def test_names_of_classes_are_not_expanded_either() -> None:
    model = {"targetType": "Binary", "positiveClassLabel": "$(HOME)", "negativeClassLabel": "$"}
    told = {entry["name"]: entry["value"] for entry in _container(model=model)["env"]}
    assert (told["POSITIVE_CLASS_LABEL"], told["NEGATIVE_CLASS_LABEL"]) == ("$$(HOME)", "$$")


@pytest.mark.parametrize(
    ("version", "settings", "resources"),
    [
        ({}, SETTINGS, ({"cpu": "250m", "memory": "1Gi"}, {"memory": "1Gi"})),
        (
            {"maximumMemory": "2Gi", "desiredMemory": "512Mi", "cpu": "2"},
            SETTINGS,
            ({"cpu": "2", "memory": "512Mi"}, {"memory": "2Gi"}),
        ),
        (
            {},
            Settings(cpu_limit="4"),
            ({"cpu": "250m", "memory": "1Gi"}, {"memory": "1Gi", "cpu": "4"}),
        ),
    ],
)
def test_memory_and_cpu(version: Manifest, settings: Settings, resources: tuple[Manifest, Manifest]) -> None:
    found = _container(settings, **version)["resources"]
    assert (found["requests"], found["limits"]) == resources


@pytest.mark.parametrize(("seconds", "tries"), [(5, 3), (6, 3), (7, 4), (300, 150), (3600, 1800)])
def test_the_startup_probe_gives_at_least_the_time_that_was_asked_for(seconds: int, tries: int) -> None:
    probe = _container(startup={"timeoutSeconds": seconds})["startupProbe"]
    assert probe["failureThreshold"] == tries
    assert probe["failureThreshold"] * probe["periodSeconds"] >= seconds


def test_a_busy_model_has_a_minute_before_it_is_taken_out_and_is_never_killed_for_it() -> None:
    container = _container()
    probe = container["readinessProbe"]
    assert probe["failureThreshold"] * probe["periodSeconds"] == 60
    assert "livenessProbe" not in container


def test_both_probes_ask_where_the_model_answers() -> None:
    container = _container()
    path = f"{url_prefix('team-a', 'hello')}/"
    assert [container[probe]["httpGet"]["path"] for probe in ("startupProbe", "readinessProbe")] == [path] * 2


@pytest.mark.parametrize(
    ("command", "started"),
    [([], ["/opt/modelyard/code/start_server.sh"]), (["serve", "--all"], ["serve", "--all"])],
)
def test_the_environments_start_command_replaces_the_models_script(
    command: list[str], started: list[str]
) -> None:
    container = _container(environment={"startCommand": command})
    assert (container["command"], container["workingDir"]) == (started, "/opt/modelyard/code")
    assert "args" not in container


@pytest.mark.parametrize("names", [[], ["a"], ["a", "b", "c", "d"]])
def test_pull_secrets_of_the_environment_are_the_pods(names: list[str]) -> None:
    refs = [{"name": name} for name in names]
    spec = render(make_rendering(environment={"imagePullSecrets": refs}), SETTINGS)["spec"]
    assert spec.get("imagePullSecrets", []) == refs


@pytest.mark.parametrize("policy", ["NONE", "PUBLIC"])
def test_the_egress_policy_is_a_label_of_the_pod(policy: str) -> None:
    made = render(make_rendering(networkEgressPolicy=policy), SETTINGS)
    assert made["metadata"]["labels"][labels.EGRESS] == policy.lower()


def test_replicas_that_require_ha_never_share_a_node() -> None:
    made = make_rendering(replicas=3, requiresHa=True)
    affinity = render(made, SETTINGS)["spec"]["affinity"]
    (term,) = affinity["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert term == {
        "labelSelector": {"matchLabels": {labels.SERVES: made.key}},
        "topologyKey": "kubernetes.io/hostname",
    }
    assert "affinity" not in render(make_rendering(replicas=3), SETTINGS)["spec"]


def test_the_image_is_what_was_resolved_and_not_what_was_written() -> None:
    assert _container()["image"] == IMAGE


@pytest.mark.parametrize(
    "overrides",
    [
        {"replicas": 2},
        {"label": "1.1"},
        {"cpu": "1"},
        {"networkEgressPolicy": "PUBLIC"},
        {"startup": {"timeoutSeconds": 10}},
        {"environmentVariables": [{"name": "A", "value": "1"}]},
        {"model": {"targetName": "z"}},
        {"environment": {"startCommand": ["x"]}},
        {"files": ()},
    ],
    ids=lambda overrides: next(iter(overrides)),
)
def test_whatever_changes_what_runs_changes_the_hash_of_the_template(overrides: Manifest) -> None:
    assert make_frozen(**overrides).template_hash != make_frozen().template_hash


@pytest.mark.parametrize(
    "overrides",
    [{"description": "better"}, {"model": {"description": "x", "language": "y"}}, {"maximumMemory": "1Gi"}],
    ids=["description", "words of the model", "a default written out"],
)
def test_what_does_not_run_does_not_change_the_hash(overrides: Manifest) -> None:
    assert make_frozen(**overrides).template_hash == make_frozen().template_hash
