"""`modelyard check --url`: the same checks against any address."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelyard.cli import main as cli
from modelyard.cli.check_url import Target, main, parse_url
from tests.support.models.process import nursery
from tests.unit.checks.conftest import StartModel
from tests.unit.cli.conftest import FAST

PREFIX = "/models/team/hello"


@pytest.fixture(scope="module")
def start_model() -> Iterator[StartModel]:
    with nursery() as start:
        yield start


@pytest.mark.parametrize(
    ("model", "arguments", "code"),
    [
        ("good_regression", ["--strict"], 0),
        ("good_binary", ["--target-type=Binary", "--strict"], 0),
        ("good_binary", [], 1),
        ("raises_on_null", [], 0),
        ("raises_on_null", ["--strict"], 1),
        ("raises_on_null", ["--check=nullValueImputation=skip", "--strict"], 0),
        ("raises_on_null", ["--check=nullValueImputation=fail"], 1),
        ("strings", [], 1),
    ],
)
def test_the_exit_code_says_how_it_went(
    model: str, arguments: list[str], code: int, start_model: StartModel, rows: Path
) -> None:
    address = start_model(model, URL_PREFIX=PREFIX)

    assert main([f"--url=http://{address}{PREFIX}/", f"--data={rows}", *arguments], FAST) == code


def test_the_report_is_for_programs_where_asked(
    start_model: StartModel, rows: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    address = start_model("good_regression", URL_PREFIX=PREFIX)

    main([f"--url=http://{address}{PREFIX}", f"--data={rows}", "--format=json", "--quiet"], FAST)

    printed = capsys.readouterr()
    assert printed.err == ""
    report = json.loads(printed.out)
    assert report["overallStatus"] == "succeeded"
    assert report["model"] == "hello"
    assert report["checks"][0]["name"] == "longRunningService"


@pytest.mark.parametrize(
    ("url", "address", "prefix"),
    [
        ("http://example.com", "example.com:80", ""),
        ("http://example.com/", "example.com:80", ""),
        ("https://example.com/a/b/", "https://example.com:443", "/a/b"),
        ("http://[::1]:8080/a", "[::1]:8080", "/a"),
        ("http://10.0.0.1:8080/a/predict_no_state/", "10.0.0.1:8080", "/a"),
        ("http://10.0.0.1:8080/a/predict_no_state", "10.0.0.1:8080", "/a"),
        ("http://x/a%20b", "x:80", "/a%20b"),
    ],
)
def test_a_url_is_an_address_and_a_prefix(url: str, address: str, prefix: str) -> None:
    assert parse_url(url) == Target(address, prefix)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("example.com/a", "must begin with http:// or https://"),
        ("ftp://example.com/a", "must begin with http:// or https://"),
        ("http:///a", "names no host"),
        ("http://me:secret@x/a", "must hold no user name or password"),
        ("http://x/a?b=1", "must end with the path below which the model answers: no ? and no #"),
        ("http://x:70000/", "Port out of range 0-65535"),
        ("http://x:0/", "names port 0, on which nobody listens"),
        ("http://x/a b", "must hold no blank; write %20 in its path"),
        ("http://a b/", "must hold no blank; write %20 in its path"),
        (
            "http://bücher.example/",
            "must name its host in ASCII, as xn--bcher-kva.example for bücher.example",
        ),
    ],
)
def test_what_is_no_url_of_a_model_exits_with_2(
    url: str, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([f"--url={url}"], FAST) == 2

    assert capsys.readouterr().err == f"modelyard check: --url {url}: {problem}\n"


def test_a_report_that_its_file_does_not_take_is_printed(
    start_model: StartModel, capsys: pytest.CaptureFixture[str]
) -> None:
    address = start_model("good_regression", URL_PREFIX=PREFIX)

    assert main([f"--url=http://{address}{PREFIX}", "--quiet", "--output=/dev/full"], FAST) == 2

    printed = capsys.readouterr()
    assert "succeeded  longRunningService" in printed.out
    assert printed.err == (
        "modelyard check: /dev/full cannot be written: No space left on device; the report is on stdout instead\n"
    )


def test_what_exits_with_1_is_no_success_in_junit_either(
    start_model: StartModel, rows: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    address = start_model("raises_on_null", URL_PREFIX=PREFIX)
    url = f"--url=http://{address}{PREFIX}"

    assert main([url, f"--data={rows}", "--strict", "--format=junit", "--quiet"], FAST) == 1

    assert '<failure message="2 of 2 columns cannot be null' in capsys.readouterr().out


def test_with_a_plan_it_is_the_runner_of_a_job(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["check", "--plan=x"])

    assert ended.value.code == 2
    assert "--termination" in capsys.readouterr().err
