"""`modelyard render` as a user meets it: files in, documents out, sentences on stderr."""

from __future__ import annotations

import errno
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from modelyard.cli.render import main
from tests.cluster.provider import CHECKOUT

HELLO = CHECKOUT / "examples" / "01-hello"
PROGRAM = "import sys; from modelyard.cli.main import main; sys.exit(main())"


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings but those of a test."""
    monkeypatch.delenv("MODELYARD_IMAGE", raising=False)


def test_a_folder_is_all_its_files(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-f", str(HELLO)]) == 0

    printed, said = capsys.readouterr()
    documents = list(yaml.safe_load_all(printed))
    assert {"ModelLedger", "Deployment", "Job"} <= {document["kind"] for document in documents}
    assert {document["metadata"]["namespace"] for document in documents} == {"default"}
    assert all(line.startswith("note: ") for line in said.splitlines())
    assert "placeholders" in said


def test_several_files_and_a_namespace(capsys: pytest.CaptureFixture[str]) -> None:
    files = [option for file in sorted(HELLO.glob("*.yaml")) for option in ("-f", str(file))]

    assert main([*files, "--namespace", "team-b", "--quiet"]) == 0

    printed, said = capsys.readouterr()
    assert {document["metadata"]["namespace"] for document in yaml.safe_load_all(printed)} == {"team-b"}
    assert said == ""


def test_standard_input_and_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    text = "\n---\n".join(file.read_text("utf-8") for file in HELLO.glob("*.yaml"))
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))

    assert main(["-f", "-", "--format", "json"]) == 0

    assert json.loads(capsys.readouterr().out)["kind"] == "List"


@pytest.mark.parametrize("spelling", ["NetworkPolicy", "networkpolicy", "networkpolicies"])
def test_one_kind_alone(spelling: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-f", str(HELLO), "--only", spelling]) == 0

    kinds = [document["kind"] for document in yaml.safe_load_all(capsys.readouterr().out)]
    assert kinds == ["NetworkPolicy", "NetworkPolicy"]


def test_a_kind_that_there_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["-f", str(HELLO), "--only", "Deploymint"])

    assert ended.value.code == 2
    assert "there is no kind 'Deploymint' here" in capsys.readouterr().err


def test_nothing_is_printed_of_what_would_not_come_up(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-f", str(HELLO / "version.yaml")]) == 2

    printed, said = capsys.readouterr()
    assert printed == ""
    assert said == (
        'error: CustomModelVersion "hello-v1" in namespace "default" would not become ready: ModelNotFound: '
        'CustomModel "hello" of spec.modelRef does not exist in namespace "default"; create it\n'
    )


def test_every_problem_of_every_file_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = tmp_path / "a.yaml", tmp_path / "b.yaml"
    first.write_text("kind: [")
    second.write_text("just text")

    assert main(["-f", str(first), "-f", str(second)]) == 2

    said = capsys.readouterr().err
    assert f"modelyard render: {first}: this is neither YAML nor JSON" in said
    assert f"  {second}: this is no Kubernetes object" in said


def test_what_kustomize_makes_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    folder = CHECKOUT / "examples" / "03-sklearn-binary"

    assert main(["-f", str(folder)]) == 2
    assert (
        capsys.readouterr().err == f"modelyard render: {folder} is to be put together by Kustomize first: "
        f"kubectl kustomize {folder} | modelyard render -f -\n"
    )

    assert main([argument for file in folder.glob("*.yaml") for argument in ("-f", str(file))]) == 2
    said = capsys.readouterr().err
    assert "`kubectl kustomize FOLDER | modelyard render -f -`" in said
    assert 'ConfigMap "breast-cancer-v1-code" of spec.source does not exist' in said


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "absent.yaml",
            None,
            "absent.yaml cannot be read: No such file or directory; give the path of one that is there\n",
        ),
        (
            "binary.yaml",
            b"\xff\xfe",
            "binary.yaml cannot be read: it is not UTF-8 text; save it as UTF-8\n",
        ),
        (
            "loop.yaml",
            None,
            "loop.yaml cannot be read: Too many levels of symbolic links; mend that, or give another file\n",
        ),
        ("empty.yaml", b"", "there is no document; give a CustomModel, its versions and their environment"),
        ("other.yaml", b"apiVersion: v1\nkind: Secret\n", "other.yaml: Secret; give a CustomModel"),
    ],
)
def test_files_without_use(
    name: str, content: bytes | None, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")

    assert main(["-f", str(tmp_path / name)]) == 2

    assert said in capsys.readouterr().err


def test_a_file_that_is_not_yours_to_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(path: Path, encoding: str) -> str:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(Path, "read_text", refuse)

    assert main(["-f", str(tmp_path / "model.yaml")]) == 2

    said = "model.yaml cannot be read: Permission denied; give yourself the right to read it\n"
    assert capsys.readouterr().err.endswith(said)


def test_a_folder_without_yaml(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-f", str(tmp_path)]) == 2

    assert capsys.readouterr().err == (
        f"modelyard render: {tmp_path} holds no file that ends in .yaml, .yml, .json; give the file itself, or "
        "another folder\n"
    )


def test_a_setting_that_cannot_be(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MODELYARD_DNS_PORT", "zero")

    assert main(["-f", str(HELLO)]) == 2

    assert "MODELYARD_DNS_PORT must be a number from 1 to 65535, not 'zero'" in capsys.readouterr().err


def test_a_namespace_that_there_cannot_be(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-f", str(HELLO), "--namespace", "Team A"]) == 2

    said = capsys.readouterr().err
    assert said.startswith(
        "modelyard render: --namespace: the namespace is 'Team A': must be a name of lower-case"
    )


def test_standard_input_that_is_no_text(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xff"), encoding="utf-8"))

    assert main(["-f", "-"]) == 2

    assert (
        capsys.readouterr().err
        == "modelyard render: standard input cannot be read: it is not UTF-8 text; save it as UTF-8\n"
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
def test_a_full_disk_is_told_in_one_line() -> None:
    command = [sys.executable, "-c", PROGRAM, "render", "--quiet", "-f", str(HELLO)]
    with open("/dev/full", "w", encoding="utf-8") as full:
        run = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)

    assert run.returncode == 2
    assert run.stderr == "modelyard render: stdout cannot be written: No space left on device\n"


def test_nothing_of_a_kind_is_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-f", str(HELLO), "--only", "PodDisruptionBudget", "--quiet"]) == 0

    assert capsys.readouterr() == ("", "")


def test_it_runs_where_nothing_of_the_operator_is_installed() -> None:
    """`pip install modelyard[cli]` brings neither kopf nor the metrics, and rendering loads no client at all."""
    code = "import sys, modelyard.cli.render; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    loaded = set(run.stdout.split())
    assert "modelyard.rendering.render" in loaded
    assert not loaded & {"kopf", "uvloop", "prometheus_client", "aiohttp", "modelyard.kube.session"}
