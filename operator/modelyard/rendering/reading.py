"""The documents of a text of YAML or JSON, as kubectl reads them. Pure."""

from __future__ import annotations

import re
from typing import Any

import yaml
from yaml.constructor import ConstructorError


class NotYaml(Exception):
    """The text cannot be read; the message is one line that says why, where PyYAML knows that, and what next."""


class _Loader(yaml.SafeLoader):
    """As kubectl reads YAML: what looks like a date is text, 1e-6 is a number, and \\ud83d\\ude00 one letter."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_scalar(self, node: Any) -> Any:
        """As it is, but for halves of letters, which JSON has for letters beyond 16 bits."""
        text = super().construct_scalar(node)
        try:
            return text.encode("utf-16", "surrogatepass").decode("utf-16") if isinstance(text, str) else text
        except UnicodeDecodeError:
            raise ConstructorError(None, None, "found half of a letter", node.start_mark) from None


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$"),
    list("-+0123456789"),
)


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
