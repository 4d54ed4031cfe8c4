"""One value of a document, and where it stands: so that what is said of it says where. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

_SHOWN = 60
"""Letters of a value that a message quotes."""


@dataclass(frozen=True, slots=True)
class Place:
    """A value, its path such as `models[0].name`, and the list that takes up what is wrong with it."""

    value: Any
    where: str
    problems: list[str]

    def refuse(self, reason: str) -> None:
        """Note that the value will not do; the reason ends with what to do."""
        where = f"{self.where}: " if self.where else ""
        self.problems.append(f"{where}{shown(self.value)} {reason}")

    def fields(self, known: Collection[str]) -> dict[str, Place]:
        """The fields of a mapping that are set (null counts as unset); others than those known are refused."""
        if not isinstance(self.value, dict):
            self.refuse(f"is no mapping; write fields such as {', '.join(known)}")
            return {}
        for name in self.value:
            if name not in known:
                self._unknown(name, known)
        return {
            name: Place(self.value[name], self._below(name), self.problems)
            for name in known
            if self.value.get(name) is not None
        }

    def has_null(self, name: str) -> bool:
        """Whether a field is set to null in so many words."""
        return isinstance(self.value, dict) and name in self.value and self.value[name] is None

    def lacks(self, name: str, what: str) -> None:
        """Note that a field is missing."""
        self.problems.append(f"{self._below(name)} is missing; {what}")

    def items(self, what: str) -> list[Place]:
        """The entries of a list."""
        if not isinstance(self.value, list):
            self.refuse(f"is no list; write {what}")
            return []
        return [Place(item, f"{self.where}[{i}]", self.problems) for i, item in enumerate(self.value)]

    def text(self, pattern: re.Pattern[str], what: str) -> str:
        """A text that matches as a whole; `what` says how to write it."""
        if not isinstance(self.value, str):
            self.refuse(f"is no text; write {what}{_in_quotes(self.value)}")
        elif not pattern.fullmatch(self.value):
            self.refuse(f"will not do; write {what}")
        else:
            return self.value
        return ""

    def number(self, lowest: float, highest: float) -> float:
        """A number within these bounds."""
        is_number = isinstance(self.value, int | float) and not isinstance(self.value, bool)
        if is_number and lowest <= self.value <= highest:
            return float(self.value)
        self.refuse(f"is no number from {lowest:g} to {highest:g}; write one")
        return lowest

    def _unknown(self, name: object, known: Collection[str]) -> None:
        near = difflib.get_close_matches(str(name), known, n=1)
        advice = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
        self.problems.append(f"{self._below(str(name))} is no field; {advice}")

    def _below(self, name: str) -> str:
        return f"{self.where}.{name}" if self.where else name


def shown(value: object) -> str:
    """A value as a message quotes it."""
    text = "null" if value is None else str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _in_quotes(value: object) -> str:
    return ", in quotes" if isinstance(value, int | float) else ""
