"""Start, look at, change and stop a cluster for the tests and the demo.

CLUSTER chooses which: `existing` (the context CLUSTER_CONTEXT of your kubeconfig; images go through CLUSTER_REGISTRY),
`kind` (Docker and kind), `local` (root on Linux). Without it the first of these that can be. NODES says how many nodes
kind and local start with (1 to 9; 2 without it). `up` writes .cluster/kubeconfig.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.cluster import images, interrupts
from tests.cluster.builders import BuildFailed
from tests.cluster.progress import Progress
from tests.cluster.provider import ClusterUnavailable, Provider, choose

_NOT_RUNNING = 3


def main(arguments: list[str] | None = None) -> int:
    """Run one command; its exit code."""
    options = _parser().parse_args(arguments)
    try:
        with interrupts.raised():
            provider = choose(progress=Progress(quiet=options.quiet))
            code: int = options.run(provider, options)
            return code
    except (ClusterUnavailable, BuildFailed) as error:
        print(error, *_notes(error), sep="\n", file=sys.stderr)
        return 1
    except interrupts.Interrupted as interrupted:
        left = _notes(interrupted) or ["Nothing is left of what this command began."]
        print(f"Interrupted by {interrupted}.", *left, sep="\n", file=sys.stderr)
        return interrupted.exit_code


def _notes(error: BaseException) -> list[str]:
    """What was added to an error on its way, as what its clean-up could not do."""
    return list(getattr(error, "__notes__", ()))


def _up(provider: Provider, options: argparse.Namespace) -> int:
    provider.up()
    print(f"export KUBECONFIG={provider.kubeconfig()}")
    return 0


def _down(provider: Provider, options: argparse.Namespace) -> int:
    provider.down()
    return 0


def _status(provider: Provider, options: argparse.Namespace) -> int:
    print(provider.describe())
    return 0 if provider.is_running() else _NOT_RUNNING


def _kubeconfig(provider: Provider, options: argparse.Namespace) -> int:
    print(provider.kubeconfig())
    return 0


def _load(provider: Provider, options: argparse.Namespace) -> int:
    print(provider.push(options.archive, options.name, options.tag))
    return 0


def _image(provider: Provider, options: argparse.Namespace) -> int:
    build_arguments = dict(pair.split("=", 1) for pair in options.build_arg)
    recipe = images.Recipe(options.dockerfile, options.context, build_arguments)
    print(images.build_and_push(provider, recipe, options.name, options.tag, Progress(quiet=options.quiet)))
    return 0


def _add_node(provider: Provider, options: argparse.Namespace) -> int:
    print(provider.add_node())
    return 0


def _stop_node(provider: Provider, options: argparse.Namespace) -> int:
    provider.stop_node(options.node)
    return 0


def _assignment(text: str) -> str:
    if "=" not in text:
        raise argparse.ArgumentTypeError(f"{text!r} is no KEY=VALUE")
    return text


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.cluster",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="print results only, no progress")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    up = commands.add_parser("up", help="start the cluster, or find it running; writes .cluster/kubeconfig")
    up.set_defaults(run=_up)
    down = commands.add_parser(
        "down", help="take the cluster away; its logs stay in /var/log/modelyard-cluster"
    )
    down.set_defaults(run=_down)
    status = commands.add_parser(
        "status", help="say whether it is well and what runs; exit code 3 when it is not"
    )
    status.set_defaults(run=_status)
    kubeconfig = commands.add_parser("kubeconfig", help="print the path of its kubeconfig")
    kubeconfig.set_defaults(run=_kubeconfig)
    load = commands.add_parser("load", help="bring an image to where nodes pull from; prints its reference")
    load.add_argument("archive", type=Path, help="an OCI layout (folder or tar), or what `docker save` wrote")
    load.set_defaults(run=_load)
    image = commands.add_parser(
        "image", help="build an image and bring it to the nodes; prints its reference"
    )
    image.add_argument("--dockerfile", type=Path, required=True)
    image.add_argument(
        "--context", type=Path, required=True, help="the folder that the Dockerfile copies from"
    )
    image.add_argument("--build-arg", type=_assignment, action="append", default=[], metavar="KEY=VALUE")
    image.set_defaults(run=_image)
    for command in (load, image):
        command.add_argument(
            "--name", required=True, help="`modelyard`, or with a public registry to stand in for"
        )
        command.add_argument("--tag", required=True)
    add_node = commands.add_parser("add-node", help="add a node and wait until it is Ready; prints its name")
    add_node.set_defaults(run=_add_node)
    stop_node = commands.add_parser("stop-node", help="stop a node as if its power were cut")
    stop_node.add_argument("node", help="its name, as n2")
    stop_node.set_defaults(run=_stop_node)
    return parser


if __name__ == "__main__":
    sys.exit(main())
