"""Whether Docker is of use: it is there, it can be run, and its daemon answers, not some day but now."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster import builders


@pytest.mark.parametrize(
    ("script", "answers"),
    [
        ("#!/bin/sh\necho 27.0.3\n", True),
        ("#!/bin/sh\necho no daemon >&2\nexit 1\n", False),
        ("#!/bin/sh\nexec sleep 60\n", False),
        ("#!/nowhere/at/all\n", False),
    ],
    ids=["well", "without a daemon", "with one that hangs", "that cannot be run"],
)
def test_a_docker(script: str, answers: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "docker"
    program.write_text(script)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(builders, "_DOCKER_TIMEOUT", 2.0 if answers else 0.2)

    assert builders.docker_answers() is answers


def test_no_docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert builders.docker_answers() is False
