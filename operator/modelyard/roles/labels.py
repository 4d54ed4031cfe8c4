"""Version labels ("major.minor"): their order, and which one a new version gets."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Label:
    """A version's label; compares by number, so 1.10 comes after 1.9."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


FIRST = Label(1, 0)


def parse(text: str) -> Label:
    """A label from "major.minor"; ValueError for anything else (the schema lets nothing else in)."""
    major, _, minor = text.partition(".")
    return Label(int(major), int(minor))


def following(highest: Label | None, *, major: bool) -> Label:
    """The next label: 1.0 first whatever the flag, then a new major or a new minor (digest B3)."""
    if highest is None:
        return FIRST
    return Label(highest.major + 1, 0) if major else Label(highest.major, highest.minor + 1)


def highest(labels: Collection[str]) -> Label | None:
    """The highest of these; None of none."""
    return max(map(parse, labels), default=None)
