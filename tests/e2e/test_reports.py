"""Reports on a real cluster: read from the runner's log, kept, and read back by those who may see them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as xml
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelyard.api.check_report import CheckReport, digest_of
from tests.cluster.kubectl import Kubectl, KubectlFailed, Manifest
from tests.cluster.tools import tool
from tests.cluster.waiting import until
from tests.e2e.team import Team, new_team
from tests.support.cluster_objects import NOT_A_NUMBER, version_name
from tests.support.objects import as_applied, make_dataset, make_test

OPERATOR = Path(__file__).parents[2] / "operator"
IDS = ("hand-0", "hand-1", "hand-2", "hand-3")
ENDED_SECONDS = 150


@pytest.fixture(scope="module")
def team(operator: str, python_image: str, kubectl: Kubectl) -> Iterator[Team]:
    """A namespace in which one test by hand has succeeded (`good`), and another has failed (`bad`)."""
    with new_team(kubectl, python_image, "reports") as team:
        team.apply(team.model("hello"), team.version("hello", "1.0"))
        team.apply(team.model("wrong"), team.version("wrong", "1.0", predict=NOT_A_NUMBER))
        team.await_serving("hello", "1.0")
        team.await_serving("wrong", "1.0")
        team.apply(by_hand(team, "good", "hello"), by_hand(team, "bad", "wrong"))
        team.await_all("condition=Ready", "modeltest/good", "modeltest/bad", timeout=ENDED_SECONDS)
        yield team


def by_hand(team: Team, name: str, model: str, **spec: object) -> Manifest:
    """A test of version 1.0."""
    rows = make_dataset(json.dumps({"id": IDS}))
    tested = {"name": version_name(model, "1.0")}
    return as_applied(make_test(name, namespace=team.namespace, versionRef=tested, dataset=rows, **spec))


def report(team: Team, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`modelyard report` as somebody with this kubectl on PATH runs it."""
    code = "import sys; from modelyard.cli.main import main; sys.exit(main())"
    environ = {**os.environ, "PATH": str(tool("kubectl").parent), "PYTHONPATH": str(OPERATOR)}
    where = ["--namespace", team.namespace, "--kubeconfig", str(team.kubectl.kubeconfig)]
    return subprocess.run(
        [sys.executable, "-c", code, "report", *arguments, *where],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environ,
    )


def kept(team: Team, name: str) -> Manifest:
    """What the status of a test says of its report."""
    found: Manifest = team.object("modeltest", name)["status"]["report"]
    return found


def test_the_report_of_a_good_test_is_read_back_in_all_three_formats(team: Team) -> None:
    text, wire, junit = (report(team, "good", "--format", form) for form in ("text", "json", "junit"))

    assert [done.returncode for done in (text, wire, junit)] == [0, 0, 0], text.stderr
    assert f"Model hello 1.0 (Regression), test {team.namespace}/good" in text.stdout
    found = CheckReport.model_validate_json(wire.stdout)
    assert found.overall_status == "succeeded"
    assert [check.name for check in found.checks] == [
        "longRunningService",
        "errorCheck",
        "nullValueImputation",
        "sideEffects",
    ]
    assert found.dataset is not None
    assert (found.dataset.rows, found.dataset.columns) == (len(IDS), ("id",))
    suite = xml.fromstring(junit.stdout).find("testsuite")
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures")) == ("4", "0")


def test_the_report_of_a_bad_test_names_what_was_found(team: Team) -> None:
    done = report(team, "bad")

    assert done.returncode == 1, done.stderr
    assert "FAILED  errorCheck" in done.stdout
    assert "row 0: prediction is NaN" in done.stdout
    said = CheckReport.model_validate_json(report(team, "bad", "--format", "json").stdout)
    assert [check.status for check in said.checks][:2] == ["succeeded", "failed"]


def test_the_log_is_what_the_runner_printed_for_people(team: Team) -> None:
    done = report(team, "good", "--logs")

    assert done.returncode == 0, done.stderr
    log = done.stdout.partition("\nLog of the runner:\n\n")[2]
    printed = team.kubectl.run(
        "logs", f"job/{team.object('modeltest', 'good')['status']['job']}", f"--namespace={team.namespace}"
    )
    ours = [line for line in printed.splitlines() if not line.startswith("modelyard-")]
    assert ours
    assert log.splitlines() == ours


def test_it_can_be_read_without_our_command(team: Team) -> None:
    """As docs/reports.md has it."""
    config_map = kept(team, "good")["configMap"]
    encoded = team.get("configmap", config_map, r"--output=jsonpath={.binaryData.report\.json\.gz}")
    unpacked = subprocess.run(
        "base64 -d | gunzip", shell=True, input=encoded.encode(), capture_output=True, check=True
    )

    digest = digest_of(unpacked.stdout)
    assert {"configMap": config_map, **digest.model_dump()} == kept(team, "good")


def test_tests_of_the_gate_keep_theirs_too(team: Team) -> None:
    of_gate = [
        test
        for test in team.kubectl.list("modeltests", team.namespace)
        if test["metadata"].get("ownerReferences")
    ]

    assert len(of_gate) == 2
    for test in of_gate:
        done = report(team, test["metadata"]["name"], "--format", "json")
        assert done.returncode == 0, done.stderr
        (first, *_) = CheckReport.model_validate_json(done.stdout).checks
        assert (first.name, first.status) == ("longRunningService", "succeeded")


def test_a_test_that_has_not_ended_says_what_it_waits_for(team: Team) -> None:
    waiting = by_hand(team, "early", "nobody")
    team.apply(waiting)
    team.await_row("modeltest", "early", "queued")

    done = report(team, "early")

    assert (done.returncode, done.stdout) == (2, "")
    assert 'ModelTest "early" has not ended: queued' in done.stderr
    assert 'CustomModelVersion "nobody-1-0" of spec.versionRef does not exist' in done.stderr
    team.kubectl.delete(waiting)


def test_a_test_that_does_not_exist_is_said_so(team: Team) -> None:
    done = report(team, "nobody")

    assert (done.returncode, done.stdout) == (2, "")
    assert f'ModelTest "nobody" does not exist in namespace "{team.namespace}"' in done.stderr


def test_a_report_cannot_be_changed_and_one_that_was_replaced_is_noticed(team: Team) -> None:
    reference = kept(team, "bad")
    name, better = reference["configMap"], team.object("configmap", kept(team, "good")["configMap"])
    change = json.dumps({"binaryData": better["binaryData"]})
    with pytest.raises(KubectlFailed, match="immutable"):
        team.kubectl.run(
            "patch", "configmap", name, f"--namespace={team.namespace}", "--type=merge", f"--patch={change}"
        )

    original = team.object("configmap", name)
    plain = {"apiVersion": "v1", "kind": "ConfigMap"}
    replaced = {
        **plain,
        "metadata": {"name": name, "namespace": team.namespace},
        "binaryData": better["binaryData"],
    }
    team.kubectl.delete(original)
    gone = report(team, "bad")
    team.kubectl.run("create", "-f", "-", stdin=json.dumps(replaced))
    tampered = report(team, "bad")

    assert (gone.returncode, tampered.returncode) == (2, 2)
    assert f'Its report is gone: ConfigMap "{name}" was deleted.' in gone.stderr
    assert "Its report cannot be trusted" in tampered.stderr
    assert tampered.stdout == ""
    assert kept(team, "bad") == reference


def test_a_test_goes_in_its_time_and_its_report_with_it(team: Team) -> None:
    config_map, job = kept(team, "good")["configMap"], team.object("modeltest", "good")["status"]["job"]
    patch = json.dumps({"spec": {"ttlSecondsAfterFinished": 1}})
    team.kubectl.run(
        "patch", "modeltest", "good", f"--namespace={team.namespace}", "--type=merge", f"--patch={patch}"
    )

    def left() -> set[str]:
        mine = {"modeltest.modelyard.dev/good", f"configmap/{config_map}", f"job.batch/{job}"}
        return mine & set(team.remains())

    until("the test is gone with all that it owned", lambda: not left(), timeout=60, every=0.5)
