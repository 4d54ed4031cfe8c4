"""What is wrong with a value by the schema of a CRD: types, and the CEL rules over one text. Pure.

Rules that compare fields are left to an API server, which speaks all of CEL.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from modelyard.api.markers import VALIDATIONS
from modelyard.api.quantities import is_quantity, parse_quantity

_LONGEST_VALUE = 60


@dataclass(frozen=True, slots=True)
class Finding:
    """One value that the API server would refuse."""

    path: str
    value: Any
    why: str

    def __str__(self) -> str:
        return f"{self.path} is {shown(self.value)}: {self.why}"


def shown(value: Any) -> str:
    """A value in one line, and not a long one."""
    text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"


def findings(value: Any, schema: Mapping[str, Any], path: str) -> Iterator[Finding]:
    """Each value that is not of its type or breaks a rule of its field. What is null counts as left out."""
    if value is None:
        return
    if not _is_of_type(value, schema):
        yield Finding(path, value, f"must be of type {_type_told(schema)}")
        return
    yield from broken(value, schema.get(VALIDATIONS, ()), path)
    if isinstance(value, dict):
        inner, other = schema.get("properties", {}), schema.get("additionalProperties")
        for name, one in value.items():
            if name in inner or isinstance(other, dict):
                yield from findings(one, inner.get(name, other), f"{path}.{name}")
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from findings(one, schema.get("items", {}), f"{path}[{number}]")


def broken(value: Any, rules: Iterable[Mapping[str, str]], path: str) -> Iterator[Finding]:
    """The rules that a value breaks, of those that are about one text."""
    for rule in rules:
        parsed = _parsed(rule["rule"])
        if parsed is None:
            continue
        inner, holds = parsed
        text = _at(value, inner)
        if isinstance(text, int) and not isinstance(text, bool):
            text = str(text)  # Of a quantity without quotes.
        if isinstance(text, str) and not holds(text):
            yield Finding(f"{path}{inner}".removeprefix("."), text, rule["message"])


# --- types -----------------------------------------------------------------------------------------------------

_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
}


def _is_of_type(value: Any, schema: Mapping[str, Any]) -> bool:
    names = _types(schema)
    if isinstance(value, bool):
        return not names or "boolean" in names
    whole = isinstance(value, float) and value.is_integer() and "integer" in names
    return not names or whole or any(isinstance(value, _TYPES[name]) for name in names)


def _types(schema: Mapping[str, Any]) -> list[str]:
    choices = schema.get("anyOf", [schema])
    return [choice["type"] for choice in choices if "type" in choice]


def _type_told(schema: Mapping[str, Any]) -> str:
    return " or ".join(_types(schema))


# --- rules of CEL ----------------------------------------------------------------------------------------------

Holds = Callable[[str], bool]

_TEXT = r"'((?:[^'\\]|\\.)*)'"
_SELF = r"self(?P<at>(?:\.(?:metadata|name|content))*)"
_CALL = re.compile(rf"(?P<no>!?){_SELF}\.(?P<verb>matches|contains|startsWith|endsWith)\((?P<text>{_TEXT})\)")
_NONE_OF = re.compile(r"!\(self in (?P<texts>\[[^\]]*\])\)")
_BYTES = re.compile(r"size\(bytes\(self\)\) <= (?P<most>[0-9]+)")
_IS_QUANTITY = re.compile(r"isQuantity\(string\(self\)\)")
_COMPARED = re.compile(
    rf"quantity\(string\(self\)\)\.compareTo\(quantity\((?P<text>{_TEXT})\)\) (?P<than>[<>])= 0"
)


def _parsed(rule: str) -> tuple[str, Holds] | None:
    """The field that a rule is about and the rule; None where it is about more than one text."""
    terms, where, position = [], "", 0
    while position < len(rule):
        term = _term(rule, position)
        if term is None:
            return None
        at, holds, position = term
        where = at or where
        terms.append(holds)
        if position < len(rule):
            if not rule.startswith(" && ", position):
                return None
            position += len(" && ")
    return where, lambda text: all(holds(text) for holds in terms)


def _term(rule: str, position: int) -> tuple[str, Holds, int] | None:
    """The term that begins here: of which field, what it asks, where it ends."""
    if call := _CALL.match(rule, position):
        return call["at"], _of_call(call["verb"], _literal(call["text"]), not call["no"]), call.end()
    if none := _NONE_OF.match(rule, position):
        texts = ast.literal_eval(none["texts"])
        return "", lambda text: text not in texts, none.end()
    if size := _BYTES.match(rule, position):
        most = int(size["most"])
        return "", lambda text: len(text.encode("utf-8", "surrogatepass")) <= most, size.end()
    if quantity := _IS_QUANTITY.match(rule, position):
        return "", is_quantity, quantity.end()
    if compared := _COMPARED.match(rule, position):
        return "", _of_comparison(_literal(compared["text"]), compared["than"]), compared.end()
    return None


def _of_call(verb: str, word: str, wanted: bool) -> Holds:
    if verb == "matches":
        pattern = re.compile(_as_python(word), re.ASCII)
        return lambda text: (pattern.search(text) is not None) is wanted
    if verb == "contains":
        return lambda text: (word in text) is wanted
    if verb == "startsWith":
        return lambda text: text.startswith(word) is wanted
    return lambda text: text.endswith(word) is wanted


def _of_comparison(bound: str, than: str) -> Holds:
    """Asked after isQuantity alone."""
    limit = parse_quantity(bound)
    if than == ">":
        return lambda text: parse_quantity(text) >= limit
    return lambda text: parse_quantity(text) <= limit


def _literal(text: str) -> str:
    word = ast.literal_eval(text)
    assert isinstance(word, str)
    return word


def _as_python(pattern: str) -> str:
    """A pattern of RE2, where `$` is the very end, and not before a last line break too."""
    plain = pattern.replace("[:cntrl:]", r"\x00-\x1f\x7f")
    return f"{plain.removesuffix('$')}\\Z" if plain.endswith("$") else plain


def _at(value: Any, path: str) -> Any:
    for name in path.split(".")[1:]:
        value = value.get(name) if isinstance(value, dict) else None
    return value
