"""Image references, read as Docker and the kubelet read them. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from modelyard.images.errors import InvalidReference

DEFAULT_REGISTRY = "docker.io"
DEFAULT_TAG = "latest"

_NAME_LIMIT = 255
_DOMAIN_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_PORT = r"(?::([0-9]{1,5}))?"
_REGISTRY = re.compile(rf"(?:{_DOMAIN_LABEL}(?:\.{_DOMAIN_LABEL})*|\[[0-9a-fA-F:]+\]){_PORT}")
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_PART}(?:/{_PART})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_IMAGE_ID = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Reference:
    """A full image reference: defaults filled in, at least one of tag and digest set."""

    registry: str
    repository: str
    tag: str | None = None
    digest: str | None = None

    @property
    def name(self) -> str:
        """Registry and repository."""
        return f"{self.registry}/{self.repository}"

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.name}{tag}{digest}"

    def with_digest(self, digest: str) -> Reference:
        """The same image named by digest alone; InvalidReference if that is no digest."""
        if not is_digest(digest):
            raise InvalidReference(f"{digest!r} is not a digest")
        return replace(self, tag=None, digest=digest)


def is_digest(text: str) -> bool:
    """Whether this is `sha256:` or `sha512:` and as many hex digits as it takes."""
    return _DIGEST.fullmatch(text) is not None


def parse_reference(text: str) -> Reference:
    """The reference in `[registry/]repository[:tag][@digest]`; InvalidReference says what is wrong."""
    rest, at, digest = text.partition("@")
    if at and not is_digest(digest):
        raise InvalidReference(f"image {text!r}: {digest!r} is not a digest, as sha256:<64 hex digits>")
    registry, path = _split_registry(rest)
    repository, colon, tag = path.partition(":")
    if colon and not _TAG.fullmatch(tag):
        raise InvalidReference(f"image {text!r}: {tag!r} is not a tag")
    _check_name(text, registry, repository)
    if registry == DEFAULT_REGISTRY and "/" not in repository:
        repository = f"library/{repository}"
    return Reference(registry, repository, tag or (None if at else DEFAULT_TAG), digest or None)


def with_digest(text: str, digest: str) -> str:
    """`text`, an image reference, named by digest alone; InvalidReference if either is none."""
    return str(parse_reference(text).with_digest(digest))


def _split_registry(text: str) -> tuple[str, str]:
    """The first part is a registry if it could not be part of a Docker Hub name."""
    first, slash, rest = text.partition("/")
    if not slash or not (first == "localhost" or set(".:[") & set(first) or first.lower() != first):
        return DEFAULT_REGISTRY, text
    return (DEFAULT_REGISTRY if first == "index.docker.io" else first), rest


def _check_name(text: str, registry: str, repository: str) -> None:
    host = _REGISTRY.fullmatch(registry)
    if host is None or int(host[1] or 1) not in range(1, 65536):
        raise InvalidReference(f"image {text!r}: {registry!r} is not a registry host")
    if repository.lower() != repository:
        raise InvalidReference(f"image {text!r}: the repository must be in lower case")
    if not _REPOSITORY.fullmatch(repository):
        raise InvalidReference(f"image {text!r}: {repository!r} is not a repository")
    if registry == DEFAULT_REGISTRY and _IMAGE_ID.fullmatch(repository):
        raise InvalidReference(f"image {text!r}: this is an image ID; name a repository")
    if len(registry) + 1 + len(repository) > _NAME_LIMIT:
        raise InvalidReference(
            f"image {text[:80]!r}...: registry and repository exceed {_NAME_LIMIT} characters"
        )
