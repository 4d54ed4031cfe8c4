"""The gateway's default namespace in the chart: one of those that it watches."""

from __future__ import annotations

import pytest

from tests.shape.chart import CHART, KUBERNETES, helm, of_kind, render

ON = "gateway.enabled=true"


def test_a_default_namespace_that_is_not_watched_is_refused() -> None:
    settings = f"{ON},namespaces={{team-a,team-b}},gateway.defaultNamespace=team-c"
    done = helm("template", "modelyard", str(CHART), f"--kube-version={KUBERNETES}", "--set", settings)

    assert done.returncode != 0
    assert "gateway.defaultNamespace (team-c) is none of namespaces (team-a, team-b)" in done.stderr


@pytest.mark.parametrize("settings", [("namespaces={team-a,team-c}",), ()], ids=["listed", "all are watched"])
def test_a_default_namespace_that_is_watched_is_taken(settings: tuple[str, ...]) -> None:
    deployments = of_kind(render(ON, *settings, "gateway.defaultNamespace=team-c"), "Deployment")
    (gateway,) = (each for each in deployments if each["metadata"]["name"] == "modelyard-gateway")

    (container,) = gateway["spec"]["template"]["spec"]["containers"]
    assert "--namespace=team-c" in container["args"]
