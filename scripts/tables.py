"""Write the tables of docs/checks.md from the fixture models and the words that the tests assert for them.

python -m scripts.tables [--check]
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from modelyard.api.check_plan import CheckName
from tests.unit.fixtures.table import ROWS, Row

PAGE = Path(__file__).parents[1] / "docs" / "checks.md"


def words() -> Iterator[str]:
    """A line for each fixture: what it does, the word of each check, and the word for the whole."""
    yield from _head("what the model does", *CheckName, "overall")
    for row in ROWS:
        yield _line(_what(row), *row.words, row.overall)


def messages() -> Iterator[str]:
    """A line for each message: what the model does, which check says what, and what to do."""
    yield from _head("what the model does", "what the check says", "what to do")
    for row in ROWS:
        for name, part in row.says.items():
            yield _line(_what(row), f"{name}: {_quoted(part)}", row.mend)


TABLES: dict[str, Callable[[], Iterable[str]]] = {"words": words, "messages": messages}


def written(page: str) -> str:
    """The page with its tables as they should be; each stands between two comments that name it."""
    for name, lines in TABLES.items():
        begin, end = f"<!-- {name}: made by `make docs`; do not edit. -->", f"<!-- end of {name} -->"
        pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
        table = "\n".join([begin, "", *lines(), "", end])
        page, count = pattern.subn(lambda _found, table=table: table, page)  # type: ignore[misc]
        if count != 1:
            raise ValueError(f"{PAGE.name} has {count} places for the table {name!r}; one is needed")
    return page


def _what(row: Row) -> str:
    kind = "" if row.target == "Regression" else f" ({row.target})"
    return row.description().rstrip(".") + kind


def _quoted(part: str) -> str:
    more = " …" if part != part.rstrip() else ""
    return f"“{part.strip(' ;:')}{more}”"


def _head(*titles: str) -> Iterator[str]:
    yield _line(*titles)
    yield "|" + "---|" * len(titles)


def _line(*cells: str) -> str:
    escaped = [cell.replace("\n", " ").replace("|", "\\|").replace("<", "&lt;") for cell in cells]
    return f"| {' | '.join(escaped)} |"


def main(arguments: Sequence[str]) -> int:
    """Write the page; with --check only say whether it is stale (exit code 1)."""
    parser = argparse.ArgumentParser(prog="python -m scripts.tables", description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the page is stale")
    check = parser.parse_args(arguments).check
    page = PAGE.read_text("utf-8")
    made = written(page)
    if made != page and check:
        print(f"docs/{PAGE.name} is stale: run `make docs`", file=sys.stderr)
        return 1
    if made != page:
        PAGE.write_text(made, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
