"""How to reach the API server: from inside a cluster, or with a kubeconfig from outside.

Nothing here connects. Tokens are read again when they rotate; they are never kept in messages or logs.
"""

from __future__ import annotations

import base64
import binascii
import ssl
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
TOKEN_MAX_AGE = 60.0
"""Seconds after which a token file is read again; the kubelet renews it long before it ends."""

Token = Callable[[], str | None]


class AccessError(Exception):
    """There is no usable way to the API server; `str()` says what is missing and where."""


@dataclass(frozen=True, slots=True)
class Access:
    """Where the API server is, how to trust it and how to be known to it."""

    server: str
    ssl: ssl.SSLContext | None
    token: Token


def in_cluster(environ: Mapping[str, str], directory: Path = SERVICE_ACCOUNT) -> Access:
    """Access with the pod's own service account; AccessError outside a pod."""
    host, port = environ.get("KUBERNETES_SERVICE_HOST"), environ.get("KUBERNETES_SERVICE_PORT", "443")
    if not host:
        raise AccessError("not in a pod (KUBERNETES_SERVICE_HOST is not set): give --kubeconfig")
    if not (directory / "token").is_file():
        raise AccessError(f"there is no service account token in {directory}: is its mounting switched off?")
    authority = f"[{host}]" if ":" in host else host
    context = ssl.create_default_context(cafile=str(directory / "ca.crt"))
    return Access(f"https://{authority}:{port}", context, file_token(directory / "token"))


def from_kubeconfig(path: Path) -> Access:
    """Access as the current context of a kubeconfig says; AccessError when it cannot be used."""
    config = _load(path)
    context = _named(config, "contexts", config.get("current-context"), path)["context"]
    cluster = _named(config, "clusters", context.get("cluster"), path)["cluster"]
    user = _named(config, "users", context.get("user"), path).get("user") or {}
    for way in ("exec", "auth-provider", "username"):
        if way in user:
            raise AccessError(
                f"{path}: logging in by {way!r} is not supported; use a token or a client certificate"
            )
    server = _server(str(cluster.get("server") or ""), path)
    tls = _tls(cluster, user, path.parent) if server.startswith("https:") else None
    return Access(server, tls, _user_token(user, path.parent))


def file_token(path: Path, clock: Callable[[], float] = time.monotonic) -> Token:
    """A token kept in a file, read again when TOKEN_MAX_AGE has passed; the one known stands while that fails.

    Raises OSError while none was ever read.
    """
    value, read_at = "", float("-inf")

    def token() -> str:
        nonlocal value, read_at
        if clock() - read_at >= TOKEN_MAX_AGE:
            try:
                value, read_at = path.read_text().strip(), clock()
            except OSError:
                if not value:
                    raise
        return value

    return token


def _server(address: str, path: Path) -> str:
    """`scheme://host[:port][/prefix]`, its scheme in lower case: what is not https is spoken to in the clear."""
    parts = urlsplit(address.rstrip("/"))
    try:
        known = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        known = False
    if not known:
        raise AccessError(f"{path}: server {address!r} is no address: give https://HOST:PORT")
    return parts.geturl()


def _load(path: Path) -> dict[str, Any]:
    try:
        config = yaml.safe_load(path.read_text())
    except OSError as error:
        raise AccessError(f"{path}: {error.strerror}") from None
    except yaml.YAMLError:
        raise AccessError(f"{path} is not YAML") from None
    if not isinstance(config, dict):
        raise AccessError(f"{path} is not a kubeconfig")
    return config


def _named(config: Mapping[str, Any], section: str, name: object, path: Path) -> dict[str, Any]:
    for entry in config.get(section) or []:
        if entry.get("name") == name and name:
            return dict(entry)
    raise AccessError(f"{path}: there is no {name!r} among its {section}")


def _user_token(user: Mapping[str, Any], base: Path) -> Token:
    if user.get("tokenFile"):
        return file_token(base / user["tokenFile"])
    fixed = user.get("token")
    return lambda: fixed


def _tls(cluster: Mapping[str, Any], user: Mapping[str, Any], base: Path) -> ssl.SSLContext:
    context = _context(_pem(cluster, "certificate-authority", base))
    if cluster.get("insecure-skip-tls-verify"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    certificate, key = _pem(user, "client-certificate", base), _pem(user, "client-key", base)
    if certificate and key:
        _load_pair(context, certificate, key)
    return context


def _context(authority: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cadata=authority)
    except (ssl.SSLError, ValueError):
        raise AccessError("certificate-authority: not a certificate in PEM form") from None


def _pem(section: Mapping[str, Any], field: str, base: Path) -> str | None:
    """A certificate or key, embedded (`<field>-data`) or in a file."""
    try:
        if section.get(f"{field}-data"):
            return base64.b64decode(section[f"{field}-data"], validate=True).decode("ascii")
        return (base / section[field]).read_text() if section.get(field) else None
    except OSError as error:
        raise AccessError(f"{field}: {error.filename}: {error.strerror}") from None
    except (binascii.Error, UnicodeDecodeError):
        raise AccessError(f"{field}-data is not base64 of a PEM text") from None


def _load_pair(context: ssl.SSLContext, certificate: str, key: str) -> None:
    """OpenSSL reads a client certificate from files alone; ours live as long as this call."""
    with ExitStack() as stack:
        paths = []
        for text in (certificate, key):
            file = stack.enter_context(tempfile.NamedTemporaryFile("w", suffix=".pem"))
            file.write(text)
            file.flush()
            paths.append(file.name)
        try:
            context.load_cert_chain(*paths)
        except ssl.SSLError:
            raise AccessError("client-certificate and client-key: not a pair in PEM form") from None
