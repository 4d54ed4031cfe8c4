"""What goes into an image decides whether it is built again; what it must not hold is given as secrets."""

from __future__ import annotations

import gzip
import hashlib
import json
import tarfile
from pathlib import Path

import pytest

from tests.cluster import context, images, oci, pip_settings
from tests.cluster.base_image import STAND_INS, NoBaseImage, sources_of, stand_in
from tests.cluster.images import Recipe
from tests.cluster.local.archives import write_archive
from tests.cluster.oci import NotAnImage
from tests.cluster.progress import Progress


def folder(root: Path, **files: str) -> Path:
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    made = folder(tmp_path, Dockerfile="ARG BASE\nFROM ${BASE}\n", src__a="1", notes="x")
    (made / ".dockerignore").write_text("*\n!src\n**/*.pyc\n")
    return Recipe(made / "Dockerfile", made)


def test_only_what_the_context_holds_is_given(recipe: Recipe) -> None:
    folder(recipe.context, src__b__c="2", src__b__d="3")
    (recipe.context / "src/b/x.pyc").write_text("compiled")
    assert [str(path) for path in context.files(recipe.context)] == ["src/a", "src/b/c", "src/b/d"]


@pytest.mark.parametrize(
    ("pattern", "path", "ignored"),
    [
        ("*.md", "README.md", True),
        ("*.md", "docs/README.md", False),
        ("**/*.md", "docs/a/README.md", True),
        ("**/*.md", "README.md", True),
        ("docs", "docs/a/b", True),
        ("docs/", "docs/a", True),
        ("/docs", "docs/a", True),
        ("doc?", "docs", True),
        ("a.b", "axb", False),
    ],
)
def test_patterns_mean_what_builders_take_them_for(pattern: str, path: str, ignored: bool) -> None:
    assert context.is_ignored(Path(path), context.parse(pattern)) is ignored


def test_a_key_changes_with_all_that_goes_in_and_with_nothing_else(recipe: Recipe) -> None:
    def key(arguments: dict[str, str] | None = None) -> str:
        return images.content_key(recipe, arguments or {}, "buildah")

    first = key()
    folder(recipe.context, notes="changed, but not in the context")
    assert key() == first
    keys = {first, key({"BASE": "a"}), key({"BASE": "b"})}
    folder(recipe.context, src__a="2")
    keys.add(key())
    (recipe.context / "src/a").chmod(0o755)
    keys.add(key())
    (recipe.context / "src/a").rename(recipe.context / "src/z")
    keys.add(key())
    folder(recipe.context, Dockerfile="FROM scratch\n")
    keys.add(key())
    assert len(keys) == 7


def test_public_bases_are_the_arguments_that_a_dockerfile_begins_with() -> None:
    dockerfile = (
        "ARG BASE=d.io/a:1\nARG BUILD_BASE=d.io/b:2\nARG NAMED\nARG OTHER=3\n# ARG NOT=x\n"
        "FROM ${BUILD_BASE} AS build\nfrom $BASE\nFROM ${NAMED}\nFROM ${NOT}\nFROM scratch\n"
    )
    assert images.public_bases(dockerfile) == {"BUILD_BASE": "d.io/b:2", "BASE": "d.io/a:1"}


def test_every_dockerfile_begins_with_images_that_something_stands_in_for() -> None:
    root = Path(__file__).parents[3]
    dockerfiles = [root / "Dockerfile", *(root / "examples").rglob("Dockerfile")]
    for dockerfile in dockerfiles:
        text = dockerfile.read_text()
        for reference in images.public_bases(text).values():
            assert reference.partition(":")[0] in STAND_INS, f"{dockerfile}: {reference}"
    assert len(dockerfiles) >= 5


def test_what_nothing_stands_in_for_is_refused_in_words() -> None:
    with pytest.raises(
        NoBaseImage, match=r"Nothing stands in for docker\.io/library/perl:5@sha256:0 here, only"
    ):
        stand_in("docker.io/library/perl:5@sha256:0", Progress(quiet=True))


def test_pip_settings_are_read_and_the_environment_wins() -> None:
    listing = [
        ":env:.index-url='https://env/x'",
        "global.index-url='https://file/x'",
        "global.trusted-host='a\\nb'",
    ]
    assert pip_settings.parse("\n".join(listing)) == {"index-url": "https://env/x", "trusted-host": "a\nb"}


def test_a_build_gets_the_index_but_no_folder_of_this_machine() -> None:
    settings = {
        "index-url": "https://i/simple",
        "find-links": "/opt/wheels",
        "cert": "/here.pem",
        "trusted-host": "a\nb",
    }
    assert pip_settings.pip_conf(settings, bundle=True) == (
        "[global]\n"
        "cert = /etc/ssl/certs/ca-certificates.crt\n"
        "index-url = https://i/simple\n"
        "trusted-host = a\n    b\n"
    )
    assert "cert" not in pip_settings.pip_conf(settings, bundle=False)


def test_the_bundle_is_the_first_that_is_there(tmp_path: Path) -> None:
    theirs = tmp_path / "ca.pem"
    theirs.touch()
    assert pip_settings.ca_bundle({"cert": str(theirs)}, {}) == theirs
    assert pip_settings.ca_bundle({"cert": "/absent"}, {"SSL_CERT_FILE": str(theirs)}) == theirs


def test_a_base_image_is_made_of_debians_own_sources_only() -> None:
    debian = "deb [arch=amd64] http://d/debian bookworm main"
    one_line = f"{debian}\ndeb https://other/apt cloud-bookworm main\n# deb http://x bookworm main\n"
    security = "Types: deb\nURIs: http://d/s\nSuites: bookworm-security"
    stanzas = f"{security}\n\nTypes: deb\nURIs: http://n\nSuites: nodistro\n"
    assert sources_of("bookworm", [one_line, stanzas]) == f"{debian}\n\n{security}"


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("modelyard", ("", "modelyard")),
        ("team/model", ("", "team/model")),
        ("docker.io/library/python", ("docker.io", "library/python")),
        ("localhost/x", ("localhost", "x")),
        ("10.90.0.1:5000/a/b", ("10.90.0.1:5000", "a/b")),
    ],
)
def test_a_name_has_a_registry_when_it_starts_like_one(name: str, parts: tuple[str, str]) -> None:
    assert oci.split(name) == parts


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "program"
    path.write_bytes(b"\x7fELF not really")
    return path


def test_what_docker_saves_becomes_a_layout_whose_digests_are_true(tmp_path: Path, program: Path) -> None:
    write_archive("anything:1", program, tmp_path / "image.tar")
    with oci.opened(tmp_path / "image.tar") as image:
        for digest in (image.digest, *image.blobs):
            assert oci.file_digest(image.blob(digest)) == digest
        config = json.loads(image.blob(image.manifest["config"]["digest"]).read_text())
        plain = gzip.decompress(image.blob(image.manifest["layers"][0]["digest"]).read_bytes())
        assert config["rootfs"]["diff_ids"] == ["sha256:" + hashlib.sha256(plain).hexdigest()]
        assert config["config"]["Entrypoint"] == ["/program"]


def test_the_same_image_has_the_same_digest(tmp_path: Path, program: Path) -> None:
    digests = set()
    for name in ("a.tar", "b.tar"):
        write_archive("anything:1", program, tmp_path / name)
        with oci.opened(tmp_path / name) as image:
            digests.add(image.digest)
    assert len(digests) == 1


def test_of_an_image_for_many_machines_the_one_for_this_machine_is_taken(
    tmp_path: Path, program: Path
) -> None:
    write_archive("anything:1", program, tmp_path / "image.tar")
    with oci.opened(tmp_path / "image.tar") as image:
        index = json.loads((image.layout / "index.json").read_text())
        other = {"digest": "sha256:" + "0" * 64, "platform": {"architecture": "s390x", "os": "linux"}}
        index["manifests"].insert(0, other)
        (image.layout / "index.json").write_text(json.dumps(index))
        assert oci.image_in(image.layout).digest == image.digest
        (image.layout / "index.json").write_text(json.dumps({"manifests": [other]}))
        with pytest.raises(NotAnImage, match=r"holds no image for .*: build one for it"):
            oci.image_in(image.layout)


def test_what_is_no_image_is_refused_in_words(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "empty.tar", "w"):
        pass
    (tmp_path / "folder").mkdir()
    for name, words in {
        "empty.tar": "neither index.json",
        "folder": "is no OCI layout: it has no index.json; give an OCI layout",
        "gone": r"There is no file .*: give an OCI layout",
    }.items():
        with pytest.raises(NotAnImage, match=words), oci.opened(tmp_path / name):
            raise AssertionError("it was taken for an image")
