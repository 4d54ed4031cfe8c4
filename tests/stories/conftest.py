"""A story: a world, a transcript of it, and the golden file that it must equal."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import pytest

from tests.support.backends import backend, pytest_generate_tests
from tests.support.story import Story
from tests.support.transcript import GOLDEN

__all__ = ["backend", "pytest_generate_tests", "story"]


@pytest.fixture
def story(request: pytest.FixtureRequest, backend: str) -> Iterator[Story]:
    """Told by the test; compared when the test has passed. Both API servers must tell the same."""
    title = (request.function.__doc__ or "").partition("\n")[0]
    assert title, "a story says in its first line what it is about"
    told = Story(title)
    yield told
    if request.node.stash.get(_FAILED, False):
        return
    told.end()
    name = request.node.originalname.removeprefix("test_")
    path = GOLDEN / f"{name}.txt"
    if request.config.getoption("--update-golden") and backend == "memory":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(told.transcript.text())
    assert path.exists(), f"no golden file for this story yet: run `make golden` and read {path.name}"
    assert told.transcript.text() == path.read_text(), (
        f"the story {name} is told differently now; see `make golden`"
    )


_FAILED = pytest.StashKey[bool]()
Report = Generator[None, pytest.TestReport, pytest.TestReport]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember a failed test, so that its transcript does not fail it again."""
    report = yield
    if report.when == "call" and report.failed:
        item.stash[_FAILED] = True
    return report
