from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.support.models.process import nursery

StartModel = Callable[..., str]


@pytest.fixture(scope="module")
def start_model() -> Iterator[StartModel]:
    """Starts `tests/support/models/<name>.py` as a process and gives its address; all end with the module."""
    with nursery() as start:
        yield start
