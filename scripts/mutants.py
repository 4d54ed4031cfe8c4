"""Break the code in every way that mutmut knows, and see whether the unit tests of the package notice.

    python -m scripts.mutants [checks] [roles] [status]

All three without an argument. Everything is below build/mutants: an environment of its own from
requirements/mutants.lock, and for each package a copy of the code and the tests. Interrupted, it goes on where it was.
After a change of the code, mutants of changed functions are tried again; after one of the tests, survivors. They are
listed in build/mutants/survivors.txt. The exit code is 0 only when each package has nine in ten of its mutants noticed:
killed by a test that fails, or stopped because they took too long, which the table counts apart.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import interrupts

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / "build" / "mutants"
LOCK = ROOT / "requirements" / "mutants.lock"
GOAL = 90.0

LEFT_OUT: Mapping[str, tuple[str, ...]] = {
    "checks": ("tests/unit/checks/test_cost.py", "tests/unit/checks/test_command.py"),
    "roles": (),
    "status": (),
}
"""Packages, and which of their tests do not take part: those that measure, and those of processes of their own."""

LAST_LINES = 20
"""That are told again of a mutmut that failed."""

COPIED = ("tests", "examples", "crds", "docs")

WORDS: Mapping[int | None, str] = {
    0: "survived",
    1: "killed",
    3: "killed",
    5: "no test",
    33: "no test",
    34: "skipped",
    36: "timeout",
    24: "timeout",
    -24: "timeout",
    152: "timeout",
    255: "timeout",
    -9: "killed",
    -11: "killed",
    None: "not tried",
    2: "not tried",
}
"""What mutmut keeps of each mutant: the exit code of the tests' process. Any other is of no use: `unclear`."""

NOTICED = ("killed", "timeout")

CONFIGURATION = """\
[tool.pytest.ini_options]
pythonpath = ["src", "."]
asyncio_mode = "auto"
asyncio_default_fixture_loop_scope = "function"
addopts = "--strict-markers --import-mode=importlib -p no:cacheprovider"
filterwarnings = ["error"]

[tool.mutmut]
source_paths = ["src"]
only_mutate = ["src/modelyard/{package}/*"]
also_copy = {copied}
pytest_add_cli_args = ["-m", "not thorough and not apiserver", "--timeout=20"]
pytest_add_cli_args_test_selection = {tests}
timeout_multiplier = 3.0
timeout_constant = 10.0
use_git_change_detection = false
"""


class MutmutFailed(Exception):
    """mutmut ended with an error, so that what it has noted is no result; the message ends with its last lines."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of the mutants of one package, by name."""

    package: str
    words: Mapping[str, str]

    @property
    def noticed(self) -> int:
        """How many the tests noticed, by a test that fails or by the time they took."""
        return sum(word in NOTICED for word in self.words.values())

    @property
    def percent(self) -> float:
        """Noticed, of all mutants that there are, tried or not."""
        return self._of_all(self.noticed)

    @property
    def percent_killed(self) -> float:
        """Noticed by a test that fails, of all mutants that there are."""
        return self._of_all(sum(word == "killed" for word in self.words.values()))

    def _of_all(self, count: int) -> float:
        return 100 * count / len(self.words) if self.words else 0.0

    @property
    def alive(self) -> dict[str, str]:
        """Those that were not noticed, by name."""
        return {name: word for name, word in sorted(self.words.items()) if word not in NOTICED}


def configuration(package: str) -> str:
    """The pyproject.toml of the copy in which mutmut runs."""
    tests = [f"tests/unit/{package}", *(f"--ignore={path}" for path in LEFT_OUT[package])]
    return CONFIGURATION.format(package=package, copied=json.dumps(COPIED[1:]), tests=json.dumps(tests))


def found(package: str, folder: Path) -> Tried:
    """What mutmut has noted below `folder`, the copy of a package."""
    words: dict[str, str] = {}
    for file in _notes(package, folder):
        codes = json.loads(file.read_text())["exit_code_by_key"]
        words |= {name: WORDS.get(code, "unclear") for name, code in codes.items()}
    return Tried(package, words)


def table(tried: Sequence[Tried]) -> str:
    """One line a package; `noticed` are those killed and those that took too long, of all there are."""
    columns = ("killed", "timeout", "survived", "no test", "unclear", "not tried")
    lines = [
        f"{'package':<10}{'mutants':>9}"
        + "".join(f"{column:>11}" for column in columns)
        + f"{'killed':>10}{'noticed':>10}"
    ]
    for one in tried:
        counts = Counter(one.words.values())
        numbers = "".join(f"{counts[column]:>11}" for column in columns)
        lines.append(
            f"{one.package:<10}{len(one.words):>9}{numbers}{one.percent_killed:>8.1f} %{one.percent:>8.1f} %"
        )
    return "\n".join(lines)


def survivors(tried: Sequence[Tried]) -> str:
    """The text of survivors.txt."""
    return "".join(_listed(one) for one in tried)


def _listed(one: Tried) -> str:
    head = f"# {one.package}: cd build/mutants/{one.package} && ../venv/bin/mutmut show NAME\n"
    return head + "".join(f"{word:<10} {name}\n" for name, word in one.alive.items())


def main(arguments: Sequence[str]) -> int:
    """Try the mutants of the packages that are asked for; the table comes last even after an interrupt.

    There is none, and the exit code is 1, when mutmut itself failed.
    """
    if unknown := [name for name in arguments if name not in LEFT_OUT]:
        print(f"No such package: {', '.join(unknown)}. There are: {', '.join(LEFT_OUT)}", file=sys.stderr)
        return 2
    packages, interrupted = list(arguments or LEFT_OUT), False
    try:
        with interrupts.raised():
            mutmut = _environment()
            for package in packages:
                _try(mutmut, package)
    except interrupts.Interrupted:
        interrupted = True
    except MutmutFailed as failed:
        print(failed, file=sys.stderr)
        return 1
    tried = [found(package, HOME / package) for package in packages]
    return _told(tried, interrupted)


def _told(tried: Sequence[Tried], interrupted: bool) -> int:
    HOME.mkdir(parents=True, exist_ok=True)
    (HOME / "survivors.txt").write_text(survivors(tried))
    print(f"\n{table(tried)}\nNot killed: {(HOME / 'survivors.txt').relative_to(ROOT)}", flush=True)
    if interrupted:
        print("Interrupted; run it again to go on.", file=sys.stderr)
        return 130
    return int(any(one.percent < GOAL for one in tried))


def _environment() -> Path:
    """The mutmut of requirements/mutants.lock, in an environment that is made anew when the lock changes."""
    home, mark = HOME / "venv", HOME / "venv" / "lock"
    if not mark.exists() or mark.read_bytes() != LOCK.read_bytes():
        print(f"Making {home.relative_to(ROOT)}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", home], check=True)
        options = ("--quiet", "--disable-pip-version-check", "--require-hashes", f"--requirement={LOCK}")
        subprocess.run([home / "bin" / "python", "-m", "pip", "install", *options], check=True)
        mark.write_bytes(LOCK.read_bytes())
    return home / "bin" / "mutmut"


def _try(mutmut: Path, package: str) -> None:
    """One run of mutmut, with one process that everything else on the machine goes before. MutmutFailed."""
    print(f"\n===== {package} =====", flush=True)
    folder = HOME / package
    folder.mkdir(parents=True, exist_ok=True)
    mirror(ROOT / "operator" / "modelyard", folder / "src" / "modelyard")
    for name in COPIED:
        if mirror(ROOT / name, folder / name) and name == "tests":
            forget_survivors(package, folder)
    _write(folder / "pyproject.toml", configuration(package).encode())
    run(["nice", "-n", "19", str(mutmut), "run", "--max-children", "1"], folder)


def run(command: Sequence[str], folder: Path) -> None:
    """Run it and show what it says as it says it; MutmutFailed when its exit code is not 0."""
    last = deque[str](maxlen=LAST_LINES)
    environ = {**os.environ, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        command, cwd=folder, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert process.stdout is not None
    try:
        with io.TextIOWrapper(process.stdout, errors="replace", newline="") as said:
            for line in said:  # ended by a carriage return, too, with which mutmut counts
                print(line, end="", flush=True)
                last.append(line.rstrip())
        process.wait()
    except BaseException:
        process.terminate()  # each mutant is noted as soon as it was tried
        process.wait()
        raise
    if process.returncode:
        end = "\n".join(last)
        raise MutmutFailed(
            f"mutmut in {folder} ended with exit code {process.returncode}. Its last lines:\n{end}"
        )


def forget_survivors(package: str, folder: Path) -> None:
    """Let mutmut try again what no test noticed: there may be one by now that does."""
    for file in _notes(package, folder):
        note = json.loads(file.read_text())
        codes = note["exit_code_by_key"]
        note["exit_code_by_key"] = {
            name: code if WORDS.get(code, "unclear") in NOTICED else None for name, code in codes.items()
        }
        file.write_text(json.dumps(note, indent=4))


def _notes(package: str, folder: Path) -> list[Path]:
    """What mutmut keeps of each module."""
    return sorted((folder / "mutants" / "src" / "modelyard" / package).glob("*.meta"))


def mirror(source: Path, target: Path) -> bool:
    """Make `target` hold the files of `source`; whether anything had changed. What is the same stays untouched:
    mutmut goes by times."""
    wanted = {path.relative_to(source): path for path in _files(source)}
    gone = [path for path in _files(target) if path.relative_to(target) not in wanted]
    for path in gone:
        path.unlink()
    written = [_write(target / name, path.read_bytes()) for name, path in wanted.items()]
    for name, path in wanted.items():
        shutil.copymode(path, target / name)
    return bool(gone) or any(written)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def _write(path: Path, content: bytes) -> bool:
    """Whether the file was not so already."""
    if path.is_file() and path.read_bytes() == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
