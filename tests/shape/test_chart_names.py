"""Names and values that people give the chart in earnest: long ones, odd ones, and those of a chart above it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.shape.chart import CHART, KUBERNETES, helm, of_kind, parsed

LONGEST = "a123456789-123456789-123456789-123456789-123456789-12"
"""The longest name of a release that helm takes: 53 letters."""

SERVICE = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
"""What the API server takes as the name of a Service."""

SECTIONS = (
    *(
        "image",
        "network",
        "models",
        "checks",
        "registries",
        "resources",
        "serviceAccount",
        "gateway",
        "rbac",
        "crds",
    ),
    *("network.dns", "gateway.options", "gateway.service", "gateway.autoscaling", "gateway.resources"),
)


def released(name: str, *options: str) -> list[dict[str, Any]]:
    done = templated(name, *options)
    assert done[0] == 0, done[1]
    return parsed(done[1])


def refused(*options: str, name: str = "modelyard") -> str:
    code, said = templated(name, *options)
    assert code != 0
    return said


def templated(name: str, *options: str) -> tuple[int, str]:
    done = helm("template", name, str(CHART), f"--kube-version={KUBERNETES}", *options)
    return done.returncode, done.stderr if done.returncode else done.stdout


def services(name: str) -> list[str]:
    return [
        one["metadata"]["name"] for one in of_kind(released(name, "--set=gateway.enabled=true"), "Service")
    ]


def test_the_services_of_a_release_with_the_longest_name_fit_the_api_server() -> None:
    assert len(LONGEST) == 53
    assert [name for name in services(LONGEST) if not SERVICE.fullmatch(name)] == []


def test_two_releases_whose_long_names_begin_alike_share_no_service() -> None:
    assert not set(services(LONGEST)) & set(services(f"{LONGEST[:-1]}3"))


def test_names_that_fit_are_left_as_they_are() -> None:
    assert f"{'a' * 47}-gateway-metrics" in services("a" * 47)
    assert sorted(services("mine")) == ["mine-gateway", "mine-gateway-metrics", "mine-metrics"]


@pytest.mark.parametrize("name", ["my.app", "2nd"])
def test_a_release_whose_services_could_not_be_made_is_refused_before_anything_is(name: str) -> None:
    said = refused(name=name)

    assert f"the release's name ({name})" in said
    assert "start with a letter" in said


def test_a_chart_above_may_switch_it_by_a_condition() -> None:
    """Helm hands the value of `condition: modelyard.enabled` down to the chart that it switches."""
    assert released("modelyard", "--set=enabled=true") == released("modelyard")


@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_that_was_emptied_is_missed_by_its_name(section: str, tmp_path: Path) -> None:
    """As by somebody who commented out all that is in it, which helm takes for the wish to have none."""
    *above, last = section.split(".")
    emptied: dict[str, Any] = {last: None}
    for name in above:
        emptied = {name: emptied}
    values = tmp_path / "values.yaml"
    values.write_text(yaml.safe_dump(emptied))

    said = refused(f"--values={values}")

    assert f"'{last}'" in said
    assert "nil pointer" not in said


@pytest.mark.parametrize(
    ("values", "limit"),
    [
        ({"resources": {"limits": {"cpu": 0.5}}}, 0.5),
        ({"resources": {"limits": {"cpu": 2}}}, 2),
        ({"resources": {"limits": {"cpu": "1500m"}}}, "1500m"),
    ],
)
def test_a_quantity_may_be_written_as_a_number(values: dict[str, Any], limit: object, tmp_path: Path) -> None:
    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump(values))
    (deployment,) = of_kind(released("modelyard", f"--values={file}"), "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]

    assert container["resources"]["limits"]["cpu"] == limit


def test_models_may_have_half_a_core(tmp_path: Path) -> None:
    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump({"models": {"cpuLimit": 0.5}}))
    (deployment,) = of_kind(released("modelyard", f"--values={file}"), "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]

    assert {"name": "MODELYARD_CPU_LIMIT", "value": "0.5"} in container["env"]


@pytest.mark.parametrize(
    ("where", "label"),
    [
        ("podLabels", "app.kubernetes.io/name"),
        ("podLabels", "app.kubernetes.io/instance"),
        ("gateway.podLabels", "app.kubernetes.io/name"),
        ("gateway.podLabels", "helm.sh/chart"),
        ("gateway.podLabels", "modelyard.dev/gateway"),
    ],
)
def test_labels_that_the_chart_gives_its_pods_are_not_given_twice(where: str, label: str) -> None:
    """A key that stands twice is no YAML for most who read it, and for helm a Deployment without its pods."""
    escaped = label.replace(".", "\\.")

    assert label in refused("--set=gateway.enabled=true", f"--set={where}.{escaped}=mine")


def test_labels_of_ones_own_reach_the_pods() -> None:
    manifests = released(
        "modelyard",
        "--set=gateway.enabled=true,podLabels.team=a,gateway.podLabels.app\\.kubernetes\\.io/part-of=b",
    )
    operator, gateway = sorted(of_kind(manifests, "Deployment"), key=lambda one: len(one["metadata"]["name"]))

    assert operator["spec"]["template"]["metadata"]["labels"]["team"] == "a"
    assert gateway["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/part-of"] == "b"
