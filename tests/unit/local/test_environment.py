"""What a model's process is told."""

from __future__ import annotations

from pathlib import Path

from modelyard.api.custom_model import CustomModelSpec
from modelyard.local.environment import Identity, Place, variables

PLACE = Place(8080, Path("/code"), Path("/home/x"), "/usr/bin")
HELLO = Identity("hello", "1.0", CustomModelSpec(target_type="Regression", target_name="y"))


def test_a_version_may_change_what_the_image_sets_but_never_what_the_platform_does() -> None:
    found = variables(HELLO, {"LANG": "de_DE", "PORT": "1", "TARGET_NAME": "z", "LEVEL": "10"}, PLACE)

    assert found == {
        "PATH": "/usr/bin",
        "LANG": "de_DE",
        "TMPDIR": "/home/x",
        "LEVEL": "10",
        "PORT": "8080",
        "URL_PREFIX": "/models/here/hello",
        "CODE_DIR": "/code",
        "HOME": "/home/x",
        "MODEL_NAME": "hello",
        "MODEL_VERSION": "1.0",
        "TARGET_TYPE": "Regression",
        "TARGET_NAME": "y",
    }
