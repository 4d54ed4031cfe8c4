"""What is compiled is made so that it may be."""

from __future__ import annotations

import ast
from pathlib import Path

from scripts.compile import MODULES

ROOT = Path(__file__).parents[2]
WITHOUT_WEAK_REFERENCES = {"NamedTuple", "Protocol"}
"""Bases of which mypyc makes no class with a list of weak references of its own."""


def classes(module: str) -> list[ast.ClassDef]:
    """Those that a module defines."""
    tree = ast.parse((ROOT / "operator" / f"{module.replace('.', '/')}.py").read_text())
    return [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]


def test_no_compiled_class_can_be_weakly_referenced() -> None:
    ours = {one.name for module in MODULES for one in classes(module)}
    for module in MODULES:
        for one in classes(module):
            bases = {ast.unparse(base) for base in one.bases}
            assert bases <= ours | WITHOUT_WEAK_REFERENCES, f"{module}.{one.name}"


def pins(lock: str) -> dict[str, str]:
    """Versions by package."""
    lines = (ROOT / "requirements" / lock).read_text().splitlines()
    return dict(line.rstrip(" \\").split("==") for line in lines if "==" in line and not line.startswith(" "))


def test_the_image_is_compiled_by_what_the_tests_are_compiled_by() -> None:
    assert pins("compiled.lock").items() <= pins("dev.lock").items()
    assert "mypy" in pins("compiled.lock")
