"""A data set in a file: read, and checked to be usable."""

from __future__ import annotations

import hashlib
from pathlib import Path

from modelyard.api.dataset import DataFormat
from modelyard.checks.csv_data import parse_csv
from modelyard.checks.data import DataError, DataSet
from modelyard.checks.json_data import parse_json


def load_data_set(path: Path, format: DataFormat = "json") -> DataSet:
    """The data set in a file; DataError when it cannot be read or used."""
    try:
        return parse_data_set(path.read_bytes(), format, path.name)
    except OSError as error:
        raise DataError(f"data set {path.name}: cannot be read: {error.strerror}") from None
    except DataError as error:
        raise DataError(f"data set {path.name}: {error}") from None


def parse_data_set(content: bytes, format: DataFormat = "json", name: str = "data") -> DataSet:
    """The data set in the content of a file; DataError says what is wrong, and where."""
    columns = parse_csv(_text(content)) if format == "csv" else parse_json(_text(content))
    return DataSet(columns, name, format, hashlib.sha256(content).hexdigest())


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode("utf-8", "replace")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        raise DataError(f"is not UTF-8 text (line {line}, column {column})") from None
