"""What the installer and the demo decide; that they work is shown by running them."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from scripts import demo, example_image, install
from scripts.demo import Begun, is_over, read_note, tell, write_note
from scripts.install import values
from tests.cluster.progress import Progress
from tests.cluster.provider import Capability, ClusterUnavailable, Provider

DIGEST = f"sha256:{'a' * 64}"


def version(name: str, *conditions: tuple[str, str, str, str]) -> dict[str, Any]:
    keys = ("type", "status", "reason", "message")
    found = [dict(zip(keys, condition, strict=True)) for condition in conditions]
    return {"metadata": {"name": name}, "status": {"conditions": found}}


def registry(name: str, *, plain: bool = True) -> Provider:
    return cast(Provider, SimpleNamespace(image_registry=name, speaks_plain_http=plain))


def test_the_chart_gets_the_very_image_that_was_pushed() -> None:
    assert values(f"10.0.0.1:5000/modelyard:dev@{DIGEST}", registry("10.0.0.1:5000")) == {
        "image": {"repository": "10.0.0.1:5000/modelyard", "tag": "dev", "digest": DIGEST},
        "registries": {"insecure": ["10.0.0.1:5000"]},
        "gateway": {"enabled": True, "replicas": 1},
    }


@pytest.mark.parametrize(
    ("name", "plain", "insecure"),
    [("10.0.0.1:5000/team", True, ["10.0.0.1:5000"]), ("registry.example.com/team", False, [])],
)
def test_only_a_registry_without_tls_is_told_to_be_so(name: str, plain: bool, insecure: list[str]) -> None:
    chosen = values(f"{name}/modelyard:dev@{DIGEST}", registry(name, plain=plain))

    assert chosen["registries"] == {"insecure": insecure}
    assert chosen["image"]["repository"] == f"{name}/modelyard"


def test_the_demo_tells_each_step_of_each_version() -> None:
    versions = [
        version("prices-v1", ("Ready", "Unknown", "Testing", "0 of 1 tests ended")),
        version("prices-v2"),
    ]

    assert list(tell(versions)) == ["prices-v1: Testing. 0 of 1 tests ended"]


def test_the_demo_is_over_when_one_version_serves_and_the_other_is_refused() -> None:
    serves = version("prices-v1", ("Serving", "True", "Serving", ""))
    refused = version("prices-v2", ("Stalled", "True", "TestsFailed", ""))

    assert is_over([serves, refused])
    assert not is_over([serves])
    assert not is_over([version("prices-v1", ("Serving", "False", "NotServing", "")), refused])


def test_the_demo_is_over_where_the_mended_version_took_over_earlier() -> None:
    superseded = version("prices-v1", ("Serving", "False", "Superseded", ""))
    refused = version("prices-v2", ("Stalled", "True", "TestsFailed", ""))
    serves = version("prices-v3", ("Serving", "True", "Serving", ""))

    assert is_over([superseded, refused, serves])
    assert not is_over([superseded, version("prices-v2"), serves])


def test_what_the_demo_began_is_remembered(tmp_path: Path) -> None:
    note = tmp_path / "new" / "demo.json"
    assert read_note(note) is None

    write_note(Begun(cluster=True, release=False, kubeconfig=True), note)

    assert read_note(note) == Begun(cluster=True, release=False, kubeconfig=True)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the demo keeps its note, beside the kubeconfig."""
    made = tmp_path / ".cluster"
    made.mkdir()
    monkeypatch.setattr(demo, "NOTE", made / "demo.json")
    monkeypatch.setattr(demo, "KUBECONFIG", made / "kubeconfig")
    monkeypatch.setattr(install, "is_installed", lambda _: True)
    monkeypatch.setattr(demo, "remove_objects", lambda *_: None)
    return made


class Existing:
    """A cluster that the demo finds."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "kubeconfig"

    def is_running(self) -> bool:
        return True

    def up(self) -> None:
        self._file.write_text("of this cluster")

    def kubeconfig(self) -> Path:
        self.up()
        return self._file


def test_nothing_of_the_demo_is_left_beside_a_cluster_that_it_found(folder: Path) -> None:
    found = cast(Provider, Existing(folder))

    demo.begin(found)
    demo.begin(found)
    assert (folder / "kubeconfig").exists()
    demo.down(found, Progress(quiet=True))

    assert not folder.exists()


def test_a_kubeconfig_that_was_there_before_the_demo_stays(folder: Path) -> None:
    found = cast(Provider, Existing(folder))
    found.up()

    demo.begin(found)
    demo.down(found, Progress(quiet=True))

    assert [file.name for file in folder.iterdir()] == ["kubeconfig"]


def test_what_to_try_next_names_programs_and_addresses_that_there_are(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    said = demo.next_steps(tmp_path / "kubeconfig", tmp_path / "bin")

    assert f"export KUBECONFIG={tmp_path}/kubeconfig PATH={tmp_path}/bin:$PATH\n" in said
    assert """jsonpath='{.status.conditions[?(@.type=="Ready")].message}{"\\n"}'""" in said, (
        "a line of its own"
    )
    assert "modelyard init /tmp/my-model && kubectl apply -k /tmp/my-model " in said, (
        "outside of the checkout"
    )
    forward = "kubectl --namespace modelyard-system port-forward service/modelyard-gateway 8001:80"
    assert forward in said
    assert "http://127.0.0.1:8001/modelyard-demo/v2/models/prices/infer" in said


def test_what_to_try_next_can_be_typed_in_a_checkout_below_a_folder_with_a_space(tmp_path: Path) -> None:
    folder = tmp_path / "my work"

    line = demo.next_steps(folder / "kubeconfig", folder / "bin").splitlines()[1].strip()

    shown = subprocess.run(
        ["bash", "-c", f'{line}; echo "$KUBECONFIG:$PATH"'], capture_output=True, text=True
    )
    assert shown.stdout.startswith(f"{folder}/kubeconfig:{folder}/bin:")


def test_without_an_example_that_has_an_image_those_that_have_one_are_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        example_image.main([str(install.ROOT / "examples")])

    said = capsys.readouterr().err
    assert "EXAMPLE=03-sklearn-binary, 04-node-multiclass or 05-own-server" in said


def test_no_image_is_built_while_there_is_no_cluster_to_bring_it_to(tmp_path: Path) -> None:
    (tmp_path / "environment.yaml").write_text("spec:\n  image: registry.example.com/model:1.0\n")
    capable = frozenset({Capability.PUBLIC_NAMES})
    stopped = cast(Provider, SimpleNamespace(capabilities=capable, is_running=lambda: False))

    with pytest.raises(
        ClusterUnavailable, match=r"No cluster is running: start one with `make demo` or `make"
    ):
        example_image.push(stopped, tmp_path, Progress(quiet=True))


def test_an_example_s_image_has_the_name_that_its_environment_gives_it(tmp_path: Path) -> None:
    (tmp_path / "environment.yaml").write_text("spec:\n  image: registry.example.com:5000/team/model:1.0\n")

    assert example_image.image_name(tmp_path) == ("registry.example.com:5000/team/model", "1.0")


def test_a_cluster_that_pulls_by_name_is_told_where_to_push_an_example_s_image(tmp_path: Path) -> None:
    (tmp_path / "environment.yaml").write_text("spec:\n  image: registry.example.com/model:1.0\n")
    plain = cast(Provider, SimpleNamespace(capabilities=frozenset()))

    with pytest.raises(ClusterUnavailable, match=r"push it to a registry of yours, and write its name there"):
        example_image.push(plain, tmp_path, Progress(quiet=True))
