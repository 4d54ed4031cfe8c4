"""What a model's process is told by its environment: the variables of the contract. Pure."""

from __future__ import annotations

import json

from modelyard.api.custom_model import CustomModelSpec


def told(name: str, label: str, model: CustomModelSpec) -> dict[str, str]:
    """The variables that say what the model is; those that say where it runs are for its pod to add."""
    positive, negative = model.labels()
    variables = {
        "MODEL_NAME": name,
        "MODEL_VERSION": label,
        "TARGET_TYPE": model.target_type,
        "TARGET_NAME": model.target_name,
        "POSITIVE_CLASS_LABEL": positive,
        "NEGATIVE_CLASS_LABEL": negative,
        "CLASS_LABELS": json.dumps(model.class_labels, ensure_ascii=False) if model.class_labels else None,
        "PREDICTION_THRESHOLD": str(model.prediction_threshold) if positive is not None else None,
    }
    return {name: value for name, value in variables.items() if value is not None}
