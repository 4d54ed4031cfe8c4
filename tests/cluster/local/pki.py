"""Certificates and kubeconfigs of one cluster; they live as long as it does."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from tests.cluster.local.commands import run
from tests.cluster.local.layout import API_SERVER, API_SERVICE, CONTEXT, MACHINE, STATE

FOLDER = STATE / "pki"
CA = FOLDER / "ca.crt"
CA_KEY = FOLDER / "ca.key"
SERVICE_ACCOUNT_KEY = FOLDER / "sa.key"
SERVICE_ACCOUNT_PUBLIC = FOLDER / "sa.pub"

_API_NAMES = [
    f"IP:{MACHINE}",
    f"IP:{API_SERVICE}",
    "DNS:kubernetes",
    "DNS:kubernetes.default",
    "DNS:kubernetes.default.svc",
]


def make_authority() -> None:
    """The cluster's own CA, the key that signs ServiceAccount tokens, and the API server's two certificates."""
    FOLDER.mkdir(parents=True, mode=0o700)
    (FOLDER / "openssl.cnf").write_text("[req]\ndistinguished_name=dn\n[dn]\n")
    _certificate("ca", "/CN=modelyard-local-ca", ["basicConstraints=critical,CA:TRUE"], signed=False)
    certificate("apiserver", "/CN=kube-apiserver", _API_NAMES)
    certificate("apiserver-kubelet", "/O=system:masters/CN=kube-apiserver-kubelet-client")
    run("openssl", "genrsa", "-out", str(SERVICE_ACCOUNT_KEY), "2048")
    run("openssl", "rsa", "-in", str(SERVICE_ACCOUNT_KEY), "-pubout", "-out", str(SERVICE_ACCOUNT_PUBLIC))


def certificate(name: str, subject: str, names: list[str] | None = None) -> tuple[Path, Path]:
    """A certificate of the cluster's CA and its key, as files; `names` are subject alternative names."""
    extensions = ["basicConstraints=CA:FALSE", "extendedKeyUsage=serverAuth,clientAuth"]
    if names:
        extensions.append("subjectAltName=" + ",".join(names))
    return _certificate(name, subject, extensions, signed=True)


def _certificate(name: str, subject: str, extensions: list[str], *, signed: bool) -> tuple[Path, Path]:
    crt, key = FOLDER / f"{name}.crt", FOLDER / f"{name}.key"
    arguments = [
        "req",
        "-x509",
        "-config",
        str(FOLDER / "openssl.cnf"),
        "-nodes",
        "-days",
        "30",
        "-subj",
        subject,
    ]
    arguments += [
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-keyout",
        str(key),
        "-out",
        str(crt),
    ]
    if signed:
        arguments += ["-CA", str(CA), "-CAkey", str(CA_KEY)]
    for extension in extensions:
        arguments += ["-addext", extension]
    run("openssl", *arguments)
    return crt, key


def kubeconfig(name: str, subject: str, names: list[str] | None = None) -> Path:
    """A kubeconfig, with everything in it, for the user that `subject` names; STATE/<name>.kubeconfig."""
    crt, key = certificate(name, subject, names)
    path = kubeconfig_file(name)
    path.touch(mode=0o600)
    path.write_text(
        json.dumps(config(API_SERVER, CA.read_bytes(), crt.read_bytes(), key.read_bytes()), indent=1)
    )
    return path


def kubeconfig_file(name: str) -> Path:
    """Where `kubeconfig(name, ...)` writes."""
    return STATE / f"{name}.kubeconfig"


def files(name: str) -> list[Path]:
    """All files that `kubeconfig(name, ...)` writes."""
    return [kubeconfig_file(name), FOLDER / f"{name}.crt", FOLDER / f"{name}.key"]


def config(server: str, ca: bytes, crt: bytes, key: bytes) -> dict[str, Any]:
    """A kubeconfig that needs no other file."""
    cluster = {"server": server, "certificate-authority-data": _base64(ca)}
    user = {"client-certificate-data": _base64(crt), "client-key-data": _base64(key)}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": CONTEXT, "cluster": cluster}],
        "users": [{"name": CONTEXT, "user": user}],
        "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": CONTEXT}}],
        "current-context": CONTEXT,
    }


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
