"""The component of a spawn, and the fix of a call without one."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from panicguard.diagnostic import Edit, Fix
from panicguard.go.apis import SAFEGO
from panicguard.go.fixes.alignment import aligned
from panicguard.go.nodes import ancestors, arguments, callee, in_error, text
from panicguard.go.types import receiver_type
from panicguard.settings import component_for

if TYPE_CHECKING:
    from tree_sitter import Node

    from panicguard.go.file import GoFile

SHORT = SAFEGO.rpartition(".")[2]
"""SafeGoWithContextAndComponent, without the name of its package."""


def component(module: GoFile, site: Node) -> str:
    """The component of a spawn: the settings' for this path, else the enclosing function."""
    return component_for(module.settings, module.source.path) or function_name(module, site)


def function_name(module: GoFile, site: Node) -> str:
    """The name of the function around a node, with its receiver's type; outside functions, that of the package."""
    for above in ancestors(site):
        name = text(above.child_by_field_name("name"))
        if above.type == "function_declaration":
            return name
        if above.type == "method_declaration":
            return f"{receiver_type(above)}.{name}"
    package = next((text(name) for clause in module.tree.all("package_clause") for name in clause.named_children), "")
    return re.sub(r"\W+", "-", package) or "main"


def quoted(string: str) -> str:
    """A string as Go writes it."""
    return json.dumps(string, ensure_ascii=False)


def component_fix(module: GoFile, call: Node) -> Fix | None:
    """The fix for a `SafeGoWithContext`, which has three arguments."""
    args, called = arguments(call), callee(call)
    if len(args) != 3 or called is None or in_error(call):
        return None
    start, end = module.span(called.child_by_field_name("field") or called)
    at, close = module.tree.offset(args[1].start_byte), module.tree.offset(call.end_byte)
    written = f"{SHORT}{module.source.text[end:at]}{quoted(component(module, call))}, "
    rest = module.source.text[at:close]
    if "\n" in rest:
        return Fix("Name the component", (Edit(start, at, written),))
    return Fix("Name the component", tuple(aligned(module.source, Edit(start, close, written + rest))))
