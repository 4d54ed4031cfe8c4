"""The data that a test sends to a model."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from modelyard.api.inline_size import inline_rules
from modelyard.api.markers import Rule, as_list_map, checked
from modelyard.api.meta import ApiModel, LocalRef
from modelyard.api.source import InlineFile

CONFIG_MAP_ADVICE = (
    "put the data into a ConfigMap (kubectl create configmap NAME --from-file=FILE) and name it in configMap"
)


DataFormat = Literal["csv", "json"]


class DatasetConfigMapRef(LocalRef):
    """A ConfigMap in the same namespace that holds the data under one of its keys."""

    key: (
        Annotated[
            str,
            Field(min_length=1, max_length=253),
            checked(
                Rule(
                    "self.matches('^[-._a-zA-Z0-9]+$')",
                    "must be a key of a ConfigMap: letters, digits, '-', '_' and '.', for example rows.json",
                )
            ),
        ]
        | None
    ) = None
    """The key that holds the data; may be left out when the ConfigMap has only one."""


class DatasetSource(ApiModel):
    """Rows to predict on: exactly one of `inline` and `configMap`, as CSV with a header line or as JSON."""

    inline: Annotated[list[InlineFile], Field(min_length=1, max_length=1), as_list_map("path")] | None = None
    """The data written here, as exactly one file of at most 192 KiB of UTF-8."""

    config_map: DatasetConfigMapRef | None = None
    """A ConfigMap in the same namespace that holds the data; it is read when the test starts. A test waits for
    one that is missing or lacks the key."""

    format: DataFormat = "json"
    """How the data is written. json (the default): one object of columns, each a list with one entry a row,
    {"x": [1, 2]}; or a list of rows, each an object, [{"x": 1}, {"x": 2}]. csv: a header line with the
    columns' names, then a line a row, separated by commas."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.inline) != has(self.configMap)",
            "exactly one of inline and configMap must be set; remove one, or add the one that is missing",
        ),
        Rule(
            "self.format == 'csv' || !((has(self.inline) && self.inline.exists(file, file.path.endsWith('.csv')))"
            " || (has(self.configMap) && has(self.configMap.key) && self.configMap.key.endsWith('.csv')))",
            "the file's name ends in .csv but format is json; set format to csv, or rename the file",
            ".format",
        ),
        *inline_rules(CONFIG_MAP_ADVICE),
    )
