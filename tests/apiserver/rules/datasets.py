"""The data of a ModelTest or a gate: from where, and how it is written."""

from __future__ import annotations

from tests.apiserver.rules.words import DOTTED_NAME, NOT_JSON, ONE_SOURCE, Case, Manifest
from tests.support.objects import make_dataset, make_test


def inline(path: str, content: str = "x\n1\n", **fields: object) -> Manifest:
    return make_test(dataset={"inline": [{"path": path, "content": content}], **fields})


def config_map(*, format: str | None = None, **reference: object) -> Manifest:
    form = {} if format is None else {"format": format}
    return make_test(dataset={"configMap": {"name": "rows", **reference}, **form})


DATASETS: list[Case] = [
    ("columns as JSON", make_test(dataset=make_dataset()), ""),
    ("rows as JSON", inline("rows.json", '[{"x": 1}, {"x": 2}]', format="json"), ""),
    ("a table", inline("rows.csv", format="csv"), ""),
    ("a table under any name", inline("rows.txt", format="csv"), ""),
    ("JSON under any name", inline("rows"), ""),
    ("a ConfigMap", config_map(key="rows.json"), ""),
    ("a ConfigMap with a table", config_map(key="rows.csv", format="csv"), ""),
    ("a ConfigMap whose only key is found when it is read", config_map(format="csv"), ""),
    ("a table that is taken for JSON", inline("rows.csv"), f"spec.dataset.format: Invalid value: {NOT_JSON}"),
    (
        "a table in a ConfigMap that is taken for JSON",
        config_map(key="rows.csv", format="json"),
        f"spec.dataset.format: Invalid value: {NOT_JSON}",
    ),
    (
        "data in a form that is not read",
        inline("rows.parquet", format="parquet"),
        'spec.dataset.format: Unsupported value: "parquet": supported values: "csv", "json"',
    ),
    (
        "a form in capitals",
        inline("rows.csv", format="CSV"),
        'spec.dataset.format: Unsupported value: "CSV": supported values: "csv", "json"',
    ),
    ("data from nowhere", make_test(dataset={}), f"spec.dataset: Invalid value: {ONE_SOURCE}"),
    (
        "data from two places",
        make_test(dataset={**make_dataset(), "configMap": {"name": "rows"}}),
        f"spec.dataset: Invalid value: {ONE_SOURCE}",
    ),
    (
        "two files of data",
        make_test(dataset={"inline": [{"path": path, "content": "x"} for path in "ab"]}),
        "spec.dataset.inline: Too many: 2: must have at most 1 item",
    ),
    (
        "no file of data",
        make_test(dataset={"inline": []}),
        "spec.dataset.inline: Invalid value: 0: spec.dataset.inline in body should have at least 1 items",
    ),
    (
        "a key that no ConfigMap can have",
        config_map(key="my rows"),
        "spec.dataset.configMap.key: Invalid value: \"my rows\": must be a key of a ConfigMap: letters, digits, '-', "
        "'_' and '.', for example rows.json",
    ),
    (
        "a ConfigMap that no one can make",
        config_map(name="Rows"),
        f'spec.dataset.configMap.name: Invalid value: "Rows": {DOTTED_NAME}',
    ),
]
