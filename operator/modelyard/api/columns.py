"""What is known of the columns that a version takes: names, and datatypes of the Open Inference Protocol.

They come from the data of a test that went well, and go by way of the ledger to the gateway, which tells clients.
All of them or none: whoever is told some can rely on it that there are no more.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from modelyard.api.markers import atomic
from modelyard.api.meta import ApiModel

Datatype = Literal["BOOL", "INT64", "FP64", "BYTES"]

MAX_SIZE = 2048
"""Bytes of `{"name":"datatype",...}` as compact JSON: a hundred columns of ten letters. What is longer stays unsaid."""


class InputColumn(ApiModel):
    """One column that predictions are made from."""

    name: Annotated[str, Field(min_length=1, max_length=MAX_SIZE)]
    """Name of the column, as the data set has it."""

    datatype: Datatype
    """What its values are, in the words of the Open Inference Protocol: BOOL, INT64, FP64, or BYTES for
    text."""


Columns = Annotated[list[InputColumn], Field(max_length=MAX_SIZE // 10), atomic("list")]

_COLUMNS = TypeAdapter(Columns)


def is_tellable(columns: Mapping[str, str]) -> bool:
    """Whether these are not too long, and UTF-8 can say them: JSON may hold half a surrogate pair."""
    try:
        size = len(json.dumps(columns, ensure_ascii=False, separators=(",", ":")).encode())
    except UnicodeEncodeError:
        return False
    return size <= MAX_SIZE


def known_columns(told: Mapping[str, str]) -> list[InputColumn] | None:
    """The columns that somebody tells of, name to datatype, in their order; None if they are none that we tell."""
    if not told or not is_tellable(told):
        return None
    try:
        return _COLUMNS.validate_python(
            [{"name": name, "datatype": datatype} for name, datatype in told.items()]
        )
    except ValidationError:
        return None
