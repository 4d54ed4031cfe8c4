"""Check `nullValueImputation`: good predictions for rows in which values are missing.

Each column is nulled in turn, then all together, on a sample of the rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from modelyard.checks.answers import listed, text_excerpt
from modelyard.checks.asking import Asker, GoneError
from modelyard.checks.data import DataSet, Sample
from modelyard.checks.limits import Limits
from modelyard.checks.notes import Notes
from modelyard.checks.predict import ModelClient
from modelyard.checks.run import Run
from modelyard.checks.sampling import sampled, seed_of
from modelyard.checks.verdicts import Failed, Passed, Verdict

_STEPS_TOLD = 10


@dataclass(frozen=True, slots=True)
class _Case:
    """Columns that are nulled together."""

    title: str
    columns: tuple[str, ...]


@dataclass(slots=True)
class _Failures:
    """What failed so far: columns by their names, and the first problem of all."""

    columns: list[str]
    all_together: bool = False
    first: str = ""


async def null_value_imputation(run: Run, client: ModelClient, data: DataSet, notes: Notes) -> Verdict:
    """Asks for the sample as it is and for every case, goes on after a failure, and names all columns that fail."""
    sample = _sample(run, data, notes)
    asker = Asker(run, client)
    failures = _Failures([])
    asked = 0
    try:
        plain = await asker.ask("the prediction of rows with nothing nulled", sample.plain())
        if isinstance(plain, str):
            return Failed(f"rows fail even with nothing nulled: {plain}")
        for case in _cases(data):
            asked += 1
            await _try(run, asker, sample, case, failures, notes)
            _log_step(run, asked, data)
    except GoneError as gone:
        return Failed(f"{gone}; {_untried(data, asked)}{_so_far(failures, data)}")
    if failures.first:
        return Failed(f"{_named(failures, data)}; {failures.first}")
    nulled = (
        "its only column nulled" if len(data.columns) == 1 else f"each of {len(data.columns)} columns nulled"
    )
    together = "" if len(data.columns) == 1 else ", and all together"
    return Passed(f"{_rows(sample)} predicted with {nulled}{together}")


def sample_size(configured: int, data: DataSet, limits: Limits) -> int:
    """Rows of the sample: as configured, but fewer when very many columns would make the requests too many."""
    affordable = limits.nulled_values // len(data.columns) ** 2
    return max(1, min(configured, data.rows, affordable))


def _sample(run: Run, data: DataSet, notes: Notes) -> Sample:
    seed = seed_of(data)
    count = sample_size(run.plan.configuration.sample_rows, data, run.limits)
    notes.facts.update(columns=len(data.columns), dataRows=data.rows, sampleRows=count, seed=seed)
    return Sample(data, sampled(data.rows, count, seed))


def _cases(data: DataSet) -> Iterator[_Case]:
    for name in data.columns:
        yield _Case(f"column {text_excerpt(name, 60)} nulled", (name,))
    if len(data.columns) > 1:
        yield _Case("all columns nulled", tuple(data.columns))


async def _try(
    run: Run, asker: Asker, sample: Sample, case: _Case, failures: _Failures, notes: Notes
) -> None:
    try:
        found = await asker.ask(f"the prediction with {case.title}", sample.nulled(frozenset(case.columns)))
    except GoneError as gone:
        notes.find(case.title, str(gone))
        raise GoneError(f"{case.title}: {gone}") from None
    if isinstance(found, str):
        run.log(f"{case.title}: {found}")
        notes.find(case.title, found)
        failures.first = failures.first or f"{case.title}: {found}"
        if len(case.columns) == 1:
            failures.columns += case.columns
        else:
            failures.all_together = True


def _named(failures: _Failures, data: DataSet) -> str:
    together = "all columns together" if failures.all_together else ""
    if not failures.columns:
        return f"{together} cannot be null, though each alone can"
    count = f"{len(failures.columns)} of {len(data.columns)} columns cannot be null"
    return f"{count}: {listed(failures.columns)}" + (f", nor can {together}" if together else "")


def _so_far(failures: _Failures, data: DataSet) -> str:
    return f"; before that {_named(failures, data)}" if failures.first else ""


def _untried(data: DataSet, asked: int) -> str:
    left = max(0, len(data.columns) - asked)
    return f"{left} {'column was' if left == 1 else 'columns were'} not tried"


def _log_step(run: Run, asked: int, data: DataSet) -> None:
    total = len(data.columns)
    if asked % max(1, total // _STEPS_TOLD) == 0 and asked <= total:
        run.log(f"{asked} of {total} columns nulled")


def _rows(sample: Sample) -> str:
    return "1 row" if len(sample.rows) == 1 else f"{len(sample.rows)} rows"
