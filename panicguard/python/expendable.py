"""Work whose errors nobody needs to hear of: what is left of it when it fails is what was meant for that case."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from panicguard.python import naming
from panicguard.python.blocks import leaves, statements
from panicguard.python.cst import cst
from panicguard.python.handlers import is_cleanup
from panicguard.python.loops import innermost_loop
from panicguard.python.tree import last_name
from panicguard.python.uses import UseKind

if TYPE_CHECKING:
    from libcst import CSTNode

    from panicguard.python.file import PythonFile
    from panicguard.python.spawns import Spawn

_TRYING = re.compile(
    r"_*(?:try|maybe|safe(?:ly)?)_|(?:quiet|silent|safe)ly$|best_effort|telemetry|analytics|pre_?warm|warm_?up"
)
"""What the name of a function, or of its class, says if it may fail."""
_PARSING = re.compile(
    r"_*(?:parse|decode|loads?$|unpack|from_|to_|int$|float$|str$|strip|split|strptime|get$|len$)", re.IGNORECASE
)
"""Functions that make something of one line or item of somebody's data."""
_COPYING = re.compile(r"_*(?:read|recv|receive|iter$|write|send|drain|flush|decode|strip|append|put|print|len$|encode)")
"""Methods by which data is copied from where it is read to where it is written."""
_READING = re.compile(r"_*(?:read|recv|receive|iter$)")


def is_expendable(module: PythonFile, node: cst.Try | cst.TryStar | cst.With, function: CSTNode | None) -> bool:
    """Whether nobody needs to hear of an error in the body of a `try` or a `suppress`: it cleans up, an earlier value
    stands in for what it sets, it skips an item, copies until its input ends, or may fail by its name."""
    name = function.name.value if isinstance(function, cst.FunctionDef) else ""
    owner = module.tree.enclosing(function, cst.ClassDef) if function is not None else None
    return (
        naming.is_cleanup(name)
        or _TRYING.search(name) is not None
        or (owner is not None and _TRYING.search(owner.name.value.lower()) is not None)
        or is_cleanup(module, node.body)
        or _has_default(module, node)
        or _skips_item(module, node)
        or _copies(module, node)
    )


def is_closed_and_waited_for(spawn: Spawn) -> bool:
    """Whether a task that nothing keeps only closes something, and is waited for without raising its error."""
    kinds = {use.kind for use in spawn.uses}
    is_closing = isinstance(spawn.target, cst.Call) and naming.is_cleanup(last_name(spawn.target.func))
    return is_closing and UseKind.WAITED in kinds and UseKind.KEPT not in kinds


def _has_default(module: PythonFile, node: cst.Try | cst.TryStar | cst.With) -> bool:
    """Whether a body only sets variables that have a value already, with which the function goes on, or that are read
    nowhere else."""
    done = statements(node.body)
    if not isinstance(node, cst.With) and any(leaves(statements(handler.body)) for handler in node.handlers):
        return False
    own = set(module.tree.within(node.body))
    start, _ = module.span(node)
    names = [name for statement in done for name in _set_by(module, statement)]
    return (
        all(_set_by(module, statement) for statement in done)
        and any(_is_set_before(module, name, start) for name in names)
        and all(_is_set_before(module, name, start) or own.issuperset(module.tree.named[name.value]) for name in names)
    )


def _set_by(module: PythonFile, statement: CSTNode) -> list[cst.Name]:
    """The variables that a statement sets; none, if it does anything else."""
    match statement:
        case cst.Assign(targets=targets):
            nodes = [node for target in targets for node in module.tree.within(target.target)]
        case cst.Expr(value=cst.NamedExpr(target=target)):
            nodes = [target]
        case _:
            return []
    only_names = not any(isinstance(node, (cst.Attribute, cst.Subscript)) for node in nodes)
    return [node for node in nodes if isinstance(node, cst.Name)] if only_names else []


def _is_set_before(module: PythonFile, name: CSTNode, start: int) -> bool:
    scope = module.names.scope(name)
    _, bindings = module.names.lookup(last_name(name), scope)
    return any(
        module.span(binding.node)[0] < start and module.names.scope(binding.node) is scope for binding in bindings
    )


def _skips_item(module: PythonFile, node: cst.Try | cst.TryStar | cst.With) -> bool:
    """Whether a turn of a loop only reads one item of foreign data in a body."""
    return innermost_loop(module, node) is not None and _only_calls(module, node, _PARSING)


def _copies(module: PythonFile, node: cst.Try | cst.TryStar | cst.With) -> bool:
    """Whether a body is a loop that reads until there is no more."""
    *_, last = statements(node.body) or (None,)
    if not isinstance(last, (cst.For, cst.While)) or not _only_calls(module, node, _COPYING):
        return False
    calls = (inner for inner in module.tree.within(last) if isinstance(inner, cst.Call))
    return isinstance(last, cst.For) or any(_READING.match(last_name(call.func)) for call in calls)


def _only_calls(module: PythonFile, node: CSTNode, names: re.Pattern[str]) -> bool:
    """Whether the body of a statement calls something, and nothing but what has one of these names."""
    calls = [inner for inner in module.tree.own(node) if isinstance(inner, cst.Call)]
    return bool(calls) and all(names.match(last_name(call.func)) for call in calls)
