"""Makes every program that is missing and prints where each one is."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.cluster import interrupts, packages
from tests.cluster.progress import Progress
from tests.cluster.tools import MODULES, ToolMissing, built, kubectl


def main() -> int:
    """Make everything and print where it is."""
    progress = Progress()
    try:
        with interrupts.raised():
            return _make_all(progress)
    except (ToolMissing, packages.PackagesMissing) as error:
        print(error, file=sys.stderr)
        return 1
    except interrupts.Interrupted as interrupted:
        print("Interrupted; what was finished is kept.", file=sys.stderr)
        return interrupted.exit_code


def _make_all(progress: Progress) -> int:
    packages.ensure(progress)
    rows = [(name, built(module, progress) / name) for module in MODULES for name in module.binaries]
    rows.append(("kubectl", kubectl()))
    rows += [(name, Path(file)) for name, file in packages.PACKAGES.items()]
    for name, path in rows:
        print(f"{name:28} {path.stat().st_size / 1e6:7.1f} MB  {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
