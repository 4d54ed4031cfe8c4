"""Which datatypes the columns of a data set have, as far as their values tell. Pure.

    true, false                              BOOL
    integers, all from -2**63 to 2**63 - 1   INT64
    numbers                                  FP64
    texts                                    BYTES
    nothing but null                         FP64, as numpy and pandas have it

docs/gateway.md states them. null is a value of each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from modelyard.api.check_plan import CheckName, CheckStatus, CheckSummary
from modelyard.api.columns import Datatype, is_tellable
from modelyard.checks.data import DataSet

_INT64 = range(-(2**63), 2**63)
_OF_TYPES: Mapping[frozenset[type], Datatype] = {
    frozenset[type](): "FP64",
    frozenset({bool}): "BOOL",
    frozenset({int}): "INT64",
    frozenset({float}): "FP64",
    frozenset({int, float}): "FP64",
    frozenset({str}): "BYTES",
}


def with_columns(summary: CheckSummary, data: DataSet | None) -> CheckSummary:
    """The summary with the columns of the data, if the model predicted every row as it should."""
    error_check = summary.checks.get(CheckName.ERROR_CHECK)
    if data is None or error_check is None or error_check.status is not CheckStatus.SUCCEEDED:
        return summary
    return summary.model_copy(update={"columns": datatypes(data.columns) or None})


def datatypes(columns: Mapping[str, Iterable[object]]) -> dict[str, Datatype]:
    """Name to datatype, in their order. None at all where a column has no one datatype (lists, objects, texts among
    numbers) or no name, or where they are too long to be told: some of them would pass for all."""
    found: dict[str, Datatype] = {}
    for name, values in columns.items():
        datatype = _datatype(values)
        if datatype is None or not name:
            return {}
        found[name] = datatype
    return found if is_tellable(found) else {}


def _datatype(values: Iterable[object]) -> Datatype | None:
    present = [value for value in values if value is not None]
    datatype = _OF_TYPES.get(frozenset(map(type, present)))
    return "FP64" if datatype == "INT64" and not all(value in _INT64 for value in present) else datatype
