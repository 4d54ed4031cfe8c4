"""How the pass over an environment version asks a registry: the client's answers and errors as its values."""

from __future__ import annotations

from collections.abc import Sequence

from modelyard.images.credentials import keyring_of_secrets
from modelyard.images.errors import InvalidReference, InvalidSecret, NotInRegistry, RegistryError
from modelyard.images.lazy import Registries
from modelyard.images.reference import parse_reference
from modelyard.kube.cluster import Manifest
from modelyard.reconcilers.execution_environment_version.facts import (
    Malformed,
    Resolution,
    Resolved,
    Unresolved,
)
from modelyard.reconcilers.execution_environment_version.observe import Resolve


def resolver(client: Registries) -> Resolve:
    """Ask through this client; what a registry may answer is never raised."""

    async def resolve(image: str, secrets: Sequence[Manifest]) -> Resolution:
        try:
            reference = parse_reference(image)
            credentials = keyring_of_secrets(*secrets).matching(reference)
            digest = await client.resolve(reference, credentials)
        except InvalidReference as error:
            return Malformed(str(error))
        except NotInRegistry as error:
            return Unresolved(str(error), may_answer_later=False)
        except (RegistryError, InvalidSecret) as error:
            return Unresolved(str(error), may_answer_later=True)
        return Resolved(str(reference.with_digest(digest)), digest)

    return resolve
