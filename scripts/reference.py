"""Write docs/api: one page a kind, made from its CRD and from the manifests in docs/api/examples.

    python -m scripts.reference [--check]

Every field of `spec` must have a value in some example; a field without one is an error that names it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from modelyard.api.crds import RESOURCES, crd
from modelyard.api.markers import VALIDATIONS

Manifest = dict[str, Any]

FOLDER = Path(__file__).parents[1] / "docs" / "api"
_NOTE = "<!-- Made by `make docs` from the types in operator/modelyard/api; do not edit. -->\n"
_RANGES = {
    ("minimum", "maximum"): "{}",
    ("minLength", "maxLength"): "{} characters",
    ("minItems", "maxItems"): "{} entries",
    ("minProperties", "maxProperties"): "{} entries",
}


class NoExample(Exception):
    """A field of `spec` that no example shows."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a kind. `path` is as in JSONPath, `gate.tests[].name`."""

    path: str
    schema: Manifest
    required: bool


def fields(schema: Manifest, path: str = "") -> Iterator[Field]:
    """All fields below an object's schema, depth first, in their order."""
    required = schema.get("required", ())
    for name, child in schema.get("properties", {}).items():
        here = f"{path}.{name}" if path else name
        yield Field(here, child, name in required)
        yield from fields(child, here)
        for inner, mark in ((child.get("items"), "[]"), (child.get("additionalProperties"), "[*]")):
            if isinstance(inner, dict):
                yield from fields(inner, here + mark)


def rules(schema: Manifest, path: str) -> Iterator[tuple[str, str]]:
    """(field, what the API server says when it does not hold) for every rule of a schema and below."""
    for rule in schema.get(VALIDATIONS, ()):
        yield path + rule.get("fieldPath", "") or ".", rule["message"]
    for name, child in schema.get("properties", {}).items():
        yield from rules(child, f"{path}.{name}")
    for part, mark in (("items", "[]"), ("additionalProperties", "[*]")):
        if isinstance(schema.get(part), dict):
            yield from rules(schema[part], path + mark)


def values(manifest: Any, path: str) -> Iterator[Any]:
    """The values that a manifest has at a path."""
    if not path:
        yield manifest
        return
    head, _, rest = path.partition(".")
    name = head.removesuffix("[]").removesuffix("[*]")
    if not isinstance(manifest, dict) or name not in manifest:
        return
    found = manifest[name]
    inner = found if head.endswith("[]") else found.values() if head.endswith("[*]") else [found]
    for value in inner:
        yield from values(value, rest)


def page(resource: Any, examples: Sequence[Manifest], source: str) -> str:
    """The page of one kind."""
    definition = crd(resource)["spec"]
    schema, names = definition["versions"][0]["schema"]["openAPIV3Schema"], definition["names"]
    parts = schema["properties"]
    sections = [
        _NOTE,
        f"# {names['kind']}",
        f"{schema['description']}",
        f"`kubectl get {names['plural']}`, or `{names['shortNames'][0]}` for short. Group `{definition['group']}`,"
        f" version `{definition['versions'][0]['name']}`, namespaced.",
        f"## Example\n\n```yaml\n{source.strip()}\n```",
        f"## spec\n\n{parts['spec']['description']}\n\n{_spec_table(parts['spec'], examples)}",
        _rules(schema),
    ]
    if "status" in parts:
        sections.append(f"## status\n\n{parts['status']['description']}\n\n{_status_table(parts['status'])}")
    sections.append(f"## Columns of `kubectl get`\n\n{_columns(definition['versions'][0])}")
    return "\n\n".join(section for section in sections if section) + "\n"


def _spec_table(schema: Manifest, examples: Sequence[Manifest]) -> str:
    lines = ["| field | type | default | example | meaning |", "|---|---|---|---|---|"]
    for field in fields(schema):
        shown = _example(field, examples)
        given = None if _is_deep(field.schema) else field.schema.get("default")
        default = "*required*" if field.required else _code(given)
        meaning = _meaning(field.schema)
        lines.append(f"| `{field.path}` | {_type(field.schema)} | {default} | {shown} | {_cell(meaning)}. |")
    return "\n".join(lines)


def _example(field: Field, examples: Sequence[Manifest]) -> str:
    found = [value for example in examples for value in values(example["spec"], field.path)]
    if not found:
        raise NoExample(field.path)
    return "" if _is_deep(field.schema) else _code(found[0])


def _is_deep(schema: Manifest) -> bool:
    inner = schema.get("items") or schema.get("additionalProperties") or schema
    return isinstance(inner, dict) and "properties" in inner


def _status_table(schema: Manifest) -> str:
    lines = ["| field | type | meaning |", "|---|---|---|"]
    lines += [
        f"| `{f.path}` | {_type(f.schema)} | {_cell(f.schema['description'])} |" for f in fields(schema)
    ]
    return "\n".join(lines)


def _rules(schema: Manifest) -> str:
    found = [*rules(schema["properties"]["spec"], "spec"), *_of_object(schema)]
    lines = [f"- `{path}`: {_cell(message)}" for path, message in dict.fromkeys(found)]
    head = "## Rules\n\nWhat the API server refuses, and what it says:"
    return f"{head}\n\n" + "\n".join(lines) if lines else ""


def _of_object(schema: Manifest) -> Iterator[tuple[str, str]]:
    for rule in schema.get(VALIDATIONS, ()):
        yield rule.get("fieldPath", ".").removeprefix("."), rule["message"]


def _columns(version: Manifest) -> str:
    lines = ["| column | from | |", "|---|---|---|"]
    for column in version["additionalPrinterColumns"]:
        path = column["jsonPath"].replace("|", "\\|")
        lines.append(
            f"| {column['name']} | `{path}` | {'with `-o wide`' if column.get('priority') else ''} |"
        )
    return "\n".join(lines)


def _meaning(schema: Manifest) -> str:
    """The description, and what the schema allows where the description does not say so already."""
    text, limits = schema["description"].rstrip("."), _limits(schema)
    return text if not limits or limits.lower() in text else f"{text}. {limits}"


def _limits(schema: Manifest) -> str:
    """What the schema alone allows, for readers: `1 to 8`, `at most 63 characters`, `one of fail, skip`."""
    said = [text.format(_range(schema, *keys)) for keys, text in _RANGES.items() if schema.keys() & set(keys)]
    words = schema.get("enum") or schema.get("items", {}).get("enum")
    if words:
        said.append(("one of " if len(words) > 1 else "only ") + ", ".join(f"`{word}`" for word in words))
    text = "; ".join(said)
    return text[:1].upper() + text[1:]


def _range(schema: Manifest, least: str, most: str) -> str:
    if least not in schema:
        return f"at most {schema[most]:g}" if schema[most] < 1e6 else f"at most {int(schema[most])}"
    if most not in schema:
        return f"at least {schema[least]}"
    low, high = (int(value) if value == int(value) else value for value in (schema[least], schema[most]))
    return f"{low} to {high}" if low != high else f"exactly {low}"


def _type(schema: Manifest) -> str:
    if "x-kubernetes-int-or-string" in schema:
        return "quantity"
    if schema["type"] == "array":
        return f"list of {_type(schema['items'])}"
    inner = schema.get("additionalProperties")
    if isinstance(inner, dict):
        return f"map of {_type(inner)}"
    return "time" if schema.get("format") == "date-time" else str(schema["type"])


def _code(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else _plain(value)
    short = text if len(text) <= 60 else text[:59] + "…"
    return f"`{_cell(' '.join(short.split()))}`" if short.strip() else '`""`'


def _plain(value: Any) -> str:
    """JSON, but small numbers as people write them: 0.000001 for 1e-06."""
    if isinstance(value, float):
        return f"{value:.9f}".rstrip("0").rstrip(".")
    return json.dumps(value, ensure_ascii=False)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def index() -> str:
    """The page that lists the kinds."""
    lines = ["| kind | short | what it is |", "|---|---|---|"]
    for resource in RESOURCES:
        kind, text = resource.kind, " ".join((resource.__doc__ or "").split())
        lines.append(f"| [{kind.name}]({kind.plural}.md) | `{kind.short}` | {_cell(text)} |")
    head = "Every field, rule and default of each kind. `kubectl explain` says the same from the cluster."
    return f"{_NOTE}\n# API reference\n\n{head}\n\n" + "\n".join(lines) + "\n"


def pages() -> dict[Path, str]:
    """The text of each page; NoExample names the kind and the field."""
    made = {FOLDER / "README.md": index()}
    for resource in RESOURCES:
        source = (FOLDER / "examples" / f"{resource.kind.plural}.yaml").read_text("utf-8")
        examples = [document for document in yaml.safe_load_all(source) if document]
        try:
            made[FOLDER / f"{resource.kind.plural}.md"] = page(resource, examples, source)
        except NoExample as field:
            raise NoExample(f"docs/api/examples/{resource.kind.plural}.yaml shows no spec.{field}") from None
    return made


def main(arguments: Sequence[str]) -> int:
    """Write the pages; with --check only say which are stale (exit code 1)."""
    parser = argparse.ArgumentParser(prog="python -m scripts.reference", description="Write docs/api.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a page is stale")
    check = parser.parse_args(arguments).check
    try:
        made = pages()
    except NoExample as missing:
        print(f"{missing}; add a value", file=sys.stderr)
        return 1
    stale = [path for path, text in made.items() if not path.exists() or path.read_text("utf-8") != text]
    for path in stale:
        if check:
            print(f"{path.relative_to(FOLDER.parents[1])} is stale: run `make docs`", file=sys.stderr)
        else:
            path.write_text(made[path], "utf-8")
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
