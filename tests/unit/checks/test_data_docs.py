"""Every example of docs/data.md, run."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import get_args

import pytest

from modelyard.api.dataset import DataFormat
from modelyard.checks.data import DataError
from modelyard.checks.data_files import parse_data_set

PAGE = (Path(__file__).parents[3] / "docs" / "data.md").read_text(encoding="utf-8")
FORMATS: dict[str, DataFormat] = {form: form for form in get_args(DataFormat)}
FILES = re.findall(r"```(csv|json)\n(.*?)```\n\n```sent\n(.*?)\n```", PAGE, re.DOTALL)
COLUMNS = re.findall(r"^\| (`.*`) \| `(\[.*\])` \|$", PAGE, re.MULTILINE)
REFUSED = re.findall(r"^\| (csv|json) `(.*)` \| `(.*)` \|$", PAGE, re.MULTILINE)


def test_page_has_its_examples() -> None:
    assert (len(FILES), len(COLUMNS), len(REFUSED)) == (3, 14, 12)


@pytest.mark.parametrize(("form", "text", "sent"), FILES)
def test_file_is_sent_as_the_page_says(form: str, text: str, sent: str) -> None:
    data = parse_data_set(text.encode(), FORMATS[form])
    assert json.dumps(json.loads(data.first(10).body)) == json.dumps(json.loads(sent))


@pytest.mark.parametrize(("values", "sent"), COLUMNS)
def test_values_of_a_column_are_sent_as_the_page_says(values: str, sent: str) -> None:
    """Beside a second column, so that a line with an empty value is not blank."""
    texts = re.findall(r"`([^`]*)`", values)
    written = io.StringIO()
    csv.writer(written).writerows([("a", "b"), *((text, "x") for text in texts)])
    body = json.loads(parse_data_set(written.getvalue().encode(), "csv").first(10).body)
    assert json.dumps(body["X"]["a"]) == json.dumps(json.loads(sent))


@pytest.mark.parametrize(("form", "text", "message"), REFUSED)
def test_file_is_refused_as_the_page_says(form: str, text: str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        parse_data_set(text.replace("⏎", "\n").encode(), FORMATS[form])
    assert str(caught.value) == message
