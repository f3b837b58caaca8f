"""Where a module's import of the runtime stands, or goes: one insertion that every fix of the module shares."""

from __future__ import annotations

import itertools
import re
import sys
from typing import TYPE_CHECKING, NamedTuple

from panicguard.model import Edit
from panicguard.python.apis import DEFAULT_RUNTIME
from panicguard.python.lazy import cst
from panicguard.python.lex import scan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from libcst import CSTNode

    from panicguard.python.module import Module
    from panicguard.source import Source

_IMPORT = re.compile(r"import\s+([\w.]+)|from\s+(\.*[\w.]*)\s+import\b")
_DOCSTRING = re.compile(r"[rRuUbB]{0,2}(?:'''|\"\"\"|'|\")")


class Reference(NamedTuple):
    """How the runtime is written at a place: `prefix` goes before SafeGo, after `edits` have been made."""

    prefix: str
    edits: tuple[Edit, ...]


class _Line(NamedTuple):
    start: int
    end: int
    text: str
    module: str
    """The module a top-level import line imports from; "" for another statement."""


def reference(module: Module, node: CSTNode) -> Reference | None:
    """How a node would name the runtime; None where the name means something else there, or no import can go
    before the code that would use it."""
    runtime = module.settings.runtime_module or DEFAULT_RUNTIME
    bound = existing(module)
    if bound is not None and _means_runtime(module, bound, node):
        return Reference(f"{bound}.", ())
    package, _, name = runtime.rpartition(".")
    if not _means_runtime(module, name, node):
        return None
    statement = f"from {package} import {name}" if package else f"import {name}"
    edit = insertion(module.source, statement, module.span(node)[0])
    return None if edit is None else Reference(f"{name}.", (edit,))


def existing(module: Module) -> str | None:
    """The name under which a plain import at the top level already binds the runtime."""
    for statement in module.tree.all(cst.Import, cst.ImportFrom):
        line = module.tree.parents[statement]
        if isinstance(module.tree.parents[line], cst.Module):
            for name, bindings in module.names.bindings[module.tree.root].items():
                if any(b.node is statement and _is_runtime(str(b.value)) for b in bindings):
                    return name
    return None


def _is_runtime(qualified: str) -> bool:
    return qualified == "mruntime" or qualified.endswith(".mruntime")


def _means_runtime(module: Module, name: str, node: CSTNode) -> bool:
    """Whether a name is free at a place, or bound to the runtime at the module level."""
    scope, bindings = module.names.lookup(name, module.names.scope(node))
    if scope is None:
        return True
    runtime = module.settings.runtime_module or DEFAULT_RUNTIME
    return scope is module.tree.root and all(
        b.kind == "import" and (_is_runtime(str(b.value)) or b.value == runtime) for b in bindings
    )


def insertion(source: Source, statement: str, before: int) -> Edit | None:
    """The edit that inserts an import statement where a reader would look for it: in the block of imports, in its
    order; else below the docstring and `from __future__`. None if that is not before the offset `before`."""
    lines = _header(source)
    at, text = _place(source, lines, statement)
    return Edit(at, at, text) if at <= before else None


def _header(source: Source) -> list[_Line]:
    """The docstring, other strings below it, and the imports a module starts with, up to the first other statement at
    the top level.

    A compound statement (`if TYPE_CHECKING:`, `try:`) ends it: what is below may depend on it.
    """
    lines: list[_Line] = []
    text = source.text
    for line in scan(text).lines:
        if line.blank:
            continue
        body = text[line.start : line.end].lstrip("\f")
        match = _IMPORT.match(body) if line.indent == 0 else None
        is_string = line.indent == 0 and _DOCSTRING.match(body) and not any(above.module for above in lines)
        if not match and not is_string:
            break
        module = (match[1] or match[2] or "") if match else ""
        lines.append(_Line(line.start, line.end, body, module))
    return lines


def _place(source: Source, lines: Sequence[_Line], statement: str) -> tuple[int, str]:
    """The offset for an import statement, and the lines to insert there."""
    newline = source.newline
    imports = [line for line in lines if line.module and line.module != "__future__"]
    if not imports:
        return _below_header(source, lines, statement)
    group = _group(source, imports, statement)
    if group:
        later = next((line for line in group if _sort_key(line.text) > _sort_key(statement)), None)
        if later is not None:
            return later.start, f"{statement}{newline}"
        return _after(source, group[-1], statement)
    relative = next((line for line in imports if line.module.startswith(".")), None)
    if relative is not None and relative is not imports[0]:
        return relative.start, f"{statement}{newline}{newline}"
    last = next((line for line in reversed(imports) if not line.module.startswith(".")), None)
    if last is None:
        return imports[0].start, f"{statement}{newline}{newline}"
    at, text = _after(source, last, statement)
    return at, f"{newline}{text}"


def _group(source: Source, imports: Sequence[_Line], statement: str) -> list[_Line]:
    """The lines of imports, without a blank line between them, that the statement belongs to: those of other
    packages that are not the standard library's; a single mixed block counts as such."""
    groups: list[list[_Line]] = [[imports[0]]]
    for above, line in itertools.pairwise(imports):
        between = source.text[above.end : line.start]
        if between.strip() or "\n" in between or "\r" in between:
            groups.append([line])
        else:
            groups[-1].append(line)
    name = _IMPORT.match(statement)
    own = (name[1] or name[2] or "").partition(".")[0] if name else ""
    third_party = [g for g in groups if all(_section(line.module) == "other" for line in g)]
    same = [g for g in third_party if any(line.module.partition(".")[0] == own for line in g)]
    if same or third_party:
        return (same or third_party)[0]
    mixed = [g for g in groups if {"stdlib", "other"} <= {_section(line.module) for line in g}]
    return [line for line in mixed[0] if _section(line.module) == "other"] if mixed else []


def _section(module: str) -> str:
    if module.startswith("."):
        return "relative"
    return "stdlib" if module.partition(".")[0] in sys.stdlib_module_names else "other"


def _sort_key(statement: str) -> tuple[bool, str]:
    """`import x` before `from x import y`, each by module, as isort and Ruff sort them by default."""
    match = _IMPORT.match(statement)
    return (match is not None and match[1] is None, (match[1] or match[2] or "").lower() if match else "")


def _after(source: Source, line: _Line, statement: str) -> tuple[int, str]:
    """Below a logical line, which may be the last of the file and lack its newline."""
    newline = source.newline
    if source.text[: line.end].endswith(("\n", "\r")):
        return line.end, f"{statement}{newline}"
    return line.end, f"{newline}{statement}"


def _below_header(source: Source, lines: Sequence[_Line], statement: str) -> tuple[int, str]:
    """Below the docstring and `from __future__` where there are any, else above the first statement."""
    newline = source.newline
    if lines:
        at, text = _after(source, lines[-1], statement)
        return at, f"{newline}{text}"
    first = next((line.start for line in scan(source.text).lines if not line.blank), len(source.text))
    return first, f"{statement}{newline}{newline}"
