"""The command line: which commands there are, and how `modelyard operator` refuses to start."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from modelyard.cli import commands
from modelyard.cli import main as cli
from modelyard.cli import operator as cli_operator


def test_each_command_has_a_module_with_a_main(monkeypatch: pytest.MonkeyPatch) -> None:
    for command in commands._COMMANDS:
        with pytest.raises(SystemExit) as ended:
            cli.main([command, "--help"])
        assert ended.value.code == 0


def test_the_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--help"])

    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert all(command in text for command in commands._COMMANDS)


@pytest.mark.parametrize("arguments", [[], ["fly"]])
def test_what_is_no_command_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)

    assert ended.value.code == 2
    assert "<command>" in capsys.readouterr().err


def test_commands_are_listed_for_people_and_for_the_cluster(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--help"])

    people, cluster = capsys.readouterr().out.split("for the cluster and its builders:")
    assert {"init", "try", "check"} <= set(re.findall(r"^  (\w+) ", people, re.MULTILINE))
    assert {"operator", "crds"} <= set(re.findall(r"^  (\w+) ", cluster, re.MULTILINE))


@pytest.mark.parametrize(("word", "near"), [("tri", "try"), ("chek", "check"), ("oprator", "operator")])
def test_the_nearest_command_is_suggested(word: str, near: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([word])

    assert ended.value.code == 2
    assert f"there is no command '{word}'; did you mean '{near}'?" in capsys.readouterr().err


def test_the_checks_start_without_anything_of_the_operator() -> None:
    """The test runner must start fast and small: no kopf, no client of the API server."""
    code = "import sys, modelyard.cli.main, modelyard.cli.check; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(run.stdout.split())

    assert "modelyard.cli.check" in loaded
    assert not loaded & {
        "kopf",
        "uvloop",
        "prometheus_client",
        "modelyard.kube.session",
        "modelyard.handlers",
    }


@pytest.mark.parametrize(
    ("command", "module", "extra"),
    [
        ("gateway", "uvloop", "operator"),
        ("operator", "uvloop", "operator"),
        ("health", "httptools", "operator"),
        ("try", "orjson", "cli"),
        ("crds", "yaml", "cli"),
    ],
)
def test_a_command_whose_packages_are_missing_says_what_brings_them(
    command: str, module: str, extra: str
) -> None:
    run = without(module, command)

    assert run.returncode == 2
    assert run.stderr == (
        f"modelyard {command}: the module {module} is missing; "
        f"`pip install '.[{extra}]'` in a checkout brings what this command needs\n"
    )


def test_a_part_of_modelyard_that_is_missing_is_a_fault_that_is_told_whole() -> None:
    run = without("modelyard.api", "crds")

    assert run.returncode == 1
    assert "Traceback" in run.stderr


def without(module: str, command: str) -> subprocess.CompletedProcess[str]:
    """Run a command where a module is not installed."""
    code = (
        f"import sys; sys.modules['{module}'] = None; from modelyard.cli.main import main; sys.exit(main())"
    )
    return subprocess.run([sys.executable, "-c", code, command], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("environ", "arguments", "message"),
    [
        ({}, [], "not in a pod (KUBERNETES_SERVICE_HOST is not set): give --kubeconfig"),
        ({}, ["--kubeconfig", "/absent"], "/absent: No such file or directory"),
        ({"MODELYARD_PORT": "x"}, [], "MODELYARD_PORT must be a number from 1 to 65535, not 'x'"),
    ],
)
def test_an_operator_that_cannot_start_says_why_in_one_line(
    environ: dict[str, str],
    arguments: list[str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(os, "environ", environ)

    assert cli_operator.main(arguments) == 2
    assert capsys.readouterr().err == f"modelyard operator: {message}\n"


def test_namespaces_on_the_command_line_override_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {"MODELYARD_NAMESPACES": "a,b"})
    parse = cli_operator._parser().parse_args

    assert cli_operator._settings(parse([])).namespaces == ("a", "b")
    assert cli_operator._settings(parse(["--namespace", "c", "--namespace", "d"])).namespaces == ("c", "d")
    assert parse(["--kubeconfig", "k"]).kubeconfig == Path("k")
