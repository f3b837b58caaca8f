"""What a Go file imports, and what a package is called."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node

_VERSION = frozenset("0123456789")
_AROUND = re.compile(r"^go[-.]|[-.]go(?:lang)?$")
"""What a path has beside the name: `go-multierror`, `nats.go`."""


def package_name(path: str) -> str:
    """The name that a package is likely to have: the last part of its path that is not a version, without what only
    says that it is Go."""
    parts = [part for part in path.split("/") if part]
    while len(parts) > 1 and parts[-1][0] == "v" and set(parts[-1][1:]) <= _VERSION and parts[-1] != "v":
        parts.pop()
    name = parts[-1] if parts else ""
    stem, dot, version = name.rpartition(".v")
    name = stem if dot and set(version) <= _VERSION else name
    return _AROUND.sub("", name) or name


def specs(declaration: Node) -> list[Node]:
    """The packages that a declaration imports."""
    listed_ = [child for child in declaration.named_children if child.type == "import_spec_list"]
    every = (child for node in (declaration, *listed_) for child in node.named_children)
    return [child for child in every if child.type == "import_spec"]
