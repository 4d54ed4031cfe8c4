"""What a run leaves: a record as JSON can hold it, and the text made of one. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from tests.bench.gateway import figures
from tests.bench.gateway.bodies import CASES
from tests.bench.gateway.figures import Sample, Samples

BEGIN = '<!-- figures: made by `make bench-gateway BENCH="--page ..."`; do not edit. -->'
END = "<!-- end of figures -->"
_KEY = re.compile(r"(\w+), (\d+) connections?")


def recorded(samples: Samples, titles: Mapping[str, str], **about: object) -> dict[str, Any]:
    """The record of a run; `about` is what there is to say of it."""
    found = {
        f"{case}, {connections} connection{'s' * (connections > 1)}": {
            peer: [asdict(sample) for sample in several] for peer, several in peers.items()
        }
        for (case, connections), peers in samples.items()
    }
    goals = [asdict(goal) for goal in figures.goals(samples)]
    return {**about, "titles": dict(titles), "goals": goals, "samples": found}


def samples_of(record: Mapping[str, Any]) -> Samples:
    """The samples that were recorded. ValueError when this is no record."""
    found = {}
    for key, peers in record["samples"].items():
        match = _KEY.fullmatch(key)
        if match is None:
            raise ValueError(f"no load: {key!r}")
        found[match[1], int(match[2])] = {
            peer: [Sample(**sample) for sample in several] for peer, several in peers.items()
        }
    return found


def text_of(record: Mapping[str, Any]) -> str:
    """Tables of all cases, and the goals, as Markdown; what was no answer is told at the end."""
    samples = samples_of(record)
    measured = [name for name in CASES if any(case == name and peers for (case, _), peers in samples.items())]
    parts = [f"### {CASES[name]}\n\n{figures.table(samples, name, record['titles'])}" for name in measured]
    parts.append(f"### Goals\n\n{figures.goals_table(figures.goals(samples))}")
    if any(figures.COMPILED in peers for peers in samples.values()):
        found = figures.goals(samples, figures.COMPILED)
        parts.append(f"### Goals, compiled\n\n{figures.goals_table(found)}")
    parts += [f"! {sentence}" for sentence in figures.trouble(samples)]
    return "\n\n".join(parts)


def written(page: str, record: Mapping[str, Any]) -> str:
    """The page with this text between its two comments. ValueError when it does not have them once."""
    pattern = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    about = (
        f"{record['rounds']} rounds, commit {record['commit'][:12]}, Python {record['python']}, "
        f"{record['cpu']}; {versions}."
    )
    text = "\n\n".join([BEGIN, about, text_of(record), END])
    page, count = pattern.subn(lambda _found: text, page)
    if count != 1:
        raise ValueError(f"the page has {count} places for the figures; one is needed")
    return page
