"""Check `sideEffects`: a row's prediction is the same however it is asked for.

All rows in one request are compared with smaller batches, shuffled rows, a sample of the rows one by one, and
at last the first request again, which has then seen all the others go by.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from modelyard.checks.answers import named_rows
from modelyard.checks.asking import Asker, GoneError
from modelyard.checks.comparison import Answers, Difference, Way, cause, differences, largest, telling
from modelyard.checks.data import Batch, DataSet, batches
from modelyard.checks.notes import Notes
from modelyard.checks.predict import ModelClient
from modelyard.checks.predictions import Predictions
from modelyard.checks.run import Run
from modelyard.checks.sampling import sampled, seed_of, shuffled
from modelyard.checks.verdicts import Failed, Passed, Verdict

_SMALLER_BATCHES = 3


@dataclass(frozen=True, slots=True)
class _Sizes:
    """How many rows are asked for, and which."""

    whole: int
    batch: int
    sample: tuple[int, ...]
    seed: int


@dataclass(slots=True)
class _Found:
    """Good answers by the way of asking, and what was wrong with the others."""

    whole: Answers
    asked: dict[Way, Answers]
    problems: list[str]


async def side_effects(run: Run, client: ModelClient, data: DataSet, notes: Notes) -> Verdict:
    """Asks in every way, goes on after a bad answer, and compares each row with the request for the whole."""
    sizes = _sizes(run, data)
    _note_givens(run, data, sizes, notes)
    asker = Asker(run, client)
    found = _Found(Answers(range(sizes.whole), {}), {}, [])
    gone: list[str] = []
    try:
        first = await asker.ask(f"the prediction of {_rows(sizes.whole)} at once", data.first(sizes.whole))
        if isinstance(first, str):
            return Failed(f"there is nothing to compare with: {first}")
        found.whole = Answers(range(sizes.whole), first.by_label)
        for way in Way:
            await _ask(asker, way, data, sizes, notes, found)
            run.log(f"{_rows(len(found.asked[way].rows))} predicted {way.value}")
    except GoneError as error:
        gone.append(str(error))
    finally:
        differing = _differing(run, found)
        _note_differences(differing, notes)
    sentences = [*gone, *_bad_answers(found.problems), *_told(run, differing, found)]
    if sentences:
        return Failed("; ".join(sentences))
    return Passed(_all_alike(sizes, data) + _all_the_same(found.whole, notes))


def _sizes(run: Run, data: DataSet) -> _Sizes:
    seed = seed_of(data)
    whole = min(run.limits.whole_rows, data.rows)
    sample = sampled(whole, run.plan.configuration.sample_rows, seed)
    return _Sizes(whole, math.ceil(whole / _SMALLER_BATCHES), sample, seed)


def _note_givens(run: Run, data: DataSet, sizes: _Sizes, notes: Notes) -> None:
    tolerance = run.plan.configuration.tolerance
    notes.facts.update(
        dataRows=data.rows,
        wholeRows=sizes.whole,
        batchRows=sizes.batch,
        sampleRows=len(sizes.sample),
        seed=sizes.seed,
        absoluteTolerance=tolerance.absolute,
        relativeTolerance=tolerance.relative,
    )


def _requests(way: Way, data: DataSet, sizes: _Sizes) -> Iterator[Batch]:
    match way:
        case Way.BATCHES:
            yield from batches(data, range(sizes.whole), sizes.batch)
        case Way.SHUFFLED:
            yield data.batch(shuffled(sizes.whole, sizes.seed))
        case Way.ROW_BY_ROW:
            yield from (data.batch(range(row, row + 1)) for row in sizes.sample)
        case Way.REPEATED:
            yield data.first(sizes.whole)


async def _ask(asker: Asker, way: Way, data: DataSet, sizes: _Sizes, notes: Notes, found: _Found) -> None:
    """Adds what comes of one way of asking: the rows of all its requests that are answered well."""
    rows: list[int] = []
    by_label: dict[str, list[float]] = {label: [] for label in found.whole.by_label}
    found.asked[way] = Answers(rows, by_label)
    for batch in _requests(way, data, sizes):
        answer = await asker.ask(f"the prediction of {named_rows(batch.rows)} {way.value}", batch)
        if isinstance(answer, Predictions):
            rows += batch.rows
            for label, values in answer.by_label.items():
                by_label[label] += values
        else:
            found.problems.append(f"asked {way.value}, {answer}")
            notes.find(f"asked {way.value}", answer)


def _differing(run: Run, found: _Found) -> dict[Way, list[Difference]]:
    tolerance = run.plan.configuration.tolerance
    compared = {way: differences(found.whole, answers, tolerance) for way, answers in found.asked.items()}
    return {way: differ for way, differ in compared.items() if differ}


def _bad_answers(problems: Sequence[str]) -> list[str]:
    if not problems:
        return []
    more = f"; {len(problems) - 1} more requests had no good answer" if len(problems) > 1 else ""
    return [f"{problems[0]}{more}"]


def _told(run: Run, differing: Mapping[Way, Sequence[Difference]], found: _Found) -> list[str]:
    """The telling row first, then how many rows differ in each way, then why they may."""
    if not differing:
        return []
    way = telling(differing)
    one = differing[way][0]
    counts = ", ".join(
        f"{len(rows)} of {len(found.asked[way].rows)} {way.value}" for way, rows in differing.items()
    )
    whole = _rows(len(found.whole.rows))
    return [
        f"{one.where} is {one.whole!r} in one request for {whole}, but {one.other!r} {way.value}",
        f"rows that differ: {counts} (rows count from 0)",
        cause(found.whole, found.asked, differing, len(run.plan.replicas)),
    ]


def _note_differences(differing: Mapping[Way, Sequence[Difference]], notes: Notes) -> None:
    """One finding a row, with its value in each way of asking that differs."""
    if not differing:
        return
    notes.facts["largestDifference"] = largest(differing)
    values: dict[int, list[str]] = {}
    where: dict[int, str] = {}
    for way, differ in differing.items():
        for one in differ:
            where.setdefault(one.row, one.where)
            values.setdefault(one.row, [f"{one.whole!r} in one request for the whole"])
            values[one.row].append(f"{one.other!r} {way.value}{_of_label(one, where[one.row])}")
    for row in sorted(values):
        notes.find(where[row], ", ".join(values[row]))


def _of_label(one: Difference, where: str) -> str:
    """Where another label differs than the one that the finding is about."""
    return "" if one.where == where else f" ({one.where}, where the whole has {one.whole!r})"


def _all_the_same(whole: Answers, notes: Notes) -> str:
    distinct = len(set(zip(*whole.by_label.values(), strict=True)))
    notes.facts["distinctPredictions"] = distinct
    alike = distinct == 1 and len(whole.rows) > 1
    return "; all rows have the same prediction, though, so that little could differ" if alike else ""


def _all_alike(sizes: _Sizes, data: DataSet) -> str:
    if sizes.whole == 1:
        return (
            "the only row is predicted alike when asked again; whether rows influence each other needs more"
        )
    rows = _rows(sizes.whole) if sizes.whole == data.rows else f"the first {sizes.whole} of {data.rows} rows"
    alone = "each alone" if len(sizes.sample) == sizes.whole else f"{_rows(len(sizes.sample))} alone"
    return f"{rows} are predicted alike at once, in batches, shuffled, {alone}, and when asked again"


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"
