"""Build an example's image from its Dockerfile, and bring it to the cluster under the name that the example uses.

    python -m scripts.example_image examples/03-sklearn-binary

The name stands in the example's environment.yaml. The last line that is printed is the image with its digest.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import yaml

from scripts.install import EXPECTED, ROOT
from tests.cluster import images, interrupts
from tests.cluster.oci import Image
from tests.cluster.progress import Progress
from tests.cluster.provider import Capability, ClusterUnavailable, Provider, choose


def image_name(example: Path) -> tuple[str, str]:
    """Repository and tag of the image that an example's environment names."""
    environment = yaml.safe_load((example / "environment.yaml").read_text())
    repository, _, tag = environment["spec"]["image"].rpartition(":")
    return repository, tag


def build(example: Path, progress: Progress) -> Image:
    """The example's image; from the cache when nothing that goes into it has changed. Raises BuildFailed."""
    return images.build(images.Recipe(example / "Dockerfile", example), progress)


def push(provider: Provider, example: Path, progress: Progress) -> str:
    """Build it, and bring it to the nodes of a running cluster; `<repository>:<tag>@<digest>`.

    Raises BuildFailed, or ClusterUnavailable when the cluster's nodes take no images under names of others.
    """
    repository, tag = image_name(example)
    if Capability.PUBLIC_NAMES not in provider.capabilities:
        raise ClusterUnavailable(
            f"This cluster pulls {repository} from where its name says: build {example}/Dockerfile and push it to a"
            f" registry of yours, and write its name there into {example}/environment.yaml."
        )
    if not provider.is_running():
        raise ClusterUnavailable("No cluster is running: start one with `make demo` or `make cluster`.")
    return provider.push(build(example, progress).layout, repository, tag)


def _those_with_images() -> str:
    *others, last = sorted(file.parent.name for file in (ROOT / "examples").glob("*/Dockerfile"))
    return f"{', '.join(others)} or {last}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; its exit code."""
    parser = argparse.ArgumentParser(prog="python -m scripts.example_image", description=__doc__)
    parser.add_argument("example", type=Path, help="the example's folder")
    example = parser.parse_args(arguments).example
    if not (example / "Dockerfile").is_file():
        has_none = f"{example} is no example with an image of its own: it has no Dockerfile"
        parser.error(f"{has_none}; give EXAMPLE={_those_with_images()}")
    progress = Progress()
    try:
        with interrupts.raised():
            print(push(choose(progress=progress), example, progress))
    except EXPECTED as error:
        print(error, file=sys.stderr)
        return 1
    except interrupts.Interrupted as interrupted:
        print("Interrupted; run it again to go on.", file=sys.stderr)
        return interrupted.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
