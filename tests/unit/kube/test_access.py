"""Ways to the API server: a pod's service account and kubeconfigs, and what is said when they do not work."""

from __future__ import annotations

import base64
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from modelyard.kube.access import TOKEN_MAX_AGE, AccessError, file_token, from_kubeconfig, in_cluster


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A self-signed certificate and its key."""
    folder = tmp_path_factory.mktemp("pki")
    certificate, key = folder / "tls.crt", folder / "tls.key"
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-nodes",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-subj",
            "/CN=test",
            "-keyout",
            str(key),
            "-out",
            str(certificate),
        ],
        check=True,
        capture_output=True,
    )
    return certificate, key


def kubeconfig(folder: Path, cluster: dict[str, Any], user: dict[str, Any]) -> Path:
    path = folder / "config"
    config = {
        "current-context": "here",
        "contexts": [
            {"name": "elsewhere", "context": {"cluster": "none", "user": "none"}},
            {"name": "here", "context": {"cluster": "c", "user": "u"}},
        ],
        "clusters": [{"name": "c", "cluster": {"server": "https://host:6443/", **cluster}}],
        "users": [{"name": "u", "user": user}],
    }
    path.write_text(yaml.safe_dump(config))
    return path


def test_a_pod_uses_its_service_account(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    (tmp_path / "ca.crt").write_text(pair[0].read_text())
    (tmp_path / "token").write_text("tok\n")

    access = in_cluster({"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "6443"}, tmp_path)

    assert access.server == "https://[fd00::1]:6443"
    assert access.token() == "tok"
    assert access.ssl is not None
    assert access.ssl.verify_mode == ssl.CERT_REQUIRED
    assert len(access.ssl.get_ca_certs()) == 1


def test_outside_of_a_pod_the_message_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(AccessError, match="--kubeconfig"):
        in_cluster({}, tmp_path)


def test_a_pod_without_a_token_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(AccessError, match="no service account token"):
        in_cluster({"KUBERNETES_SERVICE_HOST": "10.96.0.1"}, tmp_path)


def test_a_token_file_is_read_again_when_it_is_old(tmp_path: Path) -> None:
    now, path = [0.0], tmp_path / "token"
    path.write_text("first")
    token = file_token(path, lambda: now[0])
    assert token() == "first"

    path.write_text("second")
    now[0] = TOKEN_MAX_AGE - 1
    assert token() == "first"
    now[0] = TOKEN_MAX_AGE
    assert token() == "second"


def test_a_kubeconfig_with_files_beside_it(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    for source, name in zip(pair, ("tls.crt", "tls.key"), strict=True):
        (tmp_path / name).write_text(source.read_text())
    (tmp_path / "tok").write_text("from-file")
    user = {"client-certificate": "tls.crt", "client-key": "tls.key", "tokenFile": "tok"}

    access = from_kubeconfig(kubeconfig(tmp_path, {"certificate-authority": "tls.crt"}, user))

    assert access.server == "https://host:6443"
    assert access.token() == "from-file"
    assert access.ssl is not None
    assert access.ssl.verify_mode == ssl.CERT_REQUIRED


def test_a_kubeconfig_with_everything_in_it(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    certificate, key = (base64.b64encode(path.read_bytes()).decode() for path in pair)
    user = {"client-certificate-data": certificate, "client-key-data": key, "token": "tok"}

    access = from_kubeconfig(kubeconfig(tmp_path, {"certificate-authority-data": certificate}, user))

    assert access.token() == "tok"
    assert access.ssl is not None
    assert len(access.ssl.get_ca_certs()) == 1


def test_a_user_without_a_token_has_none(tmp_path: Path) -> None:
    assert from_kubeconfig(kubeconfig(tmp_path, {"server": "http://host:8001"}, {})).token() is None


def test_plain_http_needs_no_tls(tmp_path: Path) -> None:
    assert from_kubeconfig(kubeconfig(tmp_path, {"server": "http://host:8001"}, {})).ssl is None


def test_verification_can_be_switched_off(tmp_path: Path) -> None:
    access = from_kubeconfig(kubeconfig(tmp_path, {"insecure-skip-tls-verify": True}, {}))

    assert access.ssl is not None
    assert access.ssl.verify_mode == ssl.CERT_NONE


@pytest.mark.parametrize(
    ("cluster", "user", "message"),
    [
        ({}, {"exec": {"command": "login"}}, "logging in by 'exec' is not supported"),
        ({}, {"username": "u", "password": "p"}, "logging in by 'username' is not supported"),
        ({"certificate-authority": "absent.crt"}, {}, "certificate-authority: .*absent.crt: No such file"),
        ({"certificate-authority-data": "%%%"}, {}, "certificate-authority-data is not base64"),
        ({"certificate-authority-data": "bm8gcGVt"}, {}, "certificate-authority: not a certificate"),
    ],
)
def test_what_cannot_be_used_is_named(
    tmp_path: Path, cluster: dict[str, Any], user: dict[str, Any], message: str
) -> None:
    with pytest.raises(AccessError, match=message):
        from_kubeconfig(kubeconfig(tmp_path, cluster, user))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "No such file"),
        ("a: [", "is not YAML"),
        ("- a", "is not a kubeconfig"),
        ("{}", "there is no None among its contexts"),
        ("{current-context: x, contexts: []}", "there is no 'x' among its contexts"),
        ("{current-context: x, contexts: [{name: x, context: {cluster: c}}]}", "no 'c' among its clusters"),
    ],
)
def test_a_broken_kubeconfig_is_explained(tmp_path: Path, text: str | None, message: str) -> None:
    path = tmp_path / "config"
    if text is not None:
        path.write_text(text)

    with pytest.raises(AccessError, match=message):
        from_kubeconfig(path)


def test_a_token_that_cannot_be_read_for_a_moment_is_the_one_that_was_known(tmp_path: Path) -> None:
    path, now = tmp_path / "token", [0.0]
    token = file_token(path, lambda: now[0])
    with pytest.raises(OSError):
        token()
    path.write_text("first")
    assert token() == "first"
    path.unlink()
    now[0] = TOKEN_MAX_AGE + 1
    assert token() == "first"
    path.write_text("second")
    assert token() == "second"


@pytest.mark.parametrize(
    "address", ["host:6443", "ftp://host", "https://", "", "https://host:none", "https://host:99999", "host"]
)
def test_an_address_that_is_none_is_told_before_anything_starts(tmp_path: Path, address: str) -> None:
    path = kubeconfig(tmp_path, {"server": address}, {"token": "t"})

    with pytest.raises(AccessError, match=f"server '{address}' is no address: give https://HOST:PORT"):
        from_kubeconfig(path)


def test_a_scheme_in_capitals_is_still_encrypted(tmp_path: Path) -> None:
    access = from_kubeconfig(kubeconfig(tmp_path, {"server": "HTTPS://host:6443/"}, {"token": "t"}))

    assert access.server == "https://host:6443"
    assert access.ssl is not None
