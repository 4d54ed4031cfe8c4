"""Where the files of a version come from."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from modelyard.api.inline_size import MAX_INLINE_BYTES, inline_rules
from modelyard.api.markers import Rule, as_list_map, checked
from modelyard.api.meta import ApiModel, LocalRef

MAX_INLINE_FILES = 100
PATH_RULES = checked(
    Rule(
        "!self.startsWith('/') && !self.endsWith('/') && !self.contains('//')",
        "must be a relative path such as lib/model.py: no '/' at its start or end, none doubled",
    ),
    Rule(
        "self.split('/').all(part, part != '.' && !part.startsWith('..'))",
        "must not have a part that is '.' or starts with '..'; write it from the root of the model's"
        " directory",
    ),
    Rule(
        "self.matches('^[^[:cntrl:]]*$') && size(bytes(self)) <= 255",
        "must be at most 255 bytes of UTF-8 without control characters; rename the file",
    ),
)


class InlineFile(ApiModel):
    """One text file, written in the object itself."""

    path: Annotated[str, Field(min_length=1, max_length=255), PATH_RULES]
    """Where the file lies, relative to the root of the model's directory, with '/' between parts and no
    '..'."""

    content: Annotated[str, Field(max_length=MAX_INLINE_BYTES)]
    """The text of the file; it is written as UTF-8."""

    executable: bool = False
    """Whether the file may be executed (default false). `start_server.sh` in the root always may."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!self.content.startsWith('\\x00')",
            "content must not start with a NUL character: inline files are text; put a binary file into the"
            " binaryData of a ConfigMap and name it in configMap",
            ".content",
        ),
    )


InlineFiles = Annotated[
    list[InlineFile], Field(min_length=1, max_length=MAX_INLINE_FILES), as_list_map("path")
]


class ConfigMapRef(LocalRef):
    """A ConfigMap in the same namespace; each of its keys is one file in the root of the directory."""


class Source(ApiModel):
    """The files of a model: exactly one of `inline` and `configMap`."""

    inline: InlineFiles | None = None
    """Files written here: 1 to 100, at most 192 KiB of UTF-8 in total."""

    config_map: ConfigMapRef | None = None
    """A ConfigMap in the same namespace that holds the files; it is read once and what was read is kept."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.inline) != has(self.configMap)",
            "exactly one of inline and configMap must be set; remove one, or add the one that is missing",
        ),
        Rule(
            "!has(self.inline) || self.inline.all(f, !self.inline.exists(g, g.path.startsWith(f.path + '/')))",
            "inline has a path that is both a file and a directory; rename one of them",
            ".inline",
        ),
        *inline_rules(
            "put large files into a ConfigMap (kubectl create configmap NAME --from-file=DIRECTORY) and name it in"
            " configMap",
        ),
    )
