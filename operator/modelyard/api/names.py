"""Rules for the names of our own objects."""

from __future__ import annotations

from modelyard.api.markers import Rule

LABEL_NAME = Rule(
    "self.metadata.name.matches('^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$')",
    "must be at most 63 lower-case letters, digits and '-', starting and ending with a letter or digit; choose"
    " such a name",
    ".metadata.name",
)
"""A DNS-1123 label: the name also stands in labels of what is made from the object."""

SERVICE_NAME = Rule(
    "self.metadata.name.matches('^[a-z]([-a-z0-9]{0,50}[a-z0-9])?$')",
    "must be at most 52 lower-case letters, digits and '-', starting with a letter and ending with a letter or"
    " digit, because the model's Service gets this name; choose such a name",
    ".metadata.name",
)
"""A DNS-1035 label of at most 52 characters."""
