"""The repository keeps the shape that its pages promise."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from modelyard.api.reasons import ConditionType, Reason
from tests.support.pages import ROOT, title, tracked

PACKAGE = ROOT / "operator" / "modelyard"


PAGES = tracked("*.md")


def prose(page: Path) -> str:
    """Its text without blocks of code."""
    return re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """The anchors that a page's headings have on a code host."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_source_folder_is_no_package() -> None:
    # With an __init__.py there, `import operator` from the root finds ours instead of Python's own.
    assert not (ROOT / "operator" / "__init__.py").exists()


def test_python_finds_its_own_operator_from_the_root() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import operator; print(operator.itemgetter(0)('x'))"],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )

    assert done.stdout == "x\n", done.stderr


@pytest.mark.parametrize("page", PAGES, ids=title)
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", prose(page)) if "://" not in link]

    for link in links:
        path, _, anchor = link.partition("#")
        target = (page.parent / path) if path else page
        assert target.exists(), f"{link} leads nowhere"
        assert not anchor or anchor in anchors(target), f"{link} names no heading"


@pytest.mark.parametrize("page", PAGES, ids=title)
def test_a_heading_of_a_page_holds_no_other(page: Path) -> None:
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)

    assert headings
    assert [heading for heading in headings if re.search("#+ ", heading)] == []


def test_every_decision_has_a_date_and_is_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    decisions = sorted(page.name for page in folder.glob("*.md") if page.name != "README.md")

    assert decisions
    index = (folder / "README.md").read_text()
    for name in decisions:
        assert re.match(r"\d{4}-\d\d-\d\d-[a-z0-9-]+\.md$", name), name
        assert f"({name})" in index, f"{name} is not listed"


def imported(source: Path) -> set[str]:
    """Top-level names that a file imports."""
    names = set()
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names


def test_the_image_holds_every_package_that_the_operator_imports() -> None:
    sources = [path for path in PACKAGE.rglob("*.py") if PACKAGE / "cli" not in path.parents]
    used = set().union(*map(imported, sources)) - sys.stdlib_module_names - {"modelyard", "__future__"}
    homes = packages_distributions()
    lock = (ROOT / "requirements" / "operator.lock").read_text()
    locked = set(re.findall(r"^([a-z0-9-]+)==", lock, re.MULTILINE))

    missing = {name for name in used if not {home.lower().replace("_", "-") for home in homes[name]} & locked}
    assert used
    assert not missing


def test_make_help_names_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert phony

    done = subprocess.run(["make", "help"], cwd=ROOT, check=True, capture_output=True, text=True)

    assert set(re.findall(r"^  ([a-z-]+) ", done.stdout, re.MULTILINE)) == set(phony[1].split())


def test_every_reason_is_explained() -> None:
    page = (ROOT / "docs" / "troubleshooting.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("|")]
    explained = set(re.findall(r"`([A-Z][A-Za-z]+)`", "\n".join(rows)))

    missing = {reason.value for reason in Reason} - explained
    assert not missing, f"docs/troubleshooting.md does not explain {sorted(missing)}"


def test_every_condition_is_explained() -> None:
    page = (ROOT / "docs" / "troubleshooting.md").read_text()
    _, _, rest = page.partition("## The conditions")
    explained = set(re.findall(r"^\| `([A-Za-z]+)` \|", rest.partition("\n## ")[0], re.MULTILINE))

    missing = {condition.value for condition in ConditionType} - explained
    assert not missing, f'docs/troubleshooting.md has no row for {sorted(missing)} under "The conditions"'
    assert explained == {condition.value for condition in ConditionType}
