"""How many objects say what of themselves: kept as the cache changes, so that to be asked costs nothing."""

from __future__ import annotations

from collections import Counter

from prometheus_client import CollectorRegistry, Gauge

from modelyard.api.kinds import MODEL_LEDGER, OWN_KINDS, Kind
from modelyard.api.reasons import ConditionType
from modelyard.kube.cluster import Manifest

COUNTED = (ConditionType.READY, ConditionType.AVAILABLE, ConditionType.STALLED)
"""Conditions; of those a model alone has `Available`."""

_KINDS = frozenset(OWN_KINDS) - {MODEL_LEDGER}


class Census:
    """The metric `modelyard_conditions`. What was counted once stays, be it as 0: series do not come and go."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._gauge = Gauge(
            "modelyard_conditions",
            "Objects by what their conditions say",
            ("kind", "type", "status"),
            registry=registry,
        )

    def changed(
        self, kind: Kind, _namespace: str, _name: str, old: Manifest | None, new: Manifest | None
    ) -> None:
        """A listener of the cache: an object came, changed or went."""
        if kind not in _KINDS:
            return
        more = Counter(_said(new))
        more.subtract(_said(old))
        for (type, status), count in more.items():
            if count:
                self._gauge.labels(kind.name, type, status).inc(count)


def _said(manifest: Manifest | None) -> list[tuple[str, str]]:
    """Type and status of each condition that is counted."""
    conditions = ((manifest or {}).get("status") or {}).get("conditions") or ()
    return [(str(one["type"]), str(one["status"])) for one in conditions if one["type"] in COUNTED]
