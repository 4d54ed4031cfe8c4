"""The files of a model to start from. Pure but for reading what ships with the package."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable

from modelyard.api.custom_model import TargetType
from modelyard.rendering.reading import documents_in

_SHIPPED = resources.files("modelyard.cli") / "skeletons"


@dataclass(frozen=True, slots=True)
class Language:
    """What a model of one language is made of."""

    name: str
    extension: str
    programming_language: str
    image: str
    needs: str
    """What must be installed to run it."""

    memory: str = "256Mi"
    cpu: str = "100m"
    extra: tuple[str, ...] = ()
    """Further files of the code."""

    @property
    def files(self) -> tuple[str, ...]:
        """The files of the code, the start script first."""
        return ("start_server.sh", f"server.{self.extension}", f"model.{self.extension}", *self.extra)


LANGUAGES = {
    one.name: one
    for one in (
        Language("python", "py", "python", "docker.io/library/python:3.11-slim-bookworm", "python3"),
        Language("node", "js", "other", "docker.io/library/node:22-bookworm-slim", "node"),
        # The compiler runs at each start, and takes more than the model.
        Language(
            "go", "go", "other", "docker.io/library/golang:1.26-bookworm", "go", "2Gi", "1", ("go.mod",)
        ),
    )
}

_TARGETS: Mapping[str, tuple[str, Mapping[str, object]]] = {
    "Regression": ("price", {}),
    "Binary": ("expensive", {"positiveClassLabel": "yes", "negativeClassLabel": "no"}),
    "Multiclass": ("price class", {"classLabels": ["cheap", "usual", "dear"]}),
    "Anomaly": ("strangeness", {}),
}
"""Name of what is predicted, and the labels of it."""


_SHARED = {
    "README.md": "README.template",
    **{path: path for path in ("kustomization.yaml", "model.yaml", "names.yaml", "sample.csv")},
}
"""Where the files that all languages have come from. The README is no page of ours: its links lead elsewhere."""


def skeleton(name: str, language: Language, target_type: TargetType) -> dict[str, str]:
    """The files of a model, by their paths."""
    fields = _fields(name, language, target_type)
    files = {path: _filled(_text(_SHIPPED / shipped), fields) for path, shipped in _SHARED.items()}
    own = _SHIPPED / language.name
    model = f"model.{language.extension}"
    for path in language.files:
        files[f"code/{path}"] = _text(own / (f"{target_type}.{path}" if path == model else path))
    return files


def _fields(name: str, language: Language, target_type: TargetType) -> dict[str, str]:
    target_name, labels = _TARGETS[target_type]
    return {
        "name": name,
        # A model may be called "null" or "on".
        "quotedName": name if documents_in(name) == [name] else json.dumps(name),
        "language": language.name,
        "programmingLanguage": language.programming_language,
        "image": language.image,
        "memory": language.memory,
        "cpu": json.dumps(language.cpu),
        "targetType": target_type,
        "targetName": target_name,
        "labels": "".join(f"  {key}: {json.dumps(value)}\n" for key, value in labels.items()),
        "files": "\n".join(f"      - code/{path}" for path in language.files),
        "modelFile": f"model.{language.extension}",
        "serverFile": f"server.{language.extension}",
        "needs": f"`{language.needs}`",
    }


def _filled(text: str, fields: Mapping[str, str]) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda found: fields[found[1]], text)


def _text(file: Traversable) -> str:
    return file.read_text(encoding="utf-8")
