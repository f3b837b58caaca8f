"""The fix of a raw spawn: the callee becomes a SafeGo or SafeThread of the runtime, and a component and a policy come
before the arguments, which stay where they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.diagnostic import Applicability, Edit, Fix
from panicguard.python import apis
from panicguard.python.apis import SpawnKind
from panicguard.python.fixes.component import component
from panicguard.python.fixes.job import rewrite_job
from panicguard.python.fixes.leftovers import tidied
from panicguard.python.fixes.quotes import quote_at
from panicguard.python.fixes.rewrite import Labels, Rewrite, may_remove_comment
from panicguard.python.fixes.runtime import reference
from panicguard.python.fixes.task import rewrite_handed, rewrite_task
from panicguard.python.fixes.thread import rewrite_start_new_thread, rewrite_thread
from panicguard.settings import VERSIONS, language, target_version

if TYPE_CHECKING:
    import libcst as cst

    from panicguard.python.file import PythonFile
    from panicguard.python.spawns import Spawn

_OLDEST = VERSIONS.index("py310")
"""The oldest Python that the runtime runs on."""


def spawn_fix(module: PythonFile, spawn: Spawn) -> Fix | None:
    """The fix for a raw spawn; None if no rewrite is right."""
    if not _is_rewritable(module, spawn):
        return None
    runtime, quote = reference(module, spawn.call), quote_at(module, spawn.call)
    if runtime is None or quote is None:
        return None
    rewrite = _rewrite(module, spawn, _labels(module, spawn, runtime.prefix, quote))
    if rewrite is None:
        return None
    callee = f"{runtime.prefix}{rewrite.callee}"
    edits = tidied(module, spawn.place, (Edit(*module.span(spawn.place), callee), *rewrite.edits), runtime.edits)
    unsafe = (
        rewrite.unsafe
        or runtime.unsafe
        or module.settings.default_policy != "KeepRunning"
        or any(may_remove_comment(module, edit) for edit in edits)
        or (bool(runtime.edits) and _is_too_old(module))
    )
    return Fix(f"Spawn with `{callee}`", tuple(sorted(edits)), Applicability.UNSAFE if unsafe else Applicability.SAFE)


def _is_rewritable(module: PythonFile, spawn: Spawn) -> bool:
    """Whether it is known how the call spawns, and which argument is which; a stub file runs nothing. What is a loop by
    its name alone may be anything: SafeGo would take it for one of asyncio's."""
    if spawn.declared or spawn.guessed or language(module.settings, module.source.path) == "pyi":
        return False
    return spawn.kind is SpawnKind.FUTURE or not any(arg.star for arg in spawn.call.args)


def _is_too_old(module: PythonFile) -> bool:
    """Whether the module supports a Python on which the runtime cannot be imported."""
    return VERSIONS.index(target_version(module.settings, module.source.path)) < _OLDEST


def _labels(module: PythonFile, spawn: Spawn, prefix: str, quote: str) -> Labels:
    written = f"{quote}{component(module, spawn)}{quote}"
    return Labels(written, f"{prefix}{module.settings.default_policy}", _separator(module, spawn.call), quote)


def _separator(module: PythonFile, call: cst.Call) -> str:
    """What to write between new arguments: a line break if the call's own arguments are on lines of their own."""
    if call.args:
        row, column = module.source.location(module.span(call.args[0])[0])
        end_row, _ = module.source.location(module.span(call.args[-1])[1])
        margin = module.source.line(row)[: column - 1]
        if row < end_row and not margin.strip():
            return f",{module.source.newline}{margin}"
    return ", "


def _rewrite(module: PythonFile, spawn: Spawn, labels: Labels) -> Rewrite | None:
    match spawn.kind, spawn.api:
        case _ if spawn.handed is not None:
            return rewrite_handed(module, spawn, spawn.handed, labels)
        case SpawnKind.TASK, _:
            return rewrite_task(module, spawn, labels)
        case SpawnKind.THREAD, apis.THREAD:
            return rewrite_thread(module, spawn, labels)
        case SpawnKind.THREAD, "_thread.start_new_thread":
            return rewrite_start_new_thread(module, spawn, labels)
        case SpawnKind.FUTURE, _:
            return rewrite_job(module, spawn, labels)
    return None
