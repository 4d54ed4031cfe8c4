"""What docs/gateway.md says of the chart holds of the chart."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

from tests.shape.chart import of_kind, render
from tests.support.pages import ROOT, blocks

PAGE = ROOT / "docs" / "gateway.md"
ON = "gateway.enabled=true"
NAME = "modelyard-gateway"


def shown(beginning: str) -> dict[str, Any]:
    """The YAML of the page that begins so; `yml` is values of the chart, no object and no part of one."""
    (found,) = (block for block in blocks(PAGE, "yaml", "yml") if block.startswith(beginning))
    parsed: dict[str, Any] = yaml.safe_load(found)
    return parsed


def limit(*settings: str) -> str:
    """The memory limit of the gateway's container."""
    (found,) = (m for m in of_kind(render(ON, *settings), "Deployment") if m["metadata"]["name"] == NAME)
    return str(found["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["memory"])


def test_the_values_that_it_shows_are_peers_of_the_policy() -> None:
    values = shown("# values.yaml")["gateway"]
    peers = [peer["namespaceSelector"]["matchLabels"] for peer in values["callers"] + values["scrapers"]]
    (policy,) = of_kind(render(ON, *settings_of(values)), "NetworkPolicy")
    calls, metrics = policy["spec"]["ingress"]

    assert calls["from"] == values["callers"]
    assert metrics["from"] == values["scrapers"]
    assert len(peers) == 3


def settings_of(values: dict[str, Any]) -> list[str]:
    """As `--set` takes them."""
    found = []
    for name in ("callers", "scrapers"):
        for number, peer in enumerate(values[name]):
            ((label, value),) = peer["namespaceSelector"]["matchLabels"].items()
            path = label.replace(".", "\\.")
            found.append(
                f"gateway.{name}[{number}].namespaceSelector.matchLabels.{path}={json.dumps(value)[1:-1]}"
            )
    return found


def test_the_service_monitor_finds_the_metrics_of_both_and_nothing_else() -> None:
    spec = shown("apiVersion: monitoring.coreos.com")["spec"]
    (wanted,) = spec["selector"]["matchExpressions"]
    (endpoint,) = spec["endpoints"]
    found = {
        service["metadata"]["name"]
        for service in of_kind(render(ON), "Service")
        if service["metadata"]["labels"][wanted["key"]] in wanted["values"]
        and endpoint["port"] in {port["name"] for port in service["spec"]["ports"]}
    }

    assert found == {"modelyard-metrics", "modelyard-gateway-metrics"}


def test_prometheus_leaves_the_namespace_and_the_endpoint_of_a_prediction_as_they_are() -> None:
    """Otherwise those of the scraped pod take their place, and theirs are `exported_...`."""
    (endpoint,) = shown("apiVersion: monitoring.coreos.com")["spec"]["endpoints"]

    assert endpoint["honorLabels"] is True


def test_the_memory_that_it_speaks_of_is_the_charts() -> None:
    text = " ".join(PAGE.read_text().split())
    default, small = re.findall(r"That is (\d+Mi) by the defaults; .*?, (\d+Mi)\.", text)[0]
    body, held = re.findall(r"with bodies and answers of (\d+) MiB and (\d+) MiB held", text)[0]
    sizes = [
        f"gateway.options.max-{name}-bytes={int(mebibytes) << 20}"
        for name, mebibytes in (("body", body), ("answer", body), ("held", held))
    ]

    assert limit() == default
    assert limit(*sizes) == small
