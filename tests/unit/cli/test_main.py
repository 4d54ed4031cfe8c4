"""The program around its commands: its version, Ctrl-C, and a terminal or a file that cannot take what is printed."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

import modelyard
from modelyard.api.check_plan import CheckName, CheckStatus
from modelyard.api.check_report import CheckRecord, CheckReport
from modelyard.cli import init
from modelyard.cli.main import main
from modelyard.cli.stdout import write_out
from modelyard.cli.terminal import ReportOptions, write_report
from modelyard.cli.usage import UsageError

Captured = pytest.CaptureFixture[str]


def test_its_version_is_that_of_the_package(capsys: Captured) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])

    assert ended.value.code == 0
    assert capsys.readouterr().out == f"modelyard {modelyard.__version__}\n"
    assert modelyard.__version__ == metadata.version("modelyard")


def test_where_only_its_sources_lie_as_in_the_image_it_knows_its_version_too(tmp_path: Path) -> None:
    (tmp_path / "modelyard").symlink_to(Path(modelyard.__file__).parent)
    program = "from modelyard.cli.main import main; main(['--version'])"
    command = [sys.executable, "-S", "-B", "-c", program]
    done = subprocess.run(command, cwd=tmp_path, env={}, capture_output=True, text=True)

    assert (done.stdout, done.stderr) == (f"modelyard {modelyard.__version__}\n", "")


def test_a_word_that_is_near_to_nothing_gets_no_suggestion(capsys: Captured) -> None:
    with pytest.raises(SystemExit):
        main(["nope"])

    assert "there is no command 'nope' (`modelyard --help` lists them)" in capsys.readouterr().err


def test_without_a_command_it_is_said_where_they_are_listed(capsys: Captured) -> None:
    with pytest.raises(SystemExit) as ended:
        main([])

    assert ended.value.code == 2
    assert "error: name a command (`modelyard --help` lists them)" in capsys.readouterr().err


def test_ctrl_c_where_a_command_does_not_heed_it_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    def interrupted(_arguments: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(init, "main", interrupted)

    assert main(["init", "x"]) == 130

    assert capsys.readouterr().err == "modelyard init: stopped by SIGINT\n"


def few_letters(monkeypatch: pytest.MonkeyPatch) -> io.BytesIO:
    """What is printed from now on, on a terminal that knows few letters."""
    printed = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(printed, encoding="latin-1"))
    return printed


MESSAGE = "é… 😀"
REPORT = CheckReport(
    test="",
    model="m",
    version="1.0",
    target_type="Regression",
    overall_status=CheckStatus.FAILED,
    checks=(
        CheckRecord(name=CheckName.ERROR_CHECK, severity="fail", status=CheckStatus.FAILED, message=MESSAGE),
    ),
)


def test_letters_that_a_terminal_lacks_are_numbers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    printed = few_letters(monkeypatch)

    assert main(["init", str(tmp_path / "модель")]) == 0

    assert b"\\u043c\\u043e\\u0434" in printed.getvalue()


def test_nothing_that_takes_time_is_imported_before_ctrl_c_is_heeded() -> None:
    """Within the first tenths of a second it ended in a traceback, or was passed over."""
    code = (
        "import sys; before = set(sys.modules); import modelyard.cli.main; print(*set(sys.modules) - before)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    ours = {name for name in done.stdout.split() if name.startswith("modelyard")}
    assert ours == {"modelyard", "modelyard.cli", "modelyard.cli.main", "modelyard.cli.usage"}
    assert not {"argparse", "re", "typing", "json"} & set(done.stdout.split())


@pytest.mark.parametrize("form", ["json", "junit"])
def test_what_programs_read_is_utf_8_wherever_it_goes(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """JSON and XML with another encoding than theirs, or with numbers for letters, would not be read as meant."""
    out = few_letters(monkeypatch)

    write_report(REPORT, ReportOptions(form, None, strict=False))

    printed = out.getvalue().decode("utf-8")
    assert MESSAGE in printed
    assert form != "json" or json.loads(printed)["checks"][0]["message"] == MESSAGE


@pytest.mark.parametrize("form", ["text", "json", "junit"])
def test_half_a_letter_stops_no_report(form: str, tmp_path: Path) -> None:
    check = REPORT.checks[0].model_copy(update={"message": "half \ud83d of it"})
    report = REPORT.model_copy(update={"checks": (check,)})

    write_report(report, ReportOptions(form, tmp_path / "report", strict=False))

    assert "half" in (tmp_path / "report").read_text(encoding="utf-8")


def test_a_stdout_that_takes_nothing_is_said_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    with open("/dev/full", "w", encoding="utf-8") as full:
        monkeypatch.setattr(sys, "stdout", full)
        with pytest.raises(UsageError, match=r"^stdout cannot be written: No space left on device$"):
            write_out("x")


def test_without_a_stderr_what_is_said_there_is_not_said_on_stdout() -> None:
    """Where there is none Python prints it among what programs read."""
    program = "from modelyard.cli.main import main; raise SystemExit(main(['report', 'team/a']))"
    command = ["sh", "-c", 'exec "$0" "$@" 2>&-', sys.executable, "-c", program]
    done = subprocess.run(command, stdout=subprocess.PIPE)

    assert (done.returncode, done.stdout) == (2, b"")
