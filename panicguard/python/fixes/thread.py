"""The fix of threads: `Thread(target=f).start()` -> `SafeGo("f", KeepRunning, f)`; a thread that is started elsewhere
becomes a SafeThread."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from panicguard.diagnostic import Edit
from panicguard.python.apis import THREAD
from panicguard.python.cst import cst
from panicguard.python.fixes.arguments import value_start
from panicguard.python.fixes.context import taken_from_args
from panicguard.python.fixes.evaluation import has_effects, runs_later
from panicguard.python.fixes.occurrences import block, occurrences
from panicguard.python.fixes.rewrite import SAFEGO, WITH_CONTEXT, Labels, Rewrite, insert, may_remove_comment

if TYPE_CHECKING:
    from panicguard.python.file import PythonFile
    from panicguard.python.spawns import Spawn

_ASSIGNED = re.compile(r"\w+[ \t]*=[ \t]*")
_SAFEGO_TAKES = frozenset(("target", "args", "kwargs", "name", "daemon"))
"""The arguments of Thread that SafeGo accepts too."""


def rewrite_thread(module: PythonFile, spawn: Spawn, labels: Labels) -> Rewrite | None:
    """A SafeGo if the thread is started at once, else a SafeThread with the same arguments."""
    args = spawn.call.args
    if module.names.qualified(spawn.call.func) != THREAD or not args or runs_later(module, spawn):
        return None
    return _as_safego(module, spawn, labels) or Rewrite(
        "SafeThread", [insert(module.span(args[0])[0], labels.before())]
    )


def rewrite_start_new_thread(module: PythonFile, spawn: Spawn, labels: Labels) -> Rewrite | None:
    """`start_new_thread(f, (x,))` -> `SafeGo("f", KeepRunning, f, args=(x,), daemon=True)`: nobody waits for such a
    thread at exit. The identifier of the thread is lost, which matters only if the result is read."""
    args = spawn.call.args
    if len(args) < 2 or any(arg.keyword is not None for arg in args) or runs_later(module, spawn):
        return None
    edits = [insert(module.span(args[0])[0], labels.before()), insert(module.span(args[1])[0], "args=")]
    if len(args) > 2:
        edits.append(insert(module.span(args[2])[0], "kwargs="))
    edits.append(insert(module.span(args[-1])[1], f"{labels.separator}daemon=True"))
    return Rewrite(SAFEGO, edits, unsafe=not isinstance(module.tree.parents[spawn.call], cst.Expr))


def _as_safego(module: PythonFile, spawn: Spawn, labels: Labels) -> Rewrite | None:
    """The SafeGo for a thread whose construction and start are one chain or two neighbouring statements."""
    keywords = [arg.keyword.value if arg.keyword is not None else "" for arg in spawn.call.args]
    if "target" not in keywords or not _SAFEGO_TAKES.issuperset(keywords):
        return None
    start = _start(module, spawn.call)
    if start is None or any(may_remove_comment(module, edit) for edit in start):
        return None
    position = keywords.index("target")
    made = _target_moved(module, spawn, position, labels) if position else _target_first(module, spawn, labels)
    return None if made is None else made._replace(edits=[*made.edits, *start])


def _target_first(module: PythonFile, spawn: Spawn, labels: Labels) -> Rewrite:
    """`target=f` is the first argument and stays where it is, without its keyword."""
    target = spawn.call.args[0]
    keyword = module.span(target)[0], value_start(module, target)
    taken = taken_from_args(module, spawn)
    if taken is None:
        return Rewrite(SAFEGO, [Edit(*keyword, labels.before())])
    context, edits = taken
    return Rewrite(WITH_CONTEXT, [Edit(*keyword, f"{context}{labels.separator}{labels.before()}"), *edits])


def _target_moved(module: PythonFile, spawn: Spawn, position: int, labels: Labels) -> Rewrite | None:
    """`target=f` is moved before the other arguments; None if that could make a difference or loses a comment."""
    args = spawn.call.args
    target = args[position]
    start, end = module.span(target)
    if position + 1 < len(args):
        removed = Edit(start, module.span(args[position + 1])[0], "")
    else:
        removed = Edit(module.span(args[position - 1])[1], end, "")
    if may_remove_comment(module, removed) or has_effects(module, target.value):
        return None
    written = module.source.text[value_start(module, target) : end]
    return Rewrite(SAFEGO, [insert(module.span(args[0])[0], labels.before(written)), removed])


def _start(module: PythonFile, call: cst.Call) -> list[Edit] | None:
    """The edits that remove the start of a thread, if it follows at once and nothing can tell the difference."""
    attribute = module.tree.parents[call]
    if not isinstance(attribute, cst.Attribute):
        return _next_statement_start(module, call)
    started = module.tree.parents[attribute]
    if not (isinstance(started, cst.Call) and attribute.attr.value == "start" and not started.args):
        return None
    if not isinstance(module.tree.parents[started], cst.Expr):
        return None
    return [Edit(module.span(call)[1], module.span(started)[1], "")]


def _next_statement_start(module: PythonFile, call: cst.Call) -> list[Edit] | None:
    """For `t = Thread(...)` and then `t.start()`: the removal of the second line, and of `t = ` if nothing else reads
    it. Only for a variable that nothing but
    this function sees: the new thread could read any other before it is assigned."""
    assign = module.tree.parents[call]
    if not (isinstance(assign, cst.Assign) and len(assign.targets) == 1):
        return None
    variable, line = assign.targets[0].target, module.tree.parents[assign]
    if not (isinstance(variable, cst.Name) and isinstance(line, cst.SimpleStatementLine)):
        return None
    following = _following(module, line)
    if following is None or not _is_start_of(following, variable.value) or not _is_private(module, variable):
        return None
    start, end = module.span(following)
    row, _ = module.source.location(start)
    end_row, _ = module.source.location(end)
    if "#" in module.source.line(end_row):
        return None
    removed = Edit(module.source.offset(row, 1), module.source.offset(end_row + 1, 1), "")
    start, end = module.span(variable)[0], module.span(call)[0]
    if _ASSIGNED.fullmatch(module.source.text, start, end) and not _is_read(module, variable):
        return [Edit(start, end, ""), removed]
    return [removed]


def _is_read(module: PythonFile, variable: cst.Name) -> bool:
    """Whether the function around a variable reads it other than to start what it was assigned on the line before."""
    function, tree = module.tree.function(variable), module.tree
    if not isinstance(function, cst.FunctionDef):
        return True
    known: set[int] = set()
    for name in tree.named_in[function, variable.value]:
        assign = tree.parents[tree.parents[name]]
        if isinstance(assign, cst.Assign) and isinstance(line := tree.parents[assign], cst.SimpleStatementLine):
            known.add(module.span(name)[0])
            following = _following(module, line)
            if following is not None and _is_start_of(following, variable.value):
                known.add(module.span(following)[0])
    reach = block(module.source.text, module.span(function.name)[0])
    return not known.issuperset(occurrences(module.source.text, variable.value).inside(*reach).all)


def _following(module: PythonFile, line: cst.SimpleStatementLine) -> cst.SimpleStatementLine | None:
    """The line after a line in its block, if each is one simple statement."""
    following = module.tree.following.get(line)
    if isinstance(following, cst.SimpleStatementLine) and len(following.body) == 1 and len(line.body) == 1:
        return following
    return None


def _is_start_of(line: cst.SimpleStatementLine, variable: str) -> bool:
    match line.body[0]:
        case cst.Expr(
            value=cst.Call(func=cst.Attribute(value=cst.Name(value=name), attr=cst.Name(value="start")), args=())
        ):
            return bool(name == variable)
    return False


def _is_private(module: PythonFile, variable: cst.Name) -> bool:
    """Whether a variable belongs to the function around it and no nested one uses it."""
    function = module.tree.function(variable)
    scope, _ = module.names.lookup(variable.value, module.names.scope(variable))
    if function is None or scope is not function:
        return False
    return function not in module.names.scopes.sharing(variable.value)
