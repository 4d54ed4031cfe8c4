"""`modelyard report` with a kubectl that is a real process and has what a test puts into a folder."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import xml.etree.ElementTree as xml
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from modelyard.api.check_plan import CheckCounts, CheckName, CheckStatus
from modelyard.api.check_report import CheckRecord, CheckReport, Finding, digest_of
from modelyard.api.kinds import MODEL_TEST
from modelyard.cli.main import main
from modelyard.manifests.metadata import Owner
from modelyard.manifests.test_report import REPORT_KEY, report_map, report_name
from tests.support.objects import NAMESPACE, make_test

Manifest = dict[str, Any]

CHECK = "hello-1-check"
OWNER = Owner(MODEL_TEST, NAMESPACE, CHECK, "66666666-7777-8888-9999-000000000000")
LOG = "     0.0 s  the checks begin\n     1.0 s  errorCheck: \x1b[31mfailed\x1b[0m\n"

KUBECTL = """\
#!{python} -IS
import os, sys
home = os.path.dirname(__file__)
def kept(name):
    path = os.path.join(home, name)
    return open(path, encoding="utf-8").read() if os.path.exists(path) else None
with open(os.path.join(home, "asked"), "a") as asked:
    asked.write(repr(sys.argv[1:]) + "\\n")
if (trouble := kept("trouble")) is not None:
    print(trouble, file=sys.stderr)
    sys.exit(1)
kind, name = sys.argv[sys.argv.index("get") + 1 :][:2]
if (found := kept(f"{{kind}}-{{name}}.json")) is not None:
    print(found)
elif "--ignore-not-found" not in sys.argv:
    sys.exit("Error from server (NotFound)")
"""


@dataclass
class Cluster:
    """What kubectl finds, and what it was asked."""

    folder: Path

    def has(self, kind: str, manifest: Manifest) -> None:
        (self.folder / f"{kind}-{manifest['metadata']['name']}.json").write_text(json.dumps(manifest))

    def asked(self) -> list[list[str]]:
        path = self.folder / "asked"
        return [ast.literal_eval(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    folder = tmp_path / "bin"
    folder.mkdir()
    executable = folder / "kubectl"
    executable.write_text(KUBECTL.format(python=sys.executable))
    executable.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    return Cluster(folder)


def a_report(word: str = "failed") -> bytes:
    status = CheckStatus(word)
    found = (
        Finding(where="row 2", message="not a number"),
        Finding(where="row 5", message="<not> a number & no text"),
    )
    record = CheckRecord(
        name=CheckName.ERROR_CHECK,
        severity="fail",
        status=status,
        message="2 of 5 rows are not numbers",
        findings=found,
    )
    return CheckReport(
        test=f"{NAMESPACE}/{CHECK}",
        model="hello",
        version="1.0",
        target_type="Regression",
        overall_status=status,
        checks=(record,),
        counts=CheckCounts(rows=5, requests=1),
        duration_seconds=1.5,
    ).to_bytes()


def condition(type: str, status: str, reason: str, message: str = "") -> Manifest:
    times = {"observedGeneration": 1, "lastTransitionTime": "2026-01-01T12:00:00Z"}
    return {"type": type, "status": status, "reason": reason, "message": message, **times}


def ended(word: str = "failed", *conditions: Manifest, **status: Any) -> Manifest:
    """A test that ended so."""
    return make_test(
        CHECK,
        status={
            "observedGeneration": 1,
            "overallStatus": word,
            "completedAt": "2026-01-01T12:00:00Z",
            "conditions": list(conditions),
            **status,
        },
    )


def with_report(cluster: Cluster, word: str = "failed", *conditions: Manifest) -> Manifest:
    """A test that ended so and whose report is there; the ConfigMap."""
    content = a_report(word)
    reference = {"configMap": report_name(OWNER), **digest_of(content).model_dump()}
    kept = report_map(OWNER, report=content, log=LOG)
    cluster.has("modeltests.modelyard.dev", ended(word, *conditions, report=reference))
    cluster.has("configmaps", kept)
    return kept


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """`modelyard report` with these arguments: exit code, stdout, stderr."""

    def report(*arguments: str) -> tuple[int, str, str]:
        code = main(["report", *arguments])
        said = capfd.readouterr()
        return code, said.out, said.err

    return report


# --- a report --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "code"), [("succeeded", 0), ("warning", 0), ("failed", 1), ("aborted", 1), ("canceled", 1)]
)
def test_the_exit_code_tells_the_verdict(cluster: Cluster, run: Run, word: str, code: int) -> None:
    with_report(cluster, word)

    assert run(CHECK)[0] == code


def test_text_tells_each_check_and_what_it_found(cluster: Cluster, run: Run) -> None:
    with_report(cluster)

    _, out, err = run(CHECK)

    assert "Model hello 1.0 (Regression), test team-a/hello-1-check" in out
    assert "errorCheck" in out
    assert "- row 2: not a number" in out
    assert err == ""


def test_json_is_the_report_as_it_was_stored(cluster: Cluster, run: Run) -> None:
    with_report(cluster)

    _, out, _ = run(CHECK, "--format", "json")

    assert CheckReport.model_validate_json(out) == CheckReport.model_validate_json(a_report())


def test_junit_is_xml_with_a_failure(cluster: Cluster, run: Run) -> None:
    with_report(cluster)

    code, out, _ = run(CHECK, "--format=junit")

    failure = xml.fromstring(out).find(".//testcase/failure")
    assert code == 1
    assert failure is not None
    assert "row 5: <not> a number & no text" in str(failure.text)


def test_logs_follow_the_report_without_what_steers_a_terminal(cluster: Cluster, run: Run) -> None:
    with_report(cluster)

    _, out, _ = run(CHECK, "--logs")

    report, log = out.split("\nLog of the runner:\n\n")
    assert report == run(CHECK)[1]
    assert log == LOG.replace("\x1b", " ")


@pytest.mark.parametrize("form", ["json", "junit"])
def test_logs_do_not_spoil_what_programs_read(cluster: Cluster, run: Run, form: str) -> None:
    with_report(cluster)

    code, out, err = run(CHECK, "--logs", "--format", form)

    assert (code, out) == (2, "")
    assert err == "modelyard report: --logs goes with --format text alone: the log of the runner is text\n"


def test_what_the_operator_knows_beyond_the_report_is_said(cluster: Cluster, run: Run) -> None:
    died = "errorCheck: 2 of 5 rows are not numbers: container model was killed for memory"
    with_report(cluster, "failed", condition("Succeeded", "False", "TestFailed", died))

    assert run(CHECK)[1].splitlines()[-1] == f"The operator says: {died}"


# --- how kubectl is asked --------------------------------------------------------------------------------------


def test_kubectl_is_asked_where_its_own_configuration_says(cluster: Cluster, run: Run) -> None:
    with_report(cluster)
    run(CHECK)

    how = ["--ignore-not-found", "--output", "json"]
    assert cluster.asked() == [
        ["get", "modeltests.modelyard.dev", CHECK, *how],
        ["get", "configmaps", report_name(OWNER), *how],
    ]


def test_a_name_may_be_written_as_kubectl_prints_it(cluster: Cluster, run: Run) -> None:
    with_report(cluster)

    assert run(f"modeltest.modelyard.dev/{CHECK}") == run(CHECK)


@pytest.mark.parametrize("kind", ["modeltest", "modeltests", "modeltests.modelyard.dev"])
def test_every_way_to_write_the_kind_is_known(cluster: Cluster, run: Run, kind: str) -> None:
    with_report(cluster)

    assert run(f"{kind}/{CHECK}")[0] == 1


def test_a_namespace_before_the_name_is_not_passed_over(cluster: Cluster, run: Run) -> None:
    """It once was, and the namespace of the context was asked, which may have another test of that name. The
    heading of a report writes both together."""
    with_report(cluster)

    code, out, err = run(f"team-b/{CHECK}")

    assert (code, out) == (2, "")
    assert err == (
        f"modelyard report: 'team-b/{CHECK}' is no name of a ModelTest; give the name alone, and its namespace with "
        f"-n: modelyard report {CHECK} -n team-b\n"
    )
    assert cluster.asked() == []


def test_or_where_the_user_says(cluster: Cluster, run: Run) -> None:
    with_report(cluster)
    given = ["--namespace", "team-a", "--context", "prod", "--kubeconfig", "/tmp/k c"]
    run(CHECK, "-n", "team-a", *given[2:])

    assert [asked[: len(given)] for asked in cluster.asked()] == [given, given]


@pytest.mark.parametrize("there", ["nothing", "a file that cannot be run"])
def test_without_kubectl_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run, there: str
) -> None:
    if there != "nothing":
        (tmp_path / "kubectl").write_text("no program")
        (tmp_path / "kubectl").chmod(0o644)
    monkeypatch.setenv("PATH", str(tmp_path))

    code, out, err = run(CHECK)

    assert (code, out) == (2, "")
    assert err.startswith("modelyard report: kubectl ")
    assert "https://kubernetes.io/docs/tasks/tools/" in err


def test_what_kubectl_complains_of_is_said_in_its_own_words(cluster: Cluster, run: Run) -> None:
    (cluster.folder / "trouble").write_text("error: You must be logged in to the server (Unauthorized)")

    code, out, err = run(CHECK)

    assert (code, out) == (2, "")
    first, second = err.splitlines()
    assert first == "error: You must be logged in to the server (Unauthorized)"
    assert second.startswith(
        f"modelyard report: kubectl could not get modeltests.modelyard.dev {CHECK} (exit code 1; it said why above)"
    )


@pytest.mark.parametrize("answer", ["<html>", "[1]", '{"kind": "ModelTest"}'])
def test_an_answer_that_is_no_test_is_refused(cluster: Cluster, run: Run, answer: str) -> None:
    (cluster.folder / f"modeltests.modelyard.dev-{CHECK}.json").write_text(answer)

    code, _, err = run(CHECK)

    assert code == 2
    assert len(err.splitlines()) == 1


# --- no report -------------------------------------------------------------------------------------------------


def test_a_test_that_does_not_exist_is_named_with_the_way_to_find_others(cluster: Cluster, run: Run) -> None:
    code, out, err = run("other", "--namespace", "team-b", "--context", "prod")

    assert (code, out) == (2, "")
    assert err == (
        'modelyard report: ModelTest "other" does not exist in namespace "team-b". '
        "`kubectl --namespace team-b --context prod get modeltests` lists those that do\n"
    )


def test_without_a_namespace_it_is_that_of_the_context(cluster: Cluster, run: Run) -> None:
    assert "does not exist in the namespace of the context. `kubectl get modeltests`" in run("other")[2]


def test_a_test_that_waits_says_its_place_and_how_to_wait_for_it(cluster: Cluster, run: Run) -> None:
    line = '2nd of 3 waiting tests of model "hello"; test "other" runs'
    status = {
        "overallStatus": "queued",
        "queuePosition": 2,
        "conditions": [condition("Ready", "Unknown", "Queued", line)],
    }
    cluster.has("modeltests.modelyard.dev", make_test(CHECK, status=status))

    code, out, err = run(CHECK)

    assert (code, out) == (2, "")
    assert err == (
        f'modelyard report: ModelTest "{CHECK}" has not ended: queued, number 2 of those that wait ({line}). '
        f"`kubectl wait --for=condition=Ready modeltest/{CHECK} --timeout=15m` waits for its end\n"
    )


def test_a_test_that_runs_says_so(cluster: Cluster, run: Run) -> None:
    status = {
        "overallStatus": "in_progress",
        "conditions": [condition("Ready", "Unknown", "Running", 'Job "x" runs')],
    }
    cluster.has("modeltests.modelyard.dev", make_test(CHECK, status=status))

    assert 'has not ended: in progress (Job "x" runs). ' in run(CHECK)[2]


def test_a_test_that_nobody_has_looked_at_says_so(cluster: Cluster, run: Run) -> None:
    cluster.has("modeltests.modelyard.dev", make_test(CHECK))

    assert f'ModelTest "{CHECK}" has not ended: not tested. ' in run(CHECK)[2]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (
            condition("ReportStored", "False", "ReportIncomplete", 'pod "p" is gone'),
            'ReportIncomplete: pod "p" is gone',
        ),
        (
            condition("ReportStored", "Unknown", "ReadingLog", 'reads the log of pod "p"'),
            'not yet: the operator reads the log of pod "p"; try again in a minute',
        ),
        (None, "it ended under a release of Modelyard that kept none"),
    ],
)
def test_a_test_without_a_report_tells_its_verdict_and_why(
    cluster: Cluster, run: Run, said: Manifest | None, why: str
) -> None:
    verdict = condition("Succeeded", "False", "TestFailed", "errorCheck: row 2")
    cluster.has("modeltests.modelyard.dev", ended("failed", verdict, *([said] if said else [])))

    code, out, err = run(CHECK)

    assert (code, out) == (2, "")
    assert err == (
        f'modelyard report: ModelTest "{CHECK}" ended: failed (errorCheck: row 2). It has no report: {why}\n'
    )


def test_a_report_that_was_deleted_is_said_to_be_gone(cluster: Cluster, run: Run) -> None:
    with_report(cluster)
    (cluster.folder / f"configmaps-{report_name(OWNER)}.json").unlink()

    code, out, err = run(CHECK)

    assert (code, out) == (2, "")
    assert f'Its report is gone: ConfigMap "{report_name(OWNER)}" was deleted.' in err


def test_a_report_that_somebody_changed_is_not_shown(cluster: Cluster, run: Run) -> None:
    kept = with_report(cluster)
    better = report_map(OWNER, report=a_report("succeeded"), log=LOG)
    cluster.has("configmaps", {**kept, "binaryData": better["binaryData"]})

    code, out, err = run(CHECK)

    assert (code, out) == (2, "")
    assert "Its report cannot be trusted: ConfigMap" in err
    assert "somebody changed it" in err


def test_a_report_that_is_damaged_is_not_shown(cluster: Cluster, run: Run) -> None:
    kept = with_report(cluster)
    cluster.has("configmaps", {**kept, "binaryData": {**kept["binaryData"], REPORT_KEY: "bm8gZ3ppcA=="}})

    code, out, err = run(CHECK)

    assert (code, out) == (2, "")
    assert f'{REPORT_KEY} in ConfigMap "{report_name(OWNER)}" is damaged' in err


# --- the command itself ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [[], ["a", "b"], ["a", "--format", "xml"]])
def test_wrong_usage_is_two(run: Run, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as left:
        run(*arguments)

    assert left.value.code == 2


def test_it_starts_without_anything_of_the_operator(cluster: Cluster) -> None:
    """It runs where `pip install modelyard[cli]` was enough."""
    with_report(cluster)
    code = (
        "import sys; from modelyard.cli.main import main; main(['report', sys.argv[1]]);"
        "print(*sys.modules, file=sys.stderr)"
    )
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3] / "operator")}
    done = subprocess.run(
        [sys.executable, "-c", code, CHECK], capture_output=True, text=True, check=True, env=environ
    )

    loaded = set(done.stderr.split())
    assert "modelyard.cli.report" in loaded
    assert not loaded & {
        "kopf",
        "aiohttp",
        "uvloop",
        "prometheus_client",
        "kubernetes",
        "modelyard.kube.live",
    }


def test_a_reader_that_goes_away_is_no_trouble(cluster: Cluster) -> None:
    with_report(cluster)
    code = "import sys; from modelyard.cli.main import main; sys.exit(main(['report', sys.argv[1]]))"
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3] / "operator")}
    process = subprocess.Popen(
        [sys.executable, "-c", code, CHECK], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environ
    )
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()

    assert process.wait(timeout=30) == 1
    assert b"Traceback" not in said
