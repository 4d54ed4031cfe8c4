"""The pure parts of `make bench-gateway`: what is asked, what wrk tells, tables and goals."""

from __future__ import annotations

import array
import json
import os
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.bench.gateway import figures
from tests.bench.gateway.bodies import Case, Wrong, cases, check_contract, check_protocol
from tests.bench.gateway.figures import COMPILED, DIRECT, FEW, MANY, OURS, REFERENCE, Goal, Sample, Samples
from tests.bench.gateway.peers import PEERS, ROOT, routes
from tests.bench.gateway.processes import parents, tree, usage
from tests.bench.gateway.programs import PACKAGES, ProgramMissing, Unpacked, installed_by, pinned_version
from tests.bench.gateway.report import BEGIN, END, recorded, samples_of, text_of, written
from tests.bench.gateway.running import free_ports, sample
from tests.bench.gateway.wrk import SCRIPT, LoadFailed, Told, told

made = cache(cases)
"""All cases; made when the first test asks for them."""
TOLD = {"requests": 500, "microseconds": 1_000_000, "p50": 150, "p99": 2500}


def a_sample(per_second: float = 100.0, **others: float | str) -> Sample:
    values = {"p50_ms": 0.1, "p99_ms": 1.0, "cpu_ms": 0.05, "memory_mb": 40.0, **others}
    return Sample(per_second=per_second, **values)  # type: ignore[arg-type]


def some_samples() -> Samples:
    ours = [a_sample(30_000, cpu_ms=0.03), a_sample(20_000, cpu_ms=0.04), a_sample(40_000, cpu_ms=0.02)]
    theirs = [a_sample(10_000, cpu_ms=0.1)] * 3
    return {
        ("small", FEW): {DIRECT: [a_sample(p50_ms=0.02)], OURS: [a_sample(p50_ms=0.17)]},
        ("small", MANY): {OURS: ours, REFERENCE: theirs},
        ("tensor", MANY): {DIRECT: [a_sample(300)], OURS: [a_sample(250)]},
    }


@pytest.mark.parametrize(("name", "size"), [("small", 100), ("large", 100_000), ("tensor", 2**20)])
def test_a_body_is_of_the_size_that_its_name_says(name: str, size: int) -> None:
    assert len(made()[name].protocol.body) == pytest.approx(size, rel=0.01)


@pytest.mark.parametrize("name", ["small", "large"])
def test_both_shapes_ask_for_the_same_rows(name: str) -> None:
    case = made()[name]
    inputs = json.loads(case.protocol.body)["inputs"]
    assert {one["name"]: one["data"] for one in inputs} == json.loads(case.contract.body)["X"]
    assert all(one["shape"] == [len(case.expected)] for one in inputs)
    assert list(case.expected) == inputs[0]["data"]


def test_the_binary_tensor_has_the_rows_that_the_model_gets() -> None:
    case = made()["tensor"]
    length = int(case.protocol.headers["Inference-Header-Content-Length"])
    (one,) = json.loads(case.protocol.body[:length])["inputs"]
    rows = json.loads(case.contract.body)["X"][one["name"]]
    assert [len(rows), len(rows[0])] == one["shape"]
    sent = array.array("d", case.protocol.body[length:]).tolist()
    assert sent == [value for row in rows for value in row]
    assert list(case.expected) == [row[0] for row in rows]


def answer_of(case: Case, **changes: object) -> bytes:
    output = {"name": "y", "shape": [len(case.expected)], "datatype": "FP64", "data": list(case.expected)}
    return json.dumps({"model_name": "echo", "outputs": [output | changes]}).encode()


def test_a_right_answer_passes() -> None:
    case = made()["small"]
    check_protocol(case, answer_of(case))
    check_contract(case, json.dumps({"predictions": case.expected}).encode())


@pytest.mark.parametrize("changes", [{"data": [1.0] * 6}, {"shape": [5]}, {"datatype": "FP32"}])
def test_a_wrong_output_is_refused(changes: dict[str, object]) -> None:
    case = made()["small"]
    with pytest.raises(Wrong, match="another output"):
        check_protocol(case, answer_of(case, **changes))


@pytest.mark.parametrize("body", [b"", b"[]", b'{"outputs": []}', b'{"error": "no"}'])
def test_an_answer_without_output_is_refused(body: bytes) -> None:
    with pytest.raises(Wrong):
        check_protocol(made()["small"], body)


@pytest.mark.parametrize("body", [b"<html>", b'{"predictions": [1, 2]}', b"{}"])
def test_other_predictions_are_refused(body: bytes) -> None:
    with pytest.raises(Wrong):
        check_contract(made()["small"], body)


def test_what_wrk_tells_is_read_from_its_last_line() -> None:
    line = json.dumps(TOLD | {"refused": 3, "broken": 0, "late": 1})
    found = told(f"Running 1s test\n  1 threads and 32 connections\n{line}\n")
    assert (found.per_second, found.p50_ms, found.p99_ms) == (500, 0.15, 2.5)
    assert found.trouble == "3 refused, 1 late"


def test_the_script_tells_what_is_read() -> None:
    assert all(f'"{name}": %d' in SCRIPT.read_text() for name in (*TOLD, "refused", "broken", "late"))


@pytest.mark.parametrize("output", ["", "unable to connect", '{"requests": 5}', "[]"])
def test_a_wrk_that_tells_nothing_is_a_failure(output: str) -> None:
    with pytest.raises(LoadFailed, match="wrk told nothing"):
        told(output)


def test_cpu_is_that_of_each_request() -> None:
    found = sample(Told(400, 2.0, 0.1, 0.2, refused=0, broken=0, late=0), 100.0, 33.33)
    assert (found.per_second, found.cpu_ms, found.memory_mb, found.trouble) == (200, 0.25, 33.3, "")


def test_a_load_without_an_answer_says_so() -> None:
    found = sample(Told(0, 1.0, 0, 0, refused=0, broken=32, late=0), 0.0, 1.0)
    assert found.trouble == "nothing answered 32 broken"


def test_a_table_has_medians_with_their_range_and_ratios_of_rounds() -> None:
    lines = figures.table(some_samples(), "small", {OURS: "ours", REFERENCE: "the Go proxy", "other": "x"})
    head, rule, ours, theirs = lines.split("\n")
    assert head.count("|") == rule.count("|") == ours.count("|") == theirs.count("|")
    assert ours.startswith("| ours | 100 | 30,000 (20,000-40,000) | 3.00 | 0.17 | ")
    assert "| 0.030 (0.020-0.040) | 0.30 | 40 |" in ours
    assert theirs.startswith("| the Go proxy | - | 10,000 | 1.00 | - | ")


def test_a_sample_with_wrong_answers_in_it_is_left_out_marked_and_told() -> None:
    both = [a_sample(9), a_sample(900, trouble="3 refused")]
    samples = {("small", MANY): {OURS: both, REFERENCE: [a_sample(3), a_sample(3)]}}
    assert "| 9 ! | 3.00 |" in figures.table(samples, "small", {OURS: "ours"})
    assert figures.goals(samples)[1].measured == "9"
    assert figures.trouble(samples) == [f"{OURS}, small over 32: 3 refused"]


def test_goals_stand_beside_what_was_measured() -> None:
    found = figures.goals(some_samples())
    assert [(goal.wanted, goal.measured, goal.met) for goal in found] == [
        (">= 2", "3.00 (2.00-4.00)", True),
        (">= 25,000", "30,000 (20,000-40,000)", True),
        ("<= 0.2", "0.15", True),
        ("<= 5", "1.00", True),
        ("<= 0.6", "0.30 (0.20-0.40)", True),
        (">= 315", "262", False),
    ]
    assert "| no |" in figures.goals_table(found).split("\n")[-1]


def test_a_goal_that_was_not_measured_is_neither_met_nor_missed() -> None:
    assert {goal.met for goal in figures.goals({})} == {None}
    assert figures.goals_table([Goal("speed", ">= 2", "-", None)]).endswith("| speed | >= 2 | - | - |")


def a_record() -> dict[str, Any]:
    about = {"commit": "c" * 40, "python": "3.11", "cpu": "2 cores", "versions": {}, "rounds": 1}
    return recorded(some_samples(), {OURS: "ours", REFERENCE: "the Go proxy"}, **about)


def test_a_record_holds_all_samples_in_json_and_back() -> None:
    kept = json.loads(json.dumps(a_record()))
    assert samples_of(kept) == some_samples()
    assert kept["goals"][0]["met"] is True


def test_the_text_has_a_table_for_each_case_that_was_measured_and_the_goals() -> None:
    titles = re.findall(r"^### (.+)$", text_of(a_record()), re.MULTILINE)
    assert titles == ["100-byte JSON", "1-MB binary tensor", "Goals"]


def test_the_compiled_form_has_goals_of_its_own() -> None:
    samples = some_samples()
    of_both = {load: {**peers, COMPILED: peers[OURS]} for load, peers in samples.items() if OURS in peers}
    titles = {OURS: "ours", REFERENCE: "the Go proxy", COMPILED: "compiled"}
    text = text_of(recorded(of_both, titles))
    assert text.split("### Goals, compiled")[1].strip() == figures.goals_table(figures.goals(samples))


def test_figures_take_the_place_of_those_before_and_nothing_else() -> None:
    page = f"a\n\n{BEGIN}\nold\n{END}\n\nb\n"
    once = written(page, a_record())
    assert once.startswith(f"a\n\n{BEGIN}\n")
    assert once.endswith(f"{END}\n\nb\n")
    assert "old" not in once
    assert "| ours |" in once
    assert written(once, a_record()) == once


def test_a_page_without_a_place_for_figures_is_refused() -> None:
    with pytest.raises(ValueError, match="0 places"):
        written("# A page", a_record())


def test_the_page_shows_the_figures_that_are_kept() -> None:
    page = (ROOT / "docs" / "benchmarks" / "gateway.md").read_text()
    kept = json.loads((ROOT / "docs" / "benchmarks" / "gateway.json").read_text())
    assert written(page, kept) == page


def test_what_an_installation_would_bring_is_read() -> None:
    listed = "NOTE: simulated\nInst liblua5.3-0 (5.3.6-2 Debian)\nInst wrk (4.1)\nConf wrk (4.1)\n"
    assert installed_by(listed) == ["liblua5.3-0", "wrk"]


def unpacked(root: Path, code: int) -> Unpacked:
    """Programs that say their version, and end with this code."""
    (root / "usr" / "bin").mkdir(parents=True)
    for name in PACKAGES:
        program = root / "usr" / "bin" / name
        program.write_text(f"#!/bin/sh\necho {name}/1.2.3-4 >&2\nexit {code}\n")
        program.chmod(0o755)
    return Unpacked(root)


def test_unpacked_programs_work_unless_a_library_is_gone(tmp_path: Path) -> None:
    there, gone = unpacked(tmp_path / "there", 1), unpacked(tmp_path / "gone", 127)
    assert (there.works, gone.works) == (True, False)
    assert there.version("nginx") == "1.2.3-4"


def test_a_program_that_is_not_among_them_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProgramMissing, match="No program wrk"):
        Unpacked(tmp_path).program("wrk")


def test_a_pinned_version_is_that_of_the_lock(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    lock.write_text("kserve-storage==1.0\nkserve==0.2 \\\n    --hash=sha256:1\n")
    assert pinned_version(lock, "kserve") == "0.2"


def test_a_tree_is_a_process_and_all_below_it() -> None:
    assert tree(2, {1: 0, 2: 1, 3: 2, 4: 3, 5: 1}) == {2, 3, 4}


def test_this_process_has_its_parent_and_uses_something() -> None:
    assert parents()[os.getpid()] == os.getppid()
    assert usage(os.getpid()).memory_mb > 1


def test_ports_are_all_different() -> None:
    assert len(set(free_ports(20))) == 20


def test_peers_have_names_that_the_figures_know() -> None:
    assert {OURS, REFERENCE} <= set(PEERS)
    assert routes(80)["models"]
