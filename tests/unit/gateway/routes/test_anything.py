"""Whatever a document or an annotation holds, it is understood or refused in words."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.gateway.route import Table, Version
from modelyard.gateway.routes.document import RoutesError, table_of
from modelyard.gateway.routes.services import version_in

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
GOOD: dict[str, Any] = {
    "defaultNamespace": "team",
    "models": [
        {
            "name": "flats",
            "namespace": "team",
            "serving": "1.0",
            "urlPrefix": "/p",
            "target": {"type": "Binary", "name": "y", "labels": ["a", "b"], "threshold": 0.5},
            "columns": [{"name": "x", "datatype": "FP64"}],
            "versions": [{"label": "1.0", "pods": ["a:80"]}, {"label": "1.1", "urlPrefix": ""}],
        }
    ],
}
ROUTE: dict[str, Any] = {
    "model": "flats",
    "label": "1.0",
    **{field: GOOD["models"][0][field] for field in ("urlPrefix", "target", "columns")},
}


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container in a document, with each of its keys."""
    if not isinstance(value, dict | list):
        return []
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    return [(value, key) for key in keys] + [found for key in keys for found in places(value[key])]


@st.composite
def spoilt(draw: st.DrawFn, good: dict[str, Any]) -> Any:
    """A good document in which something is another value, is gone, or is more than there should be."""
    document = copy.deepcopy(good)
    for _ in range(draw(st.integers(1, 2))):
        holder, key = draw(st.sampled_from(places(document)))
        if draw(st.booleans()):
            holder[key] = draw(VALUES)
        elif isinstance(holder, dict):
            holder[draw(st.text(max_size=5))] = holder.pop(key)
        else:
            holder.append(copy.deepcopy(holder[key]))
        if not places(document):
            break
    return document


def told(document: Any) -> Table | tuple[str, ...]:
    """The table, or what is wrong with the document."""
    try:
        return table_of(document)
    except RoutesError as error:
        return error.problems


@settings(max_examples=150, deadline=None)
@given(VALUES | spoilt(GOOD))
def test_a_document_is_a_table_or_is_refused_in_words(document: Any) -> None:
    said = told(document)
    assert isinstance(said, Table) or (said and all(0 < len(problem) < 500 for problem in said))


@settings(max_examples=150, deadline=None)
@given(VALUES | spoilt(ROUTE))
def test_an_annotation_is_a_version_or_is_none(route: Any) -> None:
    assert isinstance(version_in(json.dumps(route)), Version | None)


def test_what_is_spoilt_is_good_before() -> None:
    assert table_of(GOOD).models
    assert version_in(json.dumps(ROUTE))
