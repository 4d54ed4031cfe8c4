"""A model's name where nobody gave one."""

from __future__ import annotations

import re
from pathlib import Path

_LONGEST = 52


def name_for(folder: Path) -> str:
    """A name for the model in a folder, of the letters that a model's name may have."""
    words = re.sub(r"[^a-z0-9]+", "-", folder.absolute().name.lower()).strip("-")
    name = words if words[:1].isalpha() else f"model-{words}"
    return name[:_LONGEST].strip("-")
