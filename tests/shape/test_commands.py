"""The commands that the pages show are commands that exist, with options and files that exist.

Pages of examples are run word for word elsewhere; here every page is read, so that a renamed target, option, value,
kind or file cannot live on in some page.
"""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from modelyard.api.kinds import ALL_KINDS
from modelyard.cli.main import main
from tests.support.pages import ROOT, blocks, commands, title, tracked

PAGES = [page for page in tracked("*.md") if blocks(page, "", "sh")]
TOOLS = Path(sys.executable).parent

PLAIN = {
    *(
        "awk",
        "base64",
        "bash",
        "cat",
        "cd",
        "chmod",
        "cmp",
        "cp",
        "curl",
        "docker",
        "echo",
        "export",
        "false",
        "git",
    ),
    *(
        "grep",
        "gunzip",
        "head",
        "jq",
        "kill",
        "kind",
        "ls",
        "mkdir",
        "pip",
        "printf",
        "python3",
        "rm",
        "sed",
        "sleep",
    ),
    *(
        "sort",
        "sudo",
        "sh",
        "tail",
        "test",
        "true",
        "wait",
        "watch",
        "xargs",
        "zcat",
        "for",
        "do",
        "done",
        "while",
    ),
    *("tee", "seq", "if", "then", "fi", "until", "trap", "apt-get", "source"),
}
"""Programs whose arguments are not looked at."""

KUBECTL_KINDS = {
    *(
        "all",
        "configmap",
        "configmaps",
        "cm",
        "secret",
        "secrets",
        "pod",
        "pods",
        "job",
        "jobs",
        "crd",
        "namespace",
    ),
    *(
        "namespaces",
        "deployment",
        "deployments",
        "service",
        "services",
        "svc",
        "networkpolicy",
        "networkpolicies",
    ),
    *(
        "event",
        "events",
        "node",
        "nodes",
        "replicasets",
        "endpointslices",
        "poddisruptionbudgets",
        "modelyard",
    ),
    *("resourcequota", "controllerrevisions", "customresourcedefinitions", "serviceaccount", "ingress"),
}
_ABOUT = {"get", "describe", "delete", "explain", "edit", "wait", "patch", "annotate", "label", "scale"}
_WITH_VALUE = {
    "-n",
    "--namespace",
    "-o",
    "--output",
    "-l",
    "--selector",
    "-f",
    "-k",
    "-p",
    "--for",
    "--timeout",
    "--type",
}


def help_of(*command: str) -> str:
    """What a command says of itself."""
    done = subprocess.run([*command, "--help"], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, f"{' '.join(command)} does not exist: {done.stderr.strip() or done.stdout}"
    return done.stdout


def help_of_ours(*words: str) -> str:
    """The same of a command of ours, without a process that imports all of it once more."""
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        try:
            code: object = main([*words, "--help"])
        except SystemExit as ended:
            code = ended.code
    assert not code, f"modelyard {' '.join(words)} does not exist: {said.getvalue()}"
    return said.getvalue()


cached_help, cached_help_of_ours = cache(help_of), cache(help_of_ours)


def options_of(words: list[str]) -> list[str]:
    """The long options among words."""
    return [word.partition("=")[0] for word in words if re.fullmatch(r"--[a-z][a-z0-9-]*(=.*)?", word)]


def check_make(words: list[str]) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {word for word in words if re.fullmatch(r"[a-z][a-z-]*", word)}
    assert named <= targets, f"make has no target {sorted(named - targets)}"


def check_modelyard(words: list[str]) -> None:
    sub = [word for word in words[:1] if not word.startswith("-")]
    known = cached_help_of_ours(*sub)
    assert [option for option in options_of(words) if option not in known] == []


def check_kubectl(words: list[str]) -> None:
    words = without_valued(words)
    verb = next(word for word in words if not word.startswith("-"))
    cached_help(str(TOOLS / "kubectl"), verb)
    if verb not in _ABOUT:
        return
    after = [word for word in words[words.index(verb) + 1 :] if not word.startswith("-")]
    own = {
        name for kind in ALL_KINDS for name in (kind.plural, kind.name.lower(), getattr(kind, "short", ""))
    }
    for named in after[:1]:
        for part in named.split(","):
            kind = re.split(r"[/.]", part)[0]
            assert kind in own | KUBECTL_KINDS or part.startswith(("$", "<")), f"there is no kind {kind}"


def without_valued(words: list[str]) -> list[str]:
    """Without options that take the next word, and that word."""
    kept, skip = [], False
    for word in words:
        if skip:
            skip = False
        elif word in _WITH_VALUE:
            skip = True
        else:
            kept.append(word)
    return kept


def check_helm(words: list[str]) -> None:
    values = yaml.safe_load((ROOT / "charts" / "modelyard" / "values.yaml").read_text())
    for flag, setting in pairwise(words):
        if flag not in ("--set", "--set-string", "--set-json"):
            continue
        found = values
        for key in re.split(r"(?<!\\)\.", setting.partition("=")[0]):
            name = re.sub(r"\[\d+\]$", "", key)
            assert isinstance(found, dict), f"the chart has no value {setting}"
            assert name in found, f"the chart has no value {setting}"
            found = found[name]


def check_python(words: list[str]) -> None:
    if words[:1] == ["-m"]:
        path = ROOT.joinpath(*words[1].split("."))
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists() or words[1] == "pytest"


CHECKS: dict[str, Callable[[list[str]], None]] = {
    "make": check_make,
    "modelyard": check_modelyard,
    "kubectl": check_kubectl,
    "helm": check_helm,
    "python": check_python,
    "pytest": lambda words: None,
}


def check_files(words: list[str]) -> None:
    """A word that begins with a folder of the repository names a file that is there."""
    tops = {path.name for path in ROOT.iterdir() if path.is_dir() and path.name != ".venv"}
    for word in words:
        path = word.partition("::")[0]
        if path.partition("/")[0] in tops and "/" in path and not set(path) & set("<>$*{"):
            assert (ROOT / path).exists() or path.startswith("."), f"{path} does not exist"


def check(words: list[str], page: Path) -> None:
    """One command of a page; AssertionError says what it names that does not exist."""
    program = words[0].removeprefix(".venv/bin/")
    known = (
        program in PLAIN or program in CHECKS or (page.parent / program).exists() or (ROOT / program).exists()
    )
    assert known or program.startswith(("<", "$", "#", '"')), f"nobody knows the program {program}"
    if program in CHECKS:
        CHECKS[program](words[1:])
    check_files(words[1:])


def check_all(script: str, page: Path) -> None:
    """Every command of a script."""
    for words in commands(script):
        check(words, page)


@pytest.mark.parametrize("page", PAGES, ids=title)
def test_the_commands_of_a_page_exist(page: Path) -> None:
    for block in blocks(page, "", "sh"):
        check_all(block, page)


@pytest.mark.parametrize(
    "line",
    [
        "make nonsense",
        "modelyard crds --nonsense",
        "modelyard nonsense",
        "kubectl nonsense",
        "kubectl get custommodles",
        "helm upgrade x charts/modelyard --set image.nonsense=1",
        "helm upgrade x charts/nonsense",
        "python -m scripts.nonsense",
        "nonsense --help",
        "true | make nonsense",
        "A=b make nonsense",
    ],
)
def test_what_does_not_exist_is_noticed(line: str) -> None:
    with pytest.raises(AssertionError):
        check_all(line, ROOT / "README.md")


def test_commands_are_read_as_a_shell_would() -> None:
    script = "cat <<'EOF' | kubectl apply -f -\nmake nonsense\nEOF\nA=1 make \\\n  test  # all\n"

    assert list(commands(script)) == [["cat", "<<EOF"], ["kubectl", "apply", "-f", "-"], ["make", "test"]]


def test_the_programs_that_the_pages_call_are_there() -> None:
    for program in ("kubectl", "modelyard"):
        assert (TOOLS / program).exists() or shutil.which(program), program
