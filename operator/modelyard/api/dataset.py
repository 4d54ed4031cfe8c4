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
    """Rows to predict on: exactly one of `inline` and `configMap`, as JSON by column, {"x": [1, 2]}."""

    inline: Annotated[list[InlineFile], Field(min_length=1, max_length=1), as_list_map("path")] | None = None
    """The data written here, as exactly one file of at most 192 KiB of UTF-8."""

    config_map: DatasetConfigMapRef | None = None
    """A ConfigMap in the same namespace that holds the data; it is read when the test starts."""

    format: Literal["json"] = "json"
    """How the data is written. json (the default): one object of columns, each a list with one entry a
    row."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.inline) != has(self.configMap)",
            "exactly one of inline and configMap must be set; remove one, or add the one that is missing",
        ),
        *inline_rules(CONFIG_MAP_ADVICE),
    )
