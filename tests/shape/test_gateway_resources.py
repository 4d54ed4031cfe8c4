"""What a pod of the chart's gateway asks for and may take, and when more of them come."""

from __future__ import annotations

import pytest

from modelyard.gateway.settings import Settings
from tests.shape.gateway_chart import container, named, refused
from tests.support.room import MEBIBYTE, needed

SCALED = "gateway.autoscaling.enabled=true"
REQUESTS, LIMITS = "gateway.resources.requests", "gateway.resources.limits"
SMALL = tuple(f"gateway.options.max-{name}-bytes={MEBIBYTE}" for name in ("held", "body", "answer"))


def sizes(**mebibytes: int) -> tuple[str, ...]:
    """Options of so many MiB."""
    return tuple(f"gateway.options.max-{name}-bytes={size * MEBIBYTE}" for name, size in mebibytes.items())


def room(*settings: str) -> int:
    """The memory limit in MiB."""
    text = container(*settings)["resources"]["limits"]["memory"]
    assert text.endswith("Mi")
    return int(text.removesuffix("Mi"))


def test_what_a_pod_asks_for_and_may_take_follows_from_its_workers() -> None:
    assert container()["resources"] == {
        "requests": {"cpu": "500m", "memory": "128Mi"},
        "limits": {"memory": "2880Mi"},
    }
    assert container("gateway.workers=3")["resources"] == {
        "requests": {"cpu": "1500m", "memory": "384Mi"},
        "limits": {"memory": "8640Mi"},
    }
    own = (f"{REQUESTS}.cpu=1", f"{LIMITS}.cpu=2")
    assert container(*own)["resources"] == {
        "requests": {"cpu": 1, "memory": "128Mi"},
        "limits": {"cpu": 2, "memory": "2880Mi"},
    }


@pytest.mark.parametrize(
    ("settings", "requests", "limits"),
    [
        ((f"{REQUESTS}.memory=4Gi",), {"cpu": "500m", "memory": "4Gi"}, {"memory": "4Gi"}),
        ((f"{REQUESTS}.memory=2880Mi",), {"cpu": "500m", "memory": "2880Mi"}, {"memory": "2880Mi"}),
        ((f"{LIMITS}.cpu=250m",), {"cpu": "250m", "memory": "128Mi"}, {"cpu": "250m", "memory": "2880Mi"}),
        (
            (f"{LIMITS}.cpu=1.5", "gateway.workers=4"),
            {"cpu": "1.5", "memory": "512Mi"},
            {"cpu": "1.5", "memory": "11520Mi"},
        ),
        (SMALL, {"cpu": "500m", "memory": "99Mi"}, {"memory": "99Mi"}),
        (
            (*SMALL, f"{LIMITS}.memory=100Mi"),
            {"cpu": "500m", "memory": "100Mi"},
            {"memory": "100Mi"},
        ),
    ],
)
def test_what_is_not_given_fits_what_is(
    settings: tuple[str, ...], requests: dict[str, object], limits: dict[str, object]
) -> None:
    assert container(*settings)["resources"] == {"requests": requests, "limits": limits}


@pytest.mark.parametrize(
    ("name", "request_", "limit"),
    [("cpu", "1", "999m"), ("cpu", "2500m", "2.4"), ("memory", "4Gi", "4095Mi")],
)
def test_a_request_above_its_limit_is_refused(name: str, request_: str, limit: str) -> None:
    said = refused(f"{REQUESTS}.{name}={request_}", f"{LIMITS}.{name}={limit}")

    assert f"gateway.resources.requests.{name} ({request_}) is more than" in said
    assert f"gateway.resources.limits.{name} ({limit})" in said


def test_the_memory_limit_holds_what_the_limits_let_in() -> None:
    settings = Settings()
    limits, answer = settings.limits, settings.answer_bytes

    assert room() * MEBIBYTE == needed(limits.held_bytes, limits.body_bytes, answer)
    for held, body, larger in ((32, 4, 4), (32, 4, 16), (32, 4, 64), (256, 64, 512), (32, 16, 1)):
        chosen = sizes(held=held, body=body, answer=larger)
        assert room(*chosen) == needed(held * MEBIBYTE, body * MEBIBYTE, larger * MEBIBYTE) // MEBIBYTE
    tiny = ("gateway.options.max-body-bytes=1", "gateway.options.max-answer-bytes=1")
    assert room(*tiny) == needed(limits.held_bytes, 0, 0) // MEBIBYTE + 1


@pytest.mark.parametrize("limit", ["1Gi", "2.5Gi", "2879Mi", "3019898879"])
def test_a_memory_limit_that_does_not_hold_it_is_refused(limit: str) -> None:
    said = refused(f"{LIMITS}.memory={limit}")

    assert f"gateway.resources.limits.memory ({limit}) is less than the 2880Mi" in said
    for option in ("max-held-bytes", "max-body-bytes", "max-answer-bytes"):
        assert f"gateway.options.{option}" in said


@pytest.mark.parametrize("limit", ["2880Mi", "2.9Gi", "4G", "3019898880"])
def test_a_memory_limit_that_holds_it_is_taken(limit: str) -> None:
    assert str(container(f"{LIMITS}.memory={limit}")["resources"]["limits"]["memory"]) == limit


def test_a_body_that_would_never_be_held_is_refused() -> None:
    held, default = 64 * MEBIBYTE - 1, 64 * MEBIBYTE

    said = refused(f"gateway.options.max-held-bytes={held}")
    assert f"gateway.options.max-held-bytes ({held}) is below max-body-bytes ({default})" in said
    assert room(*sizes(held=64)) == 64 + 3 * 64 + 32 * 64


@pytest.mark.parametrize(
    ("settings", "busy"),
    [
        ((), "700m"),
        ((f"{REQUESTS}.cpu=2",), "700m"),
        (("gateway.workers=4",), "2800m"),
        (("gateway.workers=2", "gateway.autoscaling.targetCpu=50"), "1000m"),
    ],
)
def test_pods_are_added_when_their_workers_are_busy_whatever_is_requested(
    settings: tuple[str, ...], busy: str
) -> None:
    (metric,) = named("HorizontalPodAutoscaler", SCALED, *settings)["spec"]["metrics"]

    assert metric["resource"] == {"name": "cpu", "target": {"type": "AverageValue", "averageValue": busy}}


@pytest.mark.parametrize(
    ("settings", "limit", "least"),
    [((), "500m", "770m"), ((), "770m", "770m"), (("gateway.workers=2",), "1.5", "1540m")],
)
def test_a_cpu_limit_under_which_no_pod_would_be_added_is_refused(
    settings: tuple[str, ...], limit: str, least: str
) -> None:
    said = refused(SCALED, *settings, f"{LIMITS}.cpu={limit}")

    assert f"gateway.resources.limits.cpu ({limit}) has to be above {least}" in said


def test_a_cpu_limit_above_what_pods_are_added_at_is_taken_and_any_where_none_are() -> None:
    assert container(SCALED, f"{LIMITS}.cpu=771m")["resources"]["limits"]["cpu"] == "771m"
    assert container(f"{LIMITS}.cpu=500m")["resources"]["limits"]["cpu"] == "500m"


def test_a_target_that_workers_of_one_core_each_do_not_get_above_is_refused() -> None:
    assert "targetCpu" in refused("gateway.autoscaling.targetCpu=91")
    assert named("HorizontalPodAutoscaler", SCALED, "gateway.autoscaling.targetCpu=90")


def test_no_fewer_pods_than_the_fewest_may_be_the_most() -> None:
    said = refused(SCALED, "gateway.autoscaling.minReplicas=9")

    assert "gateway.autoscaling.minReplicas (9) is more than gateway.autoscaling.maxReplicas (8)" in said
    one = named("HorizontalPodAutoscaler", SCALED, "gateway.autoscaling.minReplicas=8")["spec"]
    assert (one["minReplicas"], one["maxReplicas"]) == (8, 8)
