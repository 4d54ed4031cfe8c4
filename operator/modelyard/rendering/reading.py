"""The documents of a text of YAML or JSON, as kubectl reads them. Pure."""

from __future__ import annotations

import re
from typing import Any

import yaml
from yaml.constructor import ConstructorError


class NotYaml(Exception):
    """The text cannot be read; the message is one line that says why, where PyYAML knows that, and what next."""


_MEANINGS: tuple[tuple[str, str], ...] = (
    ("bool", r"y|Y|yes|Yes|YES|true|True|TRUE|on|On|ON|n|N|no|No|NO|false|False|FALSE|off|Off|OFF"),
    ("null", r"~|null|Null|NULL|"),
    ("int", r"[-+]?(0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|0|[1-9][0-9_]*)"),
    ("float", r"[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9]*)?)([eE][-+]?[0-9]+)?"),
    ("float", r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"),
)

BARE_WORDS = [(f"tag:yaml.org,2002:{tag}", re.compile(f"({pattern})$")) for tag, pattern in _MEANINGS]
"""What a word without quotes means to kubectl, which is not quite what it means to PyYAML; all else is text."""


class _Loader(yaml.SafeLoader):
    """As kubectl reads YAML: what looks like a date or a time is text, `y` is true, and \\ud83d\\ude00 one letter."""

    bool_values = {**yaml.SafeLoader.bool_values, "y": True, "n": False}
    yaml_implicit_resolvers = {None: BARE_WORDS}

    def flatten_mapping(self, node: Any) -> None:
        """`<<` is a word like another, but as a key: there it merges."""
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.style is None and key.value == "<<":
                key.tag = "tag:yaml.org,2002:merge"
        super().flatten_mapping(node)

    def construct_scalar(self, node: Any) -> Any:
        """As it is, but for halves of letters, which JSON has for letters beyond 16 bits."""
        text = super().construct_scalar(node)
        try:
            return text.encode("utf-16", "surrogatepass").decode("utf-16") if isinstance(text, str) else text
        except UnicodeDecodeError:
            raise ConstructorError(None, None, "found half of a letter", node.start_mark) from None


def documents_in(content: str) -> list[Any]:
    """All documents of a text, the empty ones too; NotYaml when it cannot be read."""
    try:
        return list(yaml.load_all(content, _Loader))
    except RecursionError:
        raise NotYaml("it is nested too deeply; write it flatter") from None
    except yaml.YAMLError as error:
        raise NotYaml(f"{' '.join(str(error).split())}; mend it there") from None
    except ValueError as error:
        raise NotYaml(f"{' '.join(str(error).split())}; mend that value, or quote it as text") from None
    except (LookupError, AttributeError):  # PyYAML's own stumbling over a tag that does not fit: `!!bool x`
        raise NotYaml("a value is not what its !!tag says; leave the tag out") from None
