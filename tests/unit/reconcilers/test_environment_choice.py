"""Which environment version a model version runs in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from modelyard.api.custom_model_version import CustomModelVersion
from modelyard.api.execution_environment import ExecutionEnvironment
from modelyard.api.execution_environment_version import ExecutionEnvironmentVersion
from modelyard.api.model_ledger import ModelLedgerSpec
from modelyard.reconcilers.custom_model_version.facts import Facts
from tests.support.objects import make_environment, make_environment_version, make_version

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
USABLE = {"image": "x@sha256:1"}


def _version(number: int, image: str, *, usable: bool = True, **spec: Any) -> ExecutionEnvironmentVersion:
    made = make_environment_version(
        f"python-{number}", number=number, image=image, status=USABLE if usable else {}, **spec
    )
    return ExecutionEnvironmentVersion.model_validate(made)


def _chosen(
    *versions: ExecutionEnvironmentVersion, image: str | None = "b:1", number: int | None = None, **spec: Any
) -> int | None:
    """Number of the version that is chosen while the environment names this image (None: it is gone)."""
    ref = {"name": "python", **({"version": number} if number else {})}
    environment = image and ExecutionEnvironment.model_validate(make_environment(image=image, **spec))
    facts = Facts(
        now=NOW,
        version=CustomModelVersion.model_validate(make_version(environmentRef=ref)),
        key="k",
        model=None,
        ledger=ModelLedgerSpec(model_name="hello"),
        live=frozenset(),
        label_conflict=None,
        environment=environment or None,
        environment_versions=versions,
        frozen=None,
        deployment=None,
        pods=(),
        tests=(),
        children=(),
    )
    return facts.chosen_environment.spec.number if facts.chosen_environment else None


A, B, C = _version(1, "a:1"), _version(2, "b:1"), _version(3, "c:1")
B_UNKNOWN = _version(2, "b:1", usable=False)


@pytest.mark.parametrize(
    ("versions", "image", "number", "chosen"),
    [
        ((), "a:1", None, None),
        ((A,), "a:1", None, 1),
        ((A, B), "b:1", None, 2),
        ((B, A), "b:1", None, 2),
        ((A,), "b:1", None, None),
        ((A, B_UNKNOWN), "b:1", None, None),
        ((A, B), "a:1", None, None),
        ((A, B, C), "c:1", 2, 2),
        ((A, B, C), "c:1", 4, None),
        ((A, B_UNKNOWN), "b:1", 2, None),
        ((A, B_UNKNOWN), "b:1", 1, 1),
        ((A,), None, None, None),
        ((A,), None, 1, None),
    ],
    ids=[
        "none was made yet",
        "the only one",
        "the newest",
        "the newest in any order",
        "the image was changed and its version is not made yet",
        "the newest is not resolved yet",
        "back to an earlier image, and its version is not made yet",
        "the one that is named",
        "one that is not there",
        "the one that is named is not resolved yet",
        "an older one that is named",
        "the environment is gone",
        "the environment is gone and one is named",
    ],
)
def test_the_version_that_is_chosen(
    versions: tuple[ExecutionEnvironmentVersion, ...], image: str, number: int | None, chosen: int | None
) -> None:
    assert _chosen(*versions, image=image, number=number) == chosen


@pytest.mark.parametrize(
    "change",
    [{"startCommand": ["serve"]}, {"imagePullSecrets": [{"name": "pull"}]}, {"label": "new"}],
    ids=lambda change: next(iter(change)),
)
def test_whatever_makes_a_new_version_is_waited_for(change: dict[str, Any]) -> None:
    assert _chosen(B, image="b:1", **change) is None
    assert _chosen(B, _version(3, "b:1", **change), image="b:1", **change) == 3


def test_words_for_readers_are_not_waited_for() -> None:
    assert _chosen(B, image="b:1", description="better") == 2
