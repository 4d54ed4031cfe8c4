"""Programs run to their end; what they said is shown when they fail."""

from __future__ import annotations

import subprocess

from tests.cluster.local.layout import NETNS
from tests.cluster.tools import tool


class CommandFailed(Exception):
    """A program ended with an error; the message has its command line and what it said."""


def run(program: str, *arguments: str, stdin: str | None = None) -> str:
    """Run `program` (found as a tool); its standard output. Raises CommandFailed."""
    command = [str(tool(program)), *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True)
    if done.returncode != 0:
        raise CommandFailed(
            f"`{' '.join(command)}` ended with {done.returncode}: {(done.stderr or done.stdout).strip()}"
        )
    return done.stdout


def succeeds(program: str, *arguments: str) -> bool:
    """Whether `program` ends well; for taking away what may be gone already."""
    command = [str(tool(program)), *arguments]
    return subprocess.run(command, capture_output=True).returncode == 0


def inside(namespace: str, command: list[str]) -> list[str]:
    """`command` so that it runs in a network namespace, as the same process.

    Not `ip netns exec`: it remounts /sys, and the cgroup mounts below it vanish.
    """
    return [str(tool("nsenter")), f"--net={NETNS / namespace}", *command]
