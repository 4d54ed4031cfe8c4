"""What docs/operations.md says holds of the chart, of the metrics and of the kinds."""

from __future__ import annotations

import asyncio
import re
from functools import cache
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from modelyard.api import kinds, labels
from modelyard.gateway.exposition import Health, exposition
from modelyard.gateway.series import Tally
from modelyard.handlers.process import Operator, Setup
from modelyard.kube.access import Access
from modelyard.settings import Settings
from tests.shape.chart import CHART, KUBERNETES, helm, parsed
from tests.support.pages import ROOT, blocks

PAGE = ROOT / "docs" / "operations.md"
TEXT = PAGE.read_text("utf-8")


def release(name: str, namespace: str, *settings: str) -> set[tuple[str, str, str]]:
    """What a release makes: kind, namespace and name, of a cluster's own objects without a namespace."""
    options = [f"--set={setting}" for setting in settings]
    done = helm(
        "template", name, str(CHART), f"--namespace={namespace}", f"--kube-version={KUBERNETES}", *options
    )
    assert done.returncode == 0, done.stderr
    return {
        (one["kind"], one["metadata"].get("namespace", ""), one["metadata"]["name"])
        for one in parsed(done.stdout)
    }


def second() -> list[str]:
    """The settings of the second release, but for its image."""
    (command,) = (block for block in blocks(PAGE, "") if "crds.enabled" in block)
    return [
        setting for setting in re.findall(r"--set '?([^' ]+)", command) if not setting.startswith("image")
    ]


def test_two_releases_even_of_one_name_share_nothing() -> None:
    first = release("modelyard", "blue-system", "namespaces={blue}", "gateway.enabled=true")
    other = release("modelyard", "green-system", *second(), "gateway.enabled=true")

    assert not first & other
    assert all(namespace in ("green", "green-system") for _, namespace, _ in other)


def test_of_a_release_for_all_every_object_of_the_cluster_has_its_name() -> None:
    made = release("one", "x", "gateway.enabled=true") & release("two", "y", "gateway.enabled=true")

    assert {kind for kind, _, _ in made} == {"CustomResourceDefinition"}


def test_what_is_kept_is_what_people_write_and_the_facts() -> None:
    (command,) = (block for block in blocks(PAGE, "") if "jq" in block)
    made_anew = {kinds.EXECUTION_ENVIRONMENT_VERSION, kinds.MODEL_TEST}

    (named,) = re.findall(r"kubectl get (\S+)", command)
    assert set(named.split(",")) == {kind.plural for kind in kinds.OWN_KINDS if kind not in made_anew}
    assert f"`{labels.MANAGED_BY}={labels.MANAGED_BY_VALUE}`" in TEXT


@cache
def of_the_operator() -> dict[str, set[str]]:
    async def made() -> dict[str, set[str]]:
        nowhere = Access("http://127.0.0.1:1", None, lambda: None)
        operator = Operator(Setup(nowhere, Settings(), {}, instance="here"))
        operator._measure()
        try:
            return families(operator)
        finally:
            await operator._session.close()

    return asyncio.run(made())


def families(operator: Operator) -> dict[str, set[str]]:
    """The names of labels of each metric, as it is scraped."""
    found = {}
    for collector in list(operator.metrics.registry._collector_to_names):
        for metric in collector.collect():
            total = "_total" if metric.type == "counter" else ""
            found[f"{metric.name}{total}"] = set(getattr(collector, "_labelnames", ()))
    return {name: names for name, names in found.items() if not name.startswith("process_")}


def listed() -> dict[str, set[str]]:
    rows = re.findall(r"^\| `(modelyard_\w+)` \| ([^|]*)\|", TEXT, re.MULTILINE)
    return {name: set(re.findall(r"\w+", named)) for name, named in rows}


def test_every_metric_of_the_operator_is_listed_with_its_labels() -> None:
    assert listed() == of_the_operator()


def rules() -> list[dict[str, Any]]:
    (block,) = (block for block in blocks(PAGE, "yaml") if "PrometheusRule" in block)
    (group,) = yaml.safe_load(block)["spec"]["groups"]
    return list(group["rules"])


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule["alert"]))
def test_an_alert_asks_for_metrics_that_there_are_and_for_their_labels(rule: dict[str, Any]) -> None:
    report = exposition([], Tally(), Health()).decode()
    of_gateway = {metric.name for metric in text_string_to_metric_families(report)}
    asked = re.findall(r"\b(modelyard_\w+)", rule["expr"])
    known = {
        **of_the_operator(),
        **{name: set() for name in of_gateway | {f"{name}_total" for name in of_gateway}},
    }

    assert asked
    assert set(asked) <= set(known)
    for name in set(asked) & set(of_the_operator()):
        assert set(re.findall(r"(\w+)(?:!~|=~|=)\"", rule["expr"])) <= known[name]
    assert set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"])) <= set(
        re.findall(r"\w+", rule["expr"])
    )
