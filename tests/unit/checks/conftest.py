from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.support.models.process import started

StartModel = Callable[..., str]


@pytest.fixture
def start_model() -> Iterator[StartModel]:
    """Starts `tests/support/models/<name>.py` as a process and gives its address."""
    with ExitStack() as stack:
        yield lambda name, **environ: stack.enter_context(started(name, **environ))
