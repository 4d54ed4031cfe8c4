"""What the operator does with each kind. A call that is not in here gets 403 in a real cluster.

The chart gives exactly this, and no operator of a test may write anything else.
"""

from __future__ import annotations

from modelyard.api import kinds
from modelyard.api.kinds import Kind

WATCH = ("list", "watch")
READ = ("get", *WATCH)
APPLY = ("create", "patch")  # server-side apply of an object that may not exist yet

CALLS: dict[Kind, tuple[str, ...]] = {
    kinds.EXECUTION_ENVIRONMENT: READ,
    kinds.CUSTOM_MODEL: READ,
    kinds.CUSTOM_MODEL_VERSION: READ,
    kinds.EXECUTION_ENVIRONMENT_VERSION: (*READ, *APPLY),
    kinds.MODEL_TEST: (*READ, *APPLY, "delete"),
    kinds.MODEL_LEDGER: (*WATCH, "create", "update"),
    kinds.DEPLOYMENT: (*READ, *APPLY, "delete"),
    kinds.CONTROLLER_REVISION: (*READ, *APPLY, "delete"),
    kinds.SERVICE: (*READ, *APPLY, "delete"),
    kinds.CONFIG_MAP: (*READ, *APPLY, "delete"),
    kinds.JOB: (*READ, *APPLY, "delete"),
    kinds.NETWORK_POLICY: (*READ, *APPLY, "delete"),
    kinds.POD_DISRUPTION_BUDGET: (*READ, *APPLY, "delete"),
    kinds.POD: WATCH,
    kinds.ENDPOINT_SLICE: WATCH,
    kinds.SECRET: ("get",),
    kinds.EVENT: ("create",),
}
WITHOUT_STATUS = (kinds.MODEL_LEDGER,)

_VERBS = {"create": "create", "apply": "patch", "replace": "update", "delete": "delete", "mark": "delete"}
_BY_NAME = {kind.name: kind for kind in CALLS}


def may_write(verb: str, kind: str, subresource: str) -> bool:
    """Whether the operator may do this, in the words of a test's API server."""
    found = _BY_NAME[kind]
    if subresource == "status":
        return found in kinds.OWN_KINDS and found not in WITHOUT_STATUS
    return _VERBS[verb] in CALLS[found]
