"""What can go wrong with images.

    ImageError
      InvalidReference   the text names no image
      InvalidSecret      the pull secret cannot be read
      RegistryError
        NotInRegistry    the registry answers, and has no such image
        Unauthorized     the registry wants other credentials
        Unreachable      the registry does not answer, or not as a registry should: try again later

Each message is one line fit for a condition; credentials and bodies never get into it.
"""

from __future__ import annotations


class ImageError(Exception):
    """An image cannot be used as it is named."""


class InvalidReference(ImageError):
    """The text is no image reference; the message says why."""


class InvalidSecret(ImageError):
    """The payload of a pull secret cannot be read; the message says why."""


class RegistryError(ImageError):
    """A registry did not tell a digest; `host` is the registry as the reference names it."""

    def __init__(self, host: str, message: str) -> None:
        super().__init__(message)
        self.host = host


class NotInRegistry(RegistryError):
    """The registry has no such repository or tag."""


class Unauthorized(RegistryError):
    """The registry refuses these credentials, or wants some."""


class Unreachable(RegistryError):
    """No connection, no answer in time, a busy registry, or no registry at all."""
