"""Reading objects through the user's own kubectl, with all its ways of logging in."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from modelyard.api.kinds import Kind
from modelyard.cli.usage import UsageError

INSTALL = "install it (https://kubernetes.io/docs/tasks/tools/) or put it on PATH"


@dataclass(frozen=True, slots=True)
class Kubectl:
    """Which cluster and namespace kubectl is asked about; what is None is as its own configuration has it."""

    namespace: str | None = None
    context: str | None = None
    kubeconfig: str | None = None

    @property
    def options(self) -> list[str]:
        """The options that choose them, as a person would type them."""
        given = {"namespace": self.namespace, "context": self.context, "kubeconfig": self.kubeconfig}
        return [part for name, value in given.items() if value for part in (f"--{name}", value)]

    def get(self, kind: Kind, name: str) -> dict[str, Any] | None:
        """An object; None when there is none. UsageError when kubectl cannot say."""
        plural = f"{kind.plural}.{kind.group}" if kind.group else kind.plural
        text = self._run("get", plural, name, "--ignore-not-found", "--output", "json")
        if not text.strip():
            return None
        try:
            found = json.loads(text)
        except ValueError:
            raise UsageError(f"kubectl did not answer with JSON to: get {plural} {name}") from None
        if not isinstance(found, dict):
            raise UsageError(f"kubectl did not answer with an object to: get {plural} {name}")
        return found

    def _run(self, *arguments: str) -> bytes:
        """What kubectl prints. What it complains of, and what it asks to log in, it says to the user itself."""
        command = ["kubectl", *self.options, *arguments]
        try:
            done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
        except FileNotFoundError:
            raise UsageError(f"kubectl was not found: {INSTALL}") from None
        except OSError as error:
            raise UsageError(f"kubectl cannot be run ({error.strerror}): {INSTALL}") from None
        if done.returncode:
            raise UsageError(_failed(arguments, done.returncode))
        return done.stdout


def _failed(arguments: Sequence[str], code: int) -> str:
    asked = " ".join(arguments[:3])
    if code < 0:
        return f"kubectl was ended by signal {-code} at: {asked}"
    return (
        f"kubectl could not {asked} (exit code {code}; it said why above). "
        "Is this the right cluster, is Modelyard installed there, and may you read this?"
    )
