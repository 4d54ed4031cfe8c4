"""`modelyard try`: real servers as real processes, how each is judged, and that nothing of them is left."""

from __future__ import annotations

import asyncio
import json
import tempfile
import xml.etree.ElementTree as xml
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from modelyard.api.check_report import CheckRecord, CheckReport, parse_report
from modelyard.cli.model_options import asked_for
from modelyard.cli.output_files import KeptLog
from modelyard.cli.terminal import Terminal
from modelyard.cli.trial import Patience, Trial
from modelyard.cli.trial import tried as tried_once
from modelyard.cli.try_model import PATIENCE, main
from modelyard.cli.try_model import _parser as parser
from modelyard.local.workspace import workspace
from tests.support.model_folders import fixture_folder, processes_of, script_folder
from tests.unit.cli.conftest import FAST, path, rows

__all__ = ["path", "rows"]

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where to put a model; whatever became of it, no process and no folder of it is left."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    path = tmp_path / f"model-{uuid4().hex}"
    yield path
    assert processes_of(path.name) == []
    assert list(temporary.iterdir()) == []


def tried(
    folder: Path, *arguments: str, code: int, capsys: Captured, patience: Patience = PATIENCE
) -> CheckReport:
    """The report of a trial that ends with this exit code."""
    found = main([str(folder), "--format=json", *arguments], FAST, patience)
    printed = capsys.readouterr()
    assert found == code, printed.err
    return parse_report(printed.out.encode())


def first(report: CheckReport) -> CheckRecord:
    return report.checks[0]


def words(report: CheckReport) -> list[str]:
    return [str(one.status) for one in report.checks]


def test_a_good_model_succeeds_and_is_reported_for_people(folder: Path, rows: Path, capsys: Captured) -> None:
    fixture_folder(folder, "good_regression")

    assert main([str(folder), f"--data={rows}", "--target-type=Regression", "--strict"], FAST) == 0

    printed = capsys.readouterr()
    assert f"Model {folder.name} 1.0 (Regression)" in printed.out
    assert "succeeded  sideEffects" in printed.out
    assert "sideEffects begins" in printed.err
    assert "sideEffects begins" not in printed.out
    assert "    model |  " in printed.err


def test_quiet_says_nothing_but_the_report(folder: Path, capsys: Captured) -> None:
    fixture_folder(folder, "good_regression")

    assert main([str(folder), "--quiet"], FAST) == 0

    assert capsys.readouterr().err == ""


def test_without_data_only_the_start_is_checked(folder: Path, capsys: Captured) -> None:
    fixture_folder(folder, "good_regression")

    assert words(tried(folder, code=0, capsys=capsys)) == ["succeeded", "skipped", "skipped", "skipped"]


def test_a_server_that_ends_at_once_shows_its_code_and_last_words(
    folder: Path, rows: Path, capsys: Captured
) -> None:
    script_folder(folder, "echo one; echo two >&2; exit 3")

    report = tried(folder, f"--data={rows}", code=1, capsys=capsys)

    assert words(report) == ["failed", "aborted", "aborted", "aborted"]
    assert first(report).message == (
        "The server ended (exit code 3) before it was ready; it printed last: one / two"
    )
    assert report.checks[1].message == "Not run: the server had ended during longRunningService"


def test_a_server_that_dies_of_a_signal_without_a_word(folder: Path, capsys: Captured) -> None:
    script_folder(folder, "kill -9 $$")

    report = tried(folder, code=1, capsys=capsys)

    assert first(report).message == "The server ended (by SIGKILL) before it was ready; it printed nothing"


def test_a_server_in_the_background_is_none(folder: Path, rows: Path, capsys: Captured) -> None:
    """Here it goes on answering; in a pod it would end with the start script."""
    fixture_folder(folder, "in_the_background")

    report = tried(folder, f"--data={rows}", code=1, capsys=capsys)

    assert words(report)[0] == "failed"
    assert first(report).message == (
        "The start command ended (exit code 0) and left 1 process in the background; in a pod that is the end of "
        "the server: let it stay in the foreground (exec, no & at its end)"
    )


def test_a_server_that_ignores_sigterm_is_killed_and_warned_of(folder: Path, capsys: Captured) -> None:
    fixture_folder(folder, "ignores_sigterm")

    report = tried(folder, code=0, capsys=capsys, patience=Patience(grace=0.1))

    assert report.overall_status == "warning"
    assert [one.where for one in first(report).findings] == ["shutdown"]
    assert "did not end within 0.1 s of SIGTERM" in first(report).message


def test_a_server_that_only_this_machine_reaches_has_failed_as_it_would_in_a_cluster(
    folder: Path, rows: Path, capsys: Captured
) -> None:
    """It once was a warning, and a pipeline that tried such a model was green. What else was found is still told."""
    fixture_folder(folder, "localhost_only")

    report = tried(folder, f"--data={rows}", code=1, capsys=capsys)

    assert words(report) == ["failed", "succeeded", "succeeded", "succeeded"]
    assert first(report).message.startswith("It listens on 127.0.0.1:")
    assert first(report).message.endswith(" only, where no other pod reaches it; listen on 0.0.0.0")


def test_a_server_on_another_port_is_found_soon(folder: Path, rows: Path, capsys: Captured) -> None:
    """It once was waited for until the time of the whole test was over, ten minutes, though its port was known."""
    script_folder(folder, "unset PORT", "exec python3 -m http.server --bind 127.0.0.1 0")

    report = tried(folder, f"--data={rows}", code=1, capsys=capsys, patience=Patience(elsewhere=0.3))

    assert words(report) == ["failed", "aborted", "aborted", "aborted"]
    assert "connection refused; it listens on 127.0.0.1:" in first(report).message
    assert first(report).message.endswith("; it must take the port from the variable PORT")
    assert report.checks[1].message == "Not run: longRunningService failed"
    assert report.duration_seconds < 20


def test_a_server_that_opens_its_port_after_another_is_waited_for(folder: Path, capsys: Captured) -> None:
    """As one does that serves its metrics while it loads the model."""
    fixture = fixture_folder(folder, "good_regression").joinpath("start_server.sh")
    fixture.write_text(
        fixture.read_text().replace("HOST=", "PORT=0 timeout 30 python3 -m http.server 0 &\nsleep 0.6\nHOST=")
    )

    assert words(tried(folder, code=0, capsys=capsys, patience=Patience(grace=0.2)))[0] == "succeeded"


def test_a_server_that_is_never_ready_gets_the_time_to_start_of_its_version(folder: Path) -> None:
    fixture_folder(folder, "never_ready")
    options = parser().parse_args([str(folder), "--quiet"])
    asked = replace(asked_for(options, folder.name), startup_seconds=0.3)
    with workspace(folder, needs_script=True) as space, KeptLog(None) as log:
        trial = Trial(
            asked=asked,
            data=None,
            command=["sh", "start_server.sh"],
            space=space,
            terminal=Terminal(quiet=True),
            log=log,
            limits=FAST,
            patience=PATIENCE,
        )
        report = asyncio.run(tried_once(trial))

    assert words(report)[0] == "failed"
    assert "not ready after" in first(report).message.lower()
    assert "; the version's startup.timeoutSeconds gives it 0.3 s" in first(report).message


def test_a_server_that_ignores_its_prefix_is_told_so(folder: Path, capsys: Captured) -> None:
    fixture_folder(folder, "ignores_url_prefix")

    report = tried(folder, code=1, capsys=capsys)

    assert "answered HTTP 404" in first(report).message
    assert f"GET /models/here/{folder.name}/ must answer 200" in first(report).message


def test_a_server_that_dies_of_a_request_names_the_check_and_the_end(
    folder: Path, rows: Path, capsys: Captured
) -> None:
    fixture_folder(folder, "dies_on_null")

    report = tried(folder, f"--data={rows}", "--check=nullValueImputation=fail", code=1, capsys=capsys)

    assert words(report) == ["succeeded", "succeeded", "failed", "aborted"]
    assert report.checks[2].message.startswith('Column "a" nulled: ')
    assert "; the server ended (" in report.checks[2].message
    assert report.checks[3].message == "Not run: the server had ended during nullValueImputation"


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo hello", "start_server.sh does not say what runs it; begin it with a line #!/bin/sh"),
        (
            "#!/bin/sh\r\nexec sleep 60\r\n",
            "start_server.sh has Windows line ends, so its interpreter is not found; save it with Unix ones (LF)",
        ),
        (
            "#!/opt/absent/r\n",
            "start_server.sh asks for /opt/absent/r, which is not on this machine; install it, or change its "
            "first line",
        ),
    ],
)
def test_a_script_that_cannot_be_started_says_why(
    script: str, message: str, folder: Path, capsys: Captured
) -> None:
    script_folder(folder).joinpath("start_server.sh").write_bytes(script.encode())

    assert first(tried(folder, code=1, capsys=capsys)).message.lower() == message.lower()


def test_a_command_takes_the_place_of_the_script(folder: Path, capsys: Captured) -> None:
    fixture_folder(folder, "good_regression").joinpath("start_server.sh").rename(folder / "run me.sh")

    assert words(tried(folder, "--command=sh 'run me.sh'", code=0, capsys=capsys))[0] == "succeeded"


def test_a_command_that_is_not_there_says_so(folder: Path, capsys: Captured) -> None:
    folder.mkdir()

    report = tried(folder, "--command=absent-program --x", code=1, capsys=capsys)

    assert first(report).message == "Absent-program --x cannot be started: no such file or directory"


def test_a_server_finds_what_it_finds_in_a_pod(folder: Path, tmp_path: Path, capsys: Captured) -> None:
    script_folder(folder, "pwd", "env", "exit 1")
    log = tmp_path / "log"
    options = ["--target-type=Binary", "--target-name=is bad", "--positive-label=yes", "--negative-label=no"]

    tried(folder, *options, f"--keep-logs={log}", code=1, capsys=capsys)

    where, *variables = log.read_text().splitlines()
    found = dict(line.split("=", 1) for line in variables)
    fixed = {
        "URL_PREFIX": f"/models/here/{folder.name}",
        "CODE_DIR": where,
        "MODEL_NAME": folder.name,
        "MODEL_VERSION": "1.0",
        "TARGET_TYPE": "Binary",
        "TARGET_NAME": "is bad",
        "POSITIVE_CLASS_LABEL": "yes",
        "NEGATIVE_CLASS_LABEL": "no",
        "PREDICTION_THRESHOLD": "0.5",
    }
    assert {name: found[name] for name in fixed} == fixed
    assert found.keys() - fixed.keys() - {"PWD", "OLDPWD", "SHLVL", "_"} == {
        "PORT",
        "HOME",
        "TMPDIR",
        "PATH",
        "LANG",
    }
    assert where != str(folder)
    assert found["HOME"] != where


def test_a_server_cannot_change_its_sources(folder: Path, capsys: Captured) -> None:
    fixture = fixture_folder(folder, "good_regression").joinpath("start_server.sh")
    fixture.write_text(fixture.read_text().replace("HOST=", "chmod +w . && echo x > made.txt\nHOST="))
    before = {path: path.read_bytes() for path in folder.iterdir()}

    report = tried(folder, code=0, capsys=capsys)

    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    assert "it wrote made.txt into CODE_DIR, which is read-only in a pod" in first(report).message


def test_junit_goes_to_a_file(folder: Path, tmp_path: Path, capsys: Captured) -> None:
    fixture_folder(folder, "good_regression")
    output = tmp_path / "report.xml"

    assert main([str(folder), "--format=junit", f"--output={output}"], FAST) == 0

    assert capsys.readouterr().out == ""
    assert len(list(xml.fromstring(output.read_text()).iter("testcase"))) == 4


def test_the_model_file_of_the_folder_is_taken(folder: Path, rows: Path, capsys: Captured) -> None:
    fixture_folder(folder, "good_multiclass").joinpath("model.yaml").write_text(
        json.dumps(
            {
                "apiVersion": "modelyard.dev/v1alpha1",
                "kind": "CustomModel",
                "metadata": {"name": folder.name},
                "spec": {"targetType": "Multiclass", "targetName": "y", "classLabels": ["a", "b", "c"]},
            }
        )
    )

    report = tried(folder, f"--data={rows}", code=0, capsys=capsys)

    assert report.target_type == "Multiclass"
    assert words(report)[1] == "succeeded"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["absent"], "absent is not there; name the folder of the model"),
        (["rows.csv"], "rows.csv is no folder; name the folder of the model"),
        (
            ["empty"],
            "empty has no start_server.sh, which starts the server: add it, or give --command for an environment "
            "that has its own",
        ),
        (["."], ". has no start_server.sh, which starts the server: did you mean good?"),
        (
            ["good", "--data=absent.csv"],
            "data set absent.csv cannot be read: No such file or directory; give the path of one that is there",
        ),
        (["good", "--data=bad.csv"], "data set bad.csv: "),
        (["good", "--command="], "--command is empty; give the words that start the server"),
        (["good", "--command='"], "--command cannot be read: no closing quotation"),
        (["good", "--output=/proc/x"], "/proc/x cannot be written: "),
        (["good", "--keep-logs=/proc/x"], "/proc/x cannot be written: "),
        (["good", f"--output={'x' * 300}"], f"{'x' * 300} cannot be written: File name too long"),
        (["good", "--output=absent/x"], "absent does not exist; make it, or name another file"),
        (["good", "--output=good"], "good is a folder; name a file"),
    ],
)
def test_what_cannot_be_tried_exits_with_2_and_one_line(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    rows: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Captured,
) -> None:
    monkeypatch.chdir(tmp_path)
    script_folder(tmp_path / "good")
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad.csv").write_text("a,b\n1\n")

    assert main(arguments, FAST) == 2

    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith(f"modelyard try: {message}")


@pytest.fixture
def full() -> str:
    """A file that can be opened, but never written."""
    return "/dev/full"


def test_a_report_that_its_file_does_not_take_is_printed(folder: Path, full: str, capsys: Captured) -> None:
    """After all the work it once was lost, in a traceback, with the exit code of a model that failed."""
    fixture_folder(folder, "good_regression")

    assert main([str(folder), "--quiet", "--format=json", f"--output={full}"], FAST) == 2

    printed = capsys.readouterr()
    assert words(parse_report(printed.out.encode()))[0] == "succeeded"
    assert printed.err == (
        f"modelyard try: {full} cannot be written: No space left on device; the report is on stdout instead\n"
    )


@pytest.mark.parametrize("lines", [1, 20000])
def test_a_log_that_its_file_does_not_take_spoils_nothing_else(
    lines: int, folder: Path, full: str, capsys: Captured
) -> None:
    fixture = fixture_folder(folder, "good_regression").joinpath("start_server.sh")
    fixture.write_text(fixture.read_text().replace("HOST=", f"seq {lines}\nHOST="))

    assert main([str(folder), "--quiet", "--format=json", f"--keep-logs={full}"], FAST) == 2

    printed = capsys.readouterr()
    assert words(parse_report(printed.out.encode()))[0] == "succeeded"
    assert printed.err == (
        f"modelyard try: {full} cannot be written: No space left on device; the rest of the log is lost\n"
    )


def test_a_trial_that_does_not_begin_leaves_files_as_they_are(tmp_path: Path, capsys: Captured) -> None:
    kept, made = tmp_path / "kept", tmp_path / "made"
    kept.write_text("mine")

    assert main([str(tmp_path / "absent"), f"--output={kept}", f"--keep-logs={made}"], FAST) == 2

    assert kept.read_text() == "mine"
    assert not made.exists()


def test_what_exits_with_1_is_no_success_in_junit_either(folder: Path, rows: Path, capsys: Captured) -> None:
    fixture_folder(folder, "raises_on_null")

    assert main([str(folder), f"--data={rows}", "--strict", "--format=junit", "--quiet"], FAST) == 1

    suite = xml.fromstring(capsys.readouterr().out)[0]
    assert suite.get("failures") == "1"


GATE = {
    "tests": [
        {"name": "starts", "configuration": {"errorCheck": "skip"}},
        {
            "name": "rows",
            "dataset": {"configMap": {"name": "rows"}},
            "configuration": {"nullValueImputation": "fail"},
        },
        {
            "name": "order",
            "dataset": {"configMap": {"name": "rows"}},
            "configuration": {"errorCheck": "skip", "sideEffects": "fail"},
        },
    ]
}


def declared(folder: Path, gate: dict[str, Any], name: str = "hello") -> None:
    """Put a model.yaml with this gate beside the code."""
    (folder / "model.yaml").write_text(
        json.dumps(
            {
                "apiVersion": "modelyard.dev/v1alpha1",
                "kind": "CustomModel",
                "metadata": {"name": name},
                "spec": {"targetType": "Regression", "targetName": "y", "gate": gate},
            }
        )
    )


def test_every_test_of_the_gate_counts(folder: Path, rows: Path, capsys: Captured) -> None:
    """Once only the first did: with one that only starts the model, a model that answers with words was fine."""
    declared(fixture_folder(folder, "strings"), GATE)

    assert main([str(folder), f"--data={rows}"], FAST) == 1

    printed = capsys.readouterr()
    assert "FAILED  errorCheck" in printed.out
    assert (
        'checks are as strict as the strictest of the gate\'s tests "rows", "order"; '
        'left out: "starts" (it has no data)\n'
    ) in printed.err


def test_data_that_no_check_looks_at_is_told_however_quiet(
    folder: Path, rows: Path, capsys: Captured
) -> None:
    off = {"errorCheck": "skip", "nullValueImputation": "skip", "sideEffects": "skip"}
    declared(fixture_folder(folder, "strings"), {"tests": [{"name": "starts", "configuration": off}]})

    assert main([str(folder), f"--data={rows}", "--quiet"], FAST) == 0

    assert capsys.readouterr().err == (
        f"warning: the predictions for {rows} are not checked: errorCheck, nullValueImputation, sideEffects are all "
        f"skipped, as {folder}/model.yaml says; --check errorCheck=fail checks them\n"
    )


def test_a_name_that_no_model_may_have_is_refused(folder: Path, capsys: Captured) -> None:
    declared(script_folder(folder), {"tests": [{"name": "x"}]}, name="../x y")

    assert main([str(folder)], FAST) == 2

    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith(
        f"modelyard try: {folder}/model.yaml: CustomModel '../x y': its name must be at most 52 "
    )
