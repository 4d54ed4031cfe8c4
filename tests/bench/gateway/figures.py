"""From samples to tables and goals. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

DIRECT, REFERENCE, OURS = "model", "translating", "modelyard"
"""Names of peers: the model without any, the Go proxy that all are compared with, our gateway."""

COMPILED = "compiled"
"""Our gateway with its hot path compiled."""

FEW, MANY = 1, 32
"""Connections of wrk."""

TENSOR_MB = 1.048576


@dataclass(frozen=True, slots=True)
class Sample:
    """One peer over one round of one load."""

    per_second: float
    p50_ms: float
    p99_ms: float
    cpu_ms: float
    """Of the peer and its children for each request, which is CPU seconds for each thousand."""

    memory_mb: float
    """Resident, at the end of the load."""

    trouble: str = ""
    """What wrk saw that is no answer: such figures are told, and enter no median and no ratio."""


Load = tuple[str, int]
"""A case by its name, and how many connections ask."""

Samples = Mapping[Load, Mapping[str, Sequence[Sample]]]
"""Samples by load and peer, one a round."""

Figure = Callable[[Sample], float]


@dataclass(frozen=True, slots=True)
class Goal:
    """What we want of our gateway, and what was measured; `met` is None where it was not."""

    what: str
    wanted: str
    measured: str
    met: bool | None


def spread(values: Sequence[float], form: str) -> str:
    """The median with its range."""
    low, middle, high = (
        format(value, form) for value in (min(values), statistics.median(values), max(values))
    )
    return middle if low == high else f"{middle} ({low}-{high})"


def ratios(samples: Mapping[str, Sequence[Sample]], peer: str, of: str, figure: Figure) -> list[float]:
    """A peer's figure over another's, round by round; without the rounds in which either was not measured well."""
    pairs = zip(samples.get(peer, ()), samples.get(of, ()), strict=False)
    return [
        figure(one) / figure(other)
        for one, other in pairs
        if figure(other) and not one.trouble and not other.trouble
    ]


def table(samples: Samples, case: str, titles: Mapping[str, str]) -> str:
    """One line a peer: medians with their range over the rounds."""
    few, many = samples.get((case, FEW), {}), samples.get((case, MANY), {})
    lines = [_HEAD, "|---" * _HEAD.count(" | ") + "|---|"]
    for peer, title in titles.items():
        if peer in few or peer in many:
            lines.append(f"| {title} | " + " | ".join(_cells(peer, few, many)) + " |")
    return "\n".join(lines)


_HEAD = (
    "| | req/s, 1 connection | req/s, 32 | times the Go proxy, 32 | p50 ms, 1 | p50 ms, 32 | p99 ms, 32 "
    "| CPU s for 1,000, 32 | of the Go proxy's | MB |"
)


def _cells(peer: str, few: Mapping[str, Sequence[Sample]], many: Mapping[str, Sequence[Sample]]) -> list[str]:
    return [
        _cell(few.get(peer, ()), per_second, ",.0f"),
        _cell(many.get(peer, ()), per_second, ",.0f"),
        _ratio(ratios(many, peer, REFERENCE, per_second)),
        _cell(few.get(peer, ()), p50_ms, ".2f"),
        _cell(many.get(peer, ()), p50_ms, ".2f"),
        _cell(many.get(peer, ()), p99_ms, ".1f"),
        _cell(many.get(peer, ()), cpu_ms, ".3f"),
        _ratio(ratios(many, peer, REFERENCE, cpu_ms)),
        _cell(many.get(peer, ())[:1], memory_mb, ".0f"),
    ]


def _cell(samples: Sequence[Sample], figure: Figure, form: str) -> str:
    """A median with its range; marked where wrk saw trouble."""
    good = [figure(sample) for sample in samples if not sample.trouble]
    mark = " !" if len(good) < len(samples) else ""
    return (spread(good, form) if good else "-") + mark


def _ratio(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.2f}" if values else "-"


def per_second(sample: Sample) -> float:
    """Requests answered a second."""
    return sample.per_second


def p50_ms(sample: Sample) -> float:
    """Half of the answers took no longer."""
    return sample.p50_ms


def p99_ms(sample: Sample) -> float:
    """Of a hundred answers, 99 took no longer."""
    return sample.p99_ms


def cpu_ms(sample: Sample) -> float:
    """CPU for each request."""
    return sample.cpu_ms


def memory_mb(sample: Sample) -> float:
    """Resident memory."""
    return sample.memory_mb


def goals(samples: Samples, ours: str = OURS) -> list[Goal]:
    """The goals of our gateway beside what was measured of one of its forms."""
    few, many = samples.get(("small", FEW), {}), samples.get(("small", MANY), {})
    tensors = samples.get(("tensor", MANY), {})
    good = [sample for sample in many.get(ours, ()) if not sample.trouble]
    return [
        _goal(
            "req/s, times the translating Go proxy's",
            ratios(many, ours, REFERENCE, per_second),
            2,
            least=True,
        ),
        _goal("req/s on one core, 32 connections", list(map(per_second, good)), 25_000, least=True),
        _goal("p50 that the gateway adds, ms, 1 connection", _added(few, ours), 0.2),
        _goal("p99, ms, 32 connections", list(map(p99_ms, good)), 5),
        _goal("CPU a request, of the Go proxy's", ratios(many, ours, REFERENCE, cpu_ms), 0.6),
        _tensor_goal(_tensor_speed(tensors, ours), _tensor_speed(tensors, DIRECT)),
    ]


def _goal(what: str, values: Sequence[float], bound: float, *, least: bool = False) -> Goal:
    """At least or at most a bound; the median counts."""
    wanted = f"{'>=' if least else '<='} {bound:,}"
    if not values:
        return Goal(what, wanted, "-", None)
    middle = statistics.median(values)
    return Goal(what, wanted, spread(values, _form(bound)), middle >= bound if least else middle <= bound)


def _form(bound: float) -> str:
    return ",.0f" if bound >= 100 else ".2f"


def _added(few: Mapping[str, Sequence[Sample]], peer: str) -> list[float]:
    """By how much longer our gateway's p50 is than that of the model, round by round."""
    pairs = zip(few.get(peer, ()), few.get(DIRECT, ()), strict=False)
    return [ours.p50_ms - direct.p50_ms for ours, direct in pairs if not ours.trouble and not direct.trouble]


def _tensor_speed(tensors: Mapping[str, Sequence[Sample]], peer: str) -> list[float]:
    return [sample.per_second * TENSOR_MB for sample in tensors.get(peer, ()) if not sample.trouble]


def _tensor_goal(ours: Sequence[float], direct: Sequence[float]) -> Goal:
    """500 MB/s, or as much as the model takes by itself if that is less."""
    bound = min([500.0, statistics.median(direct)]) if direct else 500.0
    return _goal("1-MB binary tensors, MB/s, 32 connections", ours, round(bound), least=True)


def goals_table(found: Sequence[Goal]) -> str:
    """One line a goal."""
    words = {True: "yes", False: "no", None: "-"}
    lines = ["| goal | wanted | measured | met |", "|---|---|---|---|"]
    lines += [f"| {goal.what} | {goal.wanted} | {goal.measured} | {words[goal.met]} |" for goal in found]
    return "\n".join(lines)


def trouble(samples: Samples) -> list[str]:
    """A sentence for each sample in which something was no answer."""
    return [
        f"{peer}, {case} over {connections}: {sample.trouble}"
        for (case, connections), peers in samples.items()
        for peer, found in peers.items()
        for sample in found
        if sample.trouble
    ]
