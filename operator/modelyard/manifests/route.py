"""What the Service of a version says to the gateway, so that it needs to read nothing but Services. Pure.

What the version's pods were told when they were rendered is as frozen as they are. The columns come with the verdict
of the tests, once, and stay.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from modelyard.api import labels
from modelyard.api.columns import InputColumn
from modelyard.manifests.frozen import Frozen
from modelyard.manifests.pod_template import CONTAINER

LONGEST = 200 * 1024
"""Bytes. The API server takes 256 KiB of annotations; labels that make more than this fit no environment either."""


def route_annotation(frozen: Frozen, columns: Sequence[InputColumn] = ()) -> dict[str, str]:
    """`{modelyard.dev/route: compact JSON}`, with the fields of a version in a file of routes (docs/gateway.md)."""
    text = json.dumps(_route(frozen, columns), ensure_ascii=False, separators=(",", ":"))
    if len(text.encode()) <= LONGEST:
        return {labels.ROUTE: text}
    return route_annotation(frozen) if columns else {}


def _route(frozen: Frozen, columns: Sequence[InputColumn]) -> dict[str, Any]:
    told = _told(frozen)
    return {
        "model": frozen.model,
        "label": frozen.label,
        "urlPrefix": told["URL_PREFIX"],
        "target": {"type": told["TARGET_TYPE"], "name": told["TARGET_NAME"], **_decision(told)},
        **({"columns": [column.to_json() for column in columns]} if columns else {}),
    }


def _decision(told: dict[str, str]) -> dict[str, Any]:
    """How probabilities are read: the labels in their order, the positive one first."""
    if "CLASS_LABELS" in told:
        return {"labels": json.loads(told["CLASS_LABELS"])}
    if "POSITIVE_CLASS_LABEL" not in told:
        return {}
    positive, negative = told["POSITIVE_CLASS_LABEL"], told["NEGATIVE_CLASS_LABEL"]
    return {"labels": [positive, negative], "threshold": float(told["PREDICTION_THRESHOLD"])}


def _told(frozen: Frozen) -> dict[str, str]:
    """The variables of a version's process, as the process reads them."""
    containers: list[dict[str, Any]] = frozen.template["spec"]["containers"]
    model = next(container for container in containers if container["name"] == CONTAINER)
    return {variable["name"]: variable["value"].replace("$$", "$") for variable in model["env"]}
