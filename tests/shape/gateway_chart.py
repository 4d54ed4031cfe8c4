"""The gateway of the chart as helm renders it, for the tests of its shape."""

from __future__ import annotations

from typing import Any

from tests.shape.chart import CHART, KUBERNETES, helm, of_kind, render

ON = "gateway.enabled=true"
NAME = "modelyard-gateway"


def named(kind: str, *settings: str, name: str = NAME) -> dict[str, Any]:
    """The one manifest of a kind with this name."""
    manifests = of_kind(render(ON, *settings), kind)
    (found,) = (manifest for manifest in manifests if manifest["metadata"]["name"] == name)
    return found


def pod(*settings: str, name: str = NAME) -> dict[str, Any]:
    """The pod template of a Deployment."""
    template: dict[str, Any] = named("Deployment", *settings, name=name)["spec"]["template"]
    return template


def container(*settings: str) -> dict[str, Any]:
    (found,) = pod(*settings)["spec"]["containers"]
    return dict(found)


def refused(*settings: str) -> str:
    """Why the chart does not take these."""
    options = [option for setting in (ON, *settings) for option in ("--set", setting)]
    done = helm("template", "modelyard", str(CHART), f"--kube-version={KUBERNETES}", *options)
    assert done.returncode != 0
    return done.stderr
