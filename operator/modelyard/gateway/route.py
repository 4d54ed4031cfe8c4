"""What the gateway knows of a model: its versions, what they predict, where their pods are. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

TargetType = Literal["Regression", "Binary", "Multiclass", "Anomaly"]


class Address(NamedTuple):
    """Where one pod listens."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Column:
    """An input as far as it is known: `datatype` as the Open Inference Protocol names it."""

    name: str
    datatype: str


@dataclass(frozen=True, slots=True)
class Target:
    """What a model predicts: how its answers are read, and how they are told."""

    type: TargetType
    name: str
    labels: tuple[str, ...] = ()
    """Of a Binary model the positive label, then the negative one; of a Multiclass model all, in their order."""

    threshold: float = 0.5
    """Of a Binary model: from this probability on, the positive label is decided."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version that can be asked."""

    label: str
    target: Target
    url_prefix: str
    """Path below which its pods answer, without a slash at the end."""

    pods: tuple[Address, ...] = ()
    """Those that are ready. Empty: it is known, and cannot be asked now."""

    columns: tuple[Column, ...] = ()


@dataclass(frozen=True, slots=True)
class Model:
    """A model and its versions by label."""

    namespace: str
    name: str
    versions: Mapping[str, Version]
    serving: str | None = None
    """Label of the version that answers when none is named."""


@dataclass(frozen=True, slots=True)
class Table:
    """All routes at one moment; a change makes another table."""

    models: Mapping[tuple[str, str], Model]
    """By namespace and name."""

    default_namespace: str | None = None
    """The namespace of `/v2/...`; None: only `/{namespace}/v2/...` is answered."""
