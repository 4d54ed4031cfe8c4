"""CEL rules that freeze fields, removal and later addition included."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel

from modelyard.api.markers import Rule


def frozen_fields(spec: type[BaseModel], *, but: Iterable[str] = (), advice: str) -> tuple[Rule, ...]:
    """A rule for each field of the spec, to stand on the spec as a whole.

    A transition rule on an optional field itself would not run when the field is removed or added.
    """
    free = set(but)
    return tuple(_frozen(spec, name, advice) for name in spec.model_fields if name not in free)


def _frozen(spec: type[BaseModel], name: str, advice: str) -> Rule:
    field = spec.model_fields[name]
    alias = field.alias or name
    return Rule(
        _same(alias) if field.is_required() else _same_or_both_absent(alias),
        f"{alias} cannot be changed; {advice}",
        f".{alias}",
    )


def _same(name: str) -> str:
    return f"self.{name} == oldSelf.{name}"


def _same_or_both_absent(name: str) -> str:
    return f"has(self.{name}) == has(oldSelf.{name}) && (!has(self.{name}) || {_same(name)})"
