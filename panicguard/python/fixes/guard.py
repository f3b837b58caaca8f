"""The fix of a thread class whose `run` is unguarded: a decorator of the runtime above it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.diagnostic import Applicability, Fix
from panicguard.python.fixes.component import label
from panicguard.python.fixes.rewrite import insert
from panicguard.python.fixes.runtime import reference

if TYPE_CHECKING:
    import libcst as cst

    from panicguard.python.file import PythonFile


def guard_fix(module: PythonFile, definition: cst.ClassDef, run: cst.FunctionDef) -> Fix | None:
    """`@mruntime.guarded(component=...)` above `run`; to be shown, not applied."""
    runtime = reference(module, run)
    if runtime is None:
        return None
    row, column = module.source.location(module.span(run)[0])
    margin = module.source.line(row)[: column - 1]
    component = label(definition.name.value)
    decorator = f'{margin}@{runtime.prefix}guarded(component="{component}"){module.source.newline}'
    edits = sorted((*runtime.edits, insert(module.source.offset(row, 1), decorator)))
    return Fix("Guard `run` with the runtime", tuple(edits), Applicability.DISPLAY_ONLY)
