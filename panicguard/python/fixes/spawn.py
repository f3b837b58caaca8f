"""The fix of a raw spawn: the callee becomes a SafeGo or SafeThread of the runtime, and a component and a policy come
before the arguments, which stay where they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.diagnostic import Applicability, Edit, Fix
from panicguard.python import apis
from panicguard.python.apis import SpawnKind
from panicguard.python.fixes.component import component
from panicguard.python.fixes.job import rewrite_job
from panicguard.python.fixes.layout import fitted, laid_out
from panicguard.python.fixes.leftovers import tidied
from panicguard.python.fixes.quotes import quote_at
from panicguard.python.fixes.rewrite import Labels, Rewrite, may_remove_comment
from panicguard.python.fixes.runtime import reference
from panicguard.python.fixes.task import rewrite_handed, rewrite_task
from panicguard.python.fixes.thread import rewrite_start_new_thread, rewrite_thread
from panicguard.settings import VERSIONS, language, target_version

if TYPE_CHECKING:
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

    named = f"{quote}{component(module, spawn)}{quote}"
    policy = f"{runtime.prefix}{module.settings.default_policy}"

    def rewrite(separator: str) -> Rewrite | None:
        made = _rewrite(module, spawn, Labels(named, policy, separator, quote))
        if made is None:
            return None
        callee = Edit(*module.span(spawn.place), f"{runtime.prefix}{made.callee}")
        return made._replace(edits=[callee, *made.edits])

    made = laid_out(module, spawn.call, rewrite)
    if made is None:
        return None
    edits = tidied(module, spawn.place, made.edits, runtime.edits)
    unsafe = (
        made.unsafe
        or runtime.unsafe
        or module.settings.default_policy != "KeepRunning"
        or any(may_remove_comment(module, edit) for edit in edits)
        or (bool(runtime.edits) and _is_too_old(module))
    )
    return Fix(
        f"Spawn with `{runtime.prefix}{made.callee}`",
        tuple(sorted(fitted(module, spawn.call, edits))),
        Applicability.UNSAFE if unsafe else Applicability.SAFE,
    )


def _is_rewritable(module: PythonFile, spawn: Spawn) -> bool:
    """Whether it is known how the call spawns, and which argument is which; a stub file runs nothing. What is a loop by
    its name alone may be anything: SafeGo would take it for one of asyncio's."""
    if spawn.declared or spawn.guessed or language(module.settings, module.source.path) == "pyi":
        return False
    return spawn.kind is SpawnKind.FUTURE or not any(arg.star for arg in spawn.call.args)


def _is_too_old(module: PythonFile) -> bool:
    """Whether the module supports a Python on which the runtime cannot be imported."""
    return VERSIONS.index(target_version(module.settings, module.source.path)) < _OLDEST


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
