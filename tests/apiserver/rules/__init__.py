"""The rules of the schema as one table: what is tried, with which object, and what its author reads.

Each part has a file of its own; `TABLE` is all of them. A good object has no sentence. What may not be *changed* is
in tests/apiserver/test_immutability.py, and how much text fits in tests/apiserver/test_inline_size.py.
"""

from __future__ import annotations

from tests.apiserver.rules import (
    configuration,
    datasets,
    environments,
    gates,
    labels,
    ledgers,
    model_tests,
    models,
    names,
    sources,
    versions,
)
from tests.apiserver.rules.words import Case

TABLE: dict[str, list[Case]] = {
    "names": names.NAMES,
    "model": models.MODELS,
    "labels": labels.LABELS,
    "gate": gates.GATES,
    "callers": gates.CALLERS,
    "version": versions.VERSIONS,
    "resources": versions.RESOURCES,
    "source": sources.SOURCES,
    "variables": sources.VARIABLES,
    "environment": environments.ENVIRONMENTS,
    "test": model_tests.TESTS,
    "configuration": configuration.CONFIGURATION,
    "dataset": datasets.DATASETS,
    "ledger": ledgers.LEDGERS,
}
