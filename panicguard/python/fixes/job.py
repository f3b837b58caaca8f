"""The fix of pool jobs: `pool.submit(f, x, k=1)` -> `SafeGo("f", KeepRunning, f, args=(x,), kwargs={"k": 1},
executor=pool)`, and the same for run_in_executor with `loop=`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.diagnostic import Edit
from panicguard.python.apis import LOOP, THREAD_EXECUTORS
from panicguard.python.cst import cst
from panicguard.python.fixes.arguments import wrapped
from panicguard.python.fixes.context import is_handed_on
from panicguard.python.fixes.evaluation import has_effects, runs_later
from panicguard.python.fixes.rewrite import SAFEGO, WITH_CONTEXT, Labels, Rewrite, insert, may_remove_comment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from libcst import CSTNode

    from panicguard.python.file import PythonFile
    from panicguard.python.spawns import Spawn

_SUBMITS = frozenset(f"{executor}.submit" for executor in THREAD_EXECUTORS)


def rewrite_job(module: PythonFile, spawn: Spawn, labels: Labels) -> Rewrite | None:
    """A SafeGo of the same function in the same pool of threads; a job in another process would have to be pickled."""
    job = _job(module, spawn)
    if job is None or runs_later(module, spawn):
        return None
    where, function, args = job
    callee, front, edits = SAFEGO, labels.before(), []
    if args and args[0].keyword is None and not args[0].star and is_handed_on(module, spawn, args[0].value):
        context, *args = args
        callee, front = WITH_CONTEXT, f"{module.text(context)}{labels.separator}{front}"
        edits.append(Edit(module.span(function)[1], module.span(context)[1], ""))
    wrapping = wrapped(module, args, labels.quote)
    if wrapping is None:
        return None
    wrapping_edits, closing = wrapping
    keywords = "".join(f"{labels.separator}{key}={module.text(value)}" for key, value in where.items())
    edits += (
        Edit(module.span(spawn.call.args[0])[0], module.span(function)[0], front),
        *wrapping_edits,
        insert(module.span(args[-1] if args else function)[1], closing + keywords),
    )
    if any(may_remove_comment(module, edit) for edit in edits):
        return None
    return Rewrite(callee, edits, unsafe=any(has_effects(module, value) for value in where.values()))


def _job(module: PythonFile, spawn: Spawn) -> tuple[Mapping[str, CSTNode], cst.Arg, list[cst.Arg]] | None:
    """Where a job runs, as keyword arguments of SafeGo; its function and the arguments of that. None if it may not run
    in a thread, or its function is not the first argument."""
    submitted = _executor(module, spawn)
    if submitted is None:
        return None
    where, args = submitted
    if not args or args[0].keyword is not None or args[0].star:
        return None
    return where, args[0], list(args[1:])


def _executor(module: PythonFile, spawn: Spawn) -> tuple[Mapping[str, CSTNode], Sequence[cst.Arg]] | None:
    """The `executor=` and `loop=` of a job, and the arguments that are not among them."""
    args, owner = spawn.call.args, spawn.owner
    if spawn.api in _SUBMITS:
        return {} if owner is None else {"executor": owner}, args
    if spawn.api != f"{LOOP}.run_in_executor" or owner is None or not args or args[0].keyword is not None:
        return None
    pool = args[0].value
    if isinstance(pool, cst.Name) and pool.value == "None":
        return {"loop": owner}, args[1:]
    if module.names.type_of(pool) in THREAD_EXECUTORS:
        return {"executor": pool, "loop": owner}, args[1:]
    return None
