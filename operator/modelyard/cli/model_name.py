"""A model's name: which it may have, and one where nobody gave any."""

from __future__ import annotations

import re
from pathlib import Path

from modelyard.api.findings import broken
from modelyard.api.names import SERVICE_NAME

_LONGEST = 52


def name_for(folder: Path) -> str:
    """A name for the model in a folder, of the letters that a model's name may have."""
    words = re.sub(r"[^a-z0-9]+", "-", folder.absolute().name.lower()).strip("-")
    name = words if words[:1].isalpha() else f"model-{words}"
    return name[:_LONGEST].strip("-")


def name_problem(name: str) -> str | None:
    """Why a model cannot be called so, by the rule that the API server has; None when it can."""
    named = {"metadata": {"name": name}}
    return next((one.why for one in broken(named, [SERVICE_NAME.to_json()], "")), None)
