"""How this machine's pip reaches its index, as two files for a build; never part of an image."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

# What says where packages come from. Local folders (find-links) do not exist inside a build.
_KEPT = ("index-url", "extra-index-url", "trusted-host", "proxy", "timeout", "retries", "no-index")
_DEBIAN_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
BUNDLE_IN_BUILD = _DEBIAN_BUNDLE
"""Where the Dockerfiles mount the CA bundle."""


def listed() -> dict[str, str]:
    """pip's settings on this machine: files first, then the environment, which wins."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    return parse(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def parse(listing: str) -> dict[str, str]:
    """Settings by their name without section, from the text of `pip config list`."""
    found: dict[str, str] = {}
    lines = [line.partition("=") for line in listing.splitlines() if "=" in line]
    for name, _, value in sorted(lines, key=lambda line: line[0].startswith(":env:")):
        section, _, option = name.rpartition(".")
        if section in ("global", "install", "site", "user", ":env:"):
            found[option] = str(ast.literal_eval(value))
    return found


def pip_conf(settings: Mapping[str, str], *, bundle: bool) -> str:
    """A pip.conf with the settings that make sense in a build; with `bundle` it trusts BUNDLE_IN_BUILD."""
    kept = {name: value for name, value in settings.items() if name in _KEPT}
    if bundle:
        kept["cert"] = BUNDLE_IN_BUILD
    # A value of several lines has to be indented, or its second line is another option.
    lines = [f"{name} = {value.strip()}".replace("\n", "\n    ") for name, value in sorted(kept.items())]
    return "\n".join(["[global]", *lines, ""])


def ca_bundle(settings: Mapping[str, str], environ: Mapping[str, str] = os.environ) -> Path | None:
    """The CA certificates that this machine trusts; None when it has no such file."""
    named = [
        settings.get("cert"),
        environ.get("SSL_CERT_FILE"),
        environ.get("REQUESTS_CA_BUNDLE"),
        _DEBIAN_BUNDLE,
    ]
    return next((Path(path) for path in named if path and Path(path).is_file()), None)
