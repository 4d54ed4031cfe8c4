"""What a case of the table is, and the sentences that more than one kind says."""

from __future__ import annotations

from typing import Any

Manifest = dict[str, Any]

Case = tuple[str, Manifest, str]
"""What is tried, the object, and what the API server says of it from the field on; nothing for a good one."""

NAME = (
    "must be a name of lower-case letters, digits and '-', starting and ending with a letter or digit, for example "
    "my-model"
)
DOTTED_NAME = (
    "must be a name of lower-case letters, digits, '-' and '.', starting and ending with a letter or digit, for "
    "example my-config"
)
MEMORY = "must be a quantity from 128Mi to 14Gi, for example 512Mi"
ONE_SOURCE = "exactly one of inline and configMap must be set; remove one, or add the one that is missing"
NEEDS_DATASET = (
    "dataset is required for the errorCheck; add a dataset, or set configuration.errorCheck to skip"
)
NO_NUL = "must not hold a NUL character; remove it"
NEEDS_DATASET_TO_FAIL = (
    "dataset is required where nullValueImputation or sideEffects may fail the test; add a dataset, or set them to "
    "warn or skip"
)
NOT_JSON = "the file's name ends in .csv but format is json; set format to csv, or rename the file"
