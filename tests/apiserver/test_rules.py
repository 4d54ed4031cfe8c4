"""Good and bad objects against a real API server, each bad one with the sentence that its author reads."""

from __future__ import annotations

import re

import pytest

from modelyard.api import kinds
from tests.apiserver.rules import TABLE
from tests.apiserver.rules.words import Manifest
from tests.apiserver.said import create, refusal
from tests.apiserver.server import ApiServer

CASES = [
    pytest.param(manifest, message, id=f"{part}: {sentence}")
    for part, cases in TABLE.items()
    for sentence, manifest, message in cases
]
FIELD = re.compile(r"\[?(?:spec|metadata)[.\w\[\]]*: ")


@pytest.mark.parametrize(("manifest", "message"), CASES)
def test_the_server_says_what_is_wrong(server: ApiServer, manifest: Manifest, message: str) -> None:
    answer = create(server, "default", manifest, dry=True)

    assert refusal(answer) == message
    assert (answer.status == 201) == (message == "")


def test_the_table_has_good_and_bad_objects_of_every_kind() -> None:
    tried = [(manifest["kind"], message == "") for cases in TABLE.values() for _, manifest, message in cases]

    assert set(tried) == {(kind.name, good) for kind in kinds.OWN_KINDS for good in (True, False)}
    assert len(tried) >= 60


def test_no_case_is_in_the_table_twice() -> None:
    named = [(part, sentence) for part, cases in TABLE.items() for sentence, _, _ in cases]

    assert len(set(named)) == len(named)


@pytest.mark.parametrize(
    "message", sorted({message for cases in TABLE.values() for _, _, message in cases if message})
)
def test_a_refusal_begins_with_the_field(message: str) -> None:
    """Or names the field that nobody knows."""
    assert FIELD.match(message) or "unknown field" in message
