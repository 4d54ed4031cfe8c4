"""Images from our Dockerfiles, built by whatever builder the machine has and brought to where nodes pull from.

A Dockerfile of ours may declare these build arguments and mount these secrets; all have a default or may be absent:

    ARG <NAME>=<image>      a base image, where a FROM names ${NAME}: public by default; where no public registry
                            is in reach, a Debian made on this machine that stands in for it
    id=pip-conf             this machine's pip configuration, to be mounted at /etc/pip.conf
    id=ca-bundle            the CA certificates it trusts, at /etc/ssl/certs/ca-certificates.crt

The finished image is kept under a key of all that went into it, so building it again is looking it up.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.cluster import context, pip_settings
from tests.cluster.base_image import NoBaseImage, python_base, release
from tests.cluster.builders import Builder, BuildFailed, Job, builder
from tests.cluster.cache import cache_dir, kept
from tests.cluster.oci import Image, image_in
from tests.cluster.progress import Progress
from tests.cluster.provider import Provider
from tests.cluster.tools import key

_KEPT_IMAGES = 12


@dataclass(frozen=True, slots=True)
class Recipe:
    """What an image is made of."""

    dockerfile: Path
    context: Path
    arguments: Mapping[str, str] = field(default_factory=dict)


def build(recipe: Recipe, progress: Progress) -> Image:
    """The image, from the cache when nothing that goes into it has changed. Raises BuildFailed."""
    if not recipe.dockerfile.is_file():
        raise BuildFailed(f"There is no Dockerfile {recipe.dockerfile}.")
    chosen = builder()
    try:
        bases = chosen.bases(public_bases(recipe.dockerfile.read_text()), progress)
    except NoBaseImage as error:
        raise BuildFailed(str(error)) from error
    arguments = {**bases, **recipe.arguments}
    target = cache_dir("images") / f"built-{content_key(recipe, arguments, chosen.name)}"
    what = f"Building {recipe.dockerfile} with {chosen.name}"

    def make(folder: Path) -> None:
        with progress.during(what):
            _build(chosen, recipe, arguments, folder / "layout")

    layout = kept(target, make, what="the same image", progress=progress) / "layout"
    _prune(target)
    return image_in(layout)


def build_and_push(provider: Provider, recipe: Recipe, name: str, tag: str, progress: Progress) -> str:
    """Build, and bring the image to the nodes of `provider`; `<repository>:<tag>@<digest>`."""
    layout = build(recipe, progress).layout
    with progress.during(f"Bringing {name}:{tag} into the cluster"):
        return provider.push(layout, name, tag)


def push_python(provider: Provider, progress: Progress) -> str:
    """A plain Debian with Python for pods of tests, as `base/python:<release>`; its reference."""
    return provider.push(python_base(progress).layout, "base/python", release())


def public_bases(dockerfile: str) -> dict[str, str]:
    """The build arguments of a Dockerfile that its FROM lines name, with the images that they stand for by default."""
    defaults = dict(re.findall(r"^\s*ARG\s+(\w+)=(\S+)", dockerfile, re.MULTILINE | re.IGNORECASE))
    used = re.findall(r"^\s*FROM\s+\$\{?(\w+)\}?", dockerfile, re.MULTILINE | re.IGNORECASE)
    return {name: defaults[name] for name in used if name in defaults}


def content_key(recipe: Recipe, arguments: Mapping[str, str], builder_name: str) -> str:
    """A key of all that goes into the image: a base's name carries its digest."""
    given = "\n".join(f"{name}={value}" for name, value in sorted(arguments.items()))
    parts = [recipe.dockerfile.read_bytes(), context.digest(recipe.context).encode(), given.encode()]
    return key([*parts, builder_name.encode()])


def _build(chosen: Builder, recipe: Recipe, arguments: Mapping[str, str], layout: Path) -> None:
    settings = pip_settings.listed()
    bundle = pip_settings.ca_bundle(settings)
    with tempfile.TemporaryDirectory(prefix="modelyard-secrets-") as folder:
        conf = Path(folder) / "pip.conf"
        conf.write_text(pip_settings.pip_conf(settings, bundle=bundle is not None))
        secrets = {"pip-conf": conf} | ({"ca-bundle": bundle} if bundle else {})
        name = f"localhost/modelyard/build:{key([str(recipe.dockerfile.resolve()).encode()])}"
        chosen.build(Job(recipe.dockerfile, recipe.context, arguments, secrets, name), layout)


def _prune(newest: Path) -> None:
    """Keep the images that were used last."""
    newest.touch()
    built = sorted(newest.parent.glob("built-*"), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in built[_KEPT_IMAGES:]:
        shutil.rmtree(old, ignore_errors=True)
