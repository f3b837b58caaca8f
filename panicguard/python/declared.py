"""The project's own spawners and guards, as the settings name them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.python.apis import SpawnKind, is_named
from panicguard.python.cst import cst
from panicguard.settings import SPAWNED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from libcst import CSTNode

    from panicguard.python.names import Names

_KINDS = dict(zip(SPAWNED, (SpawnKind.TASK, SpawnKind.THREAD, SpawnKind.FUTURE), strict=True))


def is_declared(names: Names, node: CSTNode, listed: Sequence[str]) -> bool:
    """Whether an expression is one of the functions that are listed: by its qualified name, or as `*.name`, a method of
    whatever object."""
    if isinstance(node, cst.Attribute) and f"*.{node.attr.value}" in listed:
        return True
    return is_named(names.qualified(node), listed)


def spawner(names: Names, node: CSTNode, listed: Sequence[str]) -> tuple[str, SpawnKind | None] | None:
    """The name in `extend-spawners` that an expression is, and the kind that stands behind it, if any does."""
    for entry in listed:
        name, _, kind = entry.partition(":")
        if is_declared(names, node, (name,)):
            return name, _KINDS.get(kind)
    return None
