"""What the turn of a loop waits for: whether what it spawns may still run when the next turn begins.

A turn is one run of a loop's body.
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, NamedTuple

from panicguard.python.cst import cst
from panicguard.python.loops import innermost_loop, loops
from panicguard.python.tree import last_name
from panicguard.python.uses import UseKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from libcst import CSTNode

    from panicguard.python.file import PythonFile
    from panicguard.python.uses import Use


class Started(NamedTuple):
    """What a node starts, or will start: the `uses` of its handle, and the `owners` that may wait for all they run."""

    node: CSTNode
    uses: Sequence[Use]
    owners: Sequence[CSTNode] = ()
    is_iterator: bool = False
    """Whether the node gives an iterator, which waits for the results as it is read."""


_RESULTS = frozenset("result exception get".split())
_ENDS = frozenset("join wait cancel terminate kill".split())
"""Methods of a handle behind which what was started has ended, or is made to."""
_OWNER_JOINS = frozenset("shutdown join wait run_until_complete run_forever cancel_all".split())
_WAITERS = re.compile(r"wait|join|gather|result|until|complete|^run$", re.IGNORECASE)
"""The names of functions that wait for what they are given."""
_EAGER = frozenset(
    "list tuple set frozenset dict sorted sum min max any all collections.deque collections.Counter".split()
)
"""Functions that read all of an iterator."""
_ITERATING = frozenset("extend update join extendleft writelines".split())
"""Methods that do."""


def outlived(module: PythonFile, started: Started, site: CSTNode) -> frozenset[CSTNode]:
    """The loops around a place of which another turn may begin while what is started there runs."""
    found: set[CSTNode] = set()
    for loop in loops(module, site):
        if _is_waited_for(module, started, loop):
            break
        match _leaving(module, started.node, loop):
            case None | cst.Continue():
                found.add(loop)
            case cst.Return() | cst.Raise():
                break
    return frozenset(found)


# What waits


def _is_waited_for(module: PythonFile, started: Started, loop: CSTNode) -> bool:
    """Whether a turn of a loop waits for all that it started at a call."""
    takes_first = any(map(_waits_for_first, started.uses))
    joins = (use for use in started.uses if _is_join(module, use, all_results=not takes_first))
    ends = _iterations(module, started.node) if started.is_iterator else ()
    return (
        any(_runs_after(module, started, use.node, loop) for use in joins)
        or any(_is_owner_waited_for(module, started, owner, loop) for owner in started.owners)
        or any(_runs_after(module, started, end, loop) for end in ends)
    )


def _is_join(module: PythonFile, use: Use, *, all_results: bool) -> bool:
    """`all_results`: the results of some handles are not read before others are there."""
    match use.kind:
        case UseKind.AWAITED | UseKind.YIELDED:
            return True
        case UseKind.WAITED:
            return not _waits_for_first(use)
        case UseKind.METHOD:
            return use.name in _ENDS or (all_results and use.name in _RESULTS)
        case UseKind.ARGUMENT if isinstance(use.node, cst.Call):
            is_awaited = isinstance(module.tree.parents[use.node], cst.Await)
            return is_awaited or _WAITERS.search(last_name(use.node.func)) is not None
    return False


def _waits_for_first(use: Use) -> bool:
    """Whether a call of `wait` returns as soon as one of its handles is done."""
    return isinstance(use.node, cst.Call) and any(last_name(arg.value).startswith("FIRST_") for arg in use.node.args)


def _is_owner_waited_for(module: PythonFile, started: Started, owner: CSTNode, loop: CSTNode) -> bool:
    """Whether the turn leaves a `with` of the group or pool that runs what is started, or shuts it down."""
    name = last_name(owner)
    if not name:
        return False
    for above, child in module.tree.frames(started.node):
        if above is loop:
            break
        if isinstance(above, cst.With) and above.body is child and any(_binds(item, name) for item in above.items):
            return True
    return any(
        node.value in _OWNER_JOINS and _is_method_of(module, node, name) and _runs_after(module, started, node, loop)
        for node in module.tree.within(loop)
        if isinstance(node, cst.Name)
    )


def _binds(item: cst.WithItem, name: str) -> bool:
    return name == last_name(item.item if item.asname is None else item.asname.name)


def _is_method_of(module: PythonFile, method: cst.Name, owner: str) -> bool:
    attribute = module.tree.parents[method]
    call = module.tree.parents[attribute]
    if not isinstance(attribute, cst.Attribute) or last_name(attribute.value) != owner:
        return False
    return isinstance(call, cst.Call) and not any(last_name(arg.value) == "False" for arg in call.args)


def _iterations(module: PythonFile, call: CSTNode) -> Iterator[CSTNode]:
    """What reads all of the iterator that a call returns."""
    pending: list[CSTNode] = [call]
    seen: set[CSTNode] = set()
    while pending:
        node = pending.pop()
        if node in seen:
            continue
        seen.add(node)
        parent = module.tree.parents[node]
        match parent:
            case cst.For(iter=iterable) | cst.StarredElement(value=iterable) if iterable is node:
                yield parent
            case cst.From():
                yield parent
            case cst.CompFor():
                outer = module.tree.enclosing(node, cst.ListComp, cst.SetComp, cst.DictComp, cst.GeneratorExp)
                if isinstance(outer, cst.GeneratorExp):
                    pending.append(outer)
                elif outer is not None:
                    yield outer
            case cst.Arg(star=star):
                taker = module.tree.parents[parent]
                if star or _reads_all(module, taker):
                    yield parent
                else:
                    pending.append(taker)
            case cst.Assign(targets=targets):
                pending += _loads(module, parent, (target.target for target in targets))
            case cst.NamedExpr(target=target):
                pending += (parent, *_loads(module, parent, (target,)))
            case cst.AnnAssign(target=target):
                pending += _loads(module, parent, (target,))
            case cst.Element() | cst.Tuple() | cst.List():
                pending.append(parent)


def _loads(module: PythonFile, binder: CSTNode, targets: Iterable[CSTNode]) -> Iterator[CSTNode]:
    """Where the variables that a statement binds are read in its function."""
    scope = module.names.scope(binder)
    bound = {node.value for target in targets for node in module.tree.within(target) if isinstance(node, cst.Name)}
    for load in (load for name in bound for load in module.tree.named[name]):
        if module.flow.is_read(load) and module.names.scope(load) is scope:
            yield load


def _reads_all(module: PythonFile, call: CSTNode) -> bool:
    if not isinstance(call, cst.Call):
        return False
    if isinstance(call.func, cst.Attribute) and call.func.attr.value in _ITERATING:
        return True
    return module.names.qualified(call.func) in _EAGER


# Where it stands


def _runs_after(module: PythonFile, started: Started, node: CSTNode, loop: CSTNode) -> bool:
    """Whether each turn of a loop that runs a call runs a node behind it."""
    inside = dict(_path(module, started.node, loop))
    if node in inside:
        return True
    for above, below in _path(module, node, loop):
        if above in inside:
            return _is_in_order(above, inside[above], below)
        if isinstance(above, (cst.FunctionDef, cst.Lambda, cst.ExceptHandler)):
            return False
        if isinstance(above, cst.If) and below is not above.test and not _is_asked(module, above, inside, started):
            return False
    return False


def _path(module: PythonFile, node: CSTNode, loop: CSTNode) -> Iterator[tuple[CSTNode, CSTNode]]:
    """The ancestors of a node up to a loop, each with the child that the node is in."""
    for above in module.tree.ancestors(node):
        yield above, node
        if above is loop:
            return
        node = above


def _is_in_order(above: CSTNode, first: CSTNode, second: CSTNode) -> bool:
    """Whether of two children of a node the second one runs behind the first one."""
    match above:
        case cst.IndentedBlock(body=body) if first is not second:
            return any(node is second for node in itertools.dropwhile(lambda node: node is not first, body))
        case cst.If(body=then, orelse=other):
            return {first, second} != {then, other}
        case cst.For(body=body) | cst.While(body=body):
            return second is body
    return True


def _is_asked(module: PythonFile, branch: cst.If, inside: Iterable[CSTNode], started: Started) -> bool:
    """Whether a branch is taken wherever something was started: its test asks the handle, or is that of a branch around
    the call."""
    asking = (use.node for use in started.uses if use.kind is not UseKind.TESTED or not isinstance(use.node, cst.Call))
    if any(node in (branch, branch.test) or module.tree.is_in(node, branch.test) for node in asking):
        return True
    name = last_name(branch.test)
    return name != "" and any(isinstance(above, cst.If) and last_name(above.test) == name for above in inside)


def _leaving(module: PythonFile, node: CSTNode, loop: CSTNode) -> CSTNode | None:
    """The statement by which a turn of a loop leaves it wherever it has run a node."""
    left: CSTNode | None = None
    """The inner loop that is left too."""
    for above, below in _path(module, node, loop):
        if left is not None and below is not left:
            continue
        if isinstance(above, (cst.Return, cst.Raise)):
            return above
        end = _end(_rest(above, below))
        if isinstance(end, cst.Break) and (inner := innermost_loop(module, below)) is not loop:
            left = inner
        elif end is not None:
            return end
    return None


def _rest(above: CSTNode, own: CSTNode) -> Sequence[CSTNode]:
    """The statements that run behind one of them."""
    if isinstance(above, (cst.BaseSuite, cst.SimpleStatementLine)):
        return tuple(itertools.dropwhile(lambda statement: statement is not own, above.body))[1:]
    if isinstance(above, (cst.Try, cst.TryStar)) and own is above.body and above.orelse is not None:
        return (above.orelse,)
    return ()


def _end(body: Iterable[CSTNode]) -> CSTNode | None:
    """The `return`, `raise` or `break` that these statements always come to, or a `continue` that they may come to."""
    for statement in body:
        if isinstance(statement, (cst.Return, cst.Raise, cst.Break, cst.Continue)):
            return statement
        ends = list(_ends(statement))
        weakest = next((end for kind in (cst.Continue, cst.Break) for end in ends if isinstance(end, kind)), None)
        if isinstance(weakest, cst.Continue) or (ends and None not in ends):
            return weakest or ends[0]
    return None


def _ends(statement: CSTNode) -> Iterator[CSTNode | None]:
    """What each of the branches of a statement comes to."""
    match statement:
        case cst.SimpleStatementLine(body=body):
            yield _end(body)
        case cst.With(body=block) | cst.Else(body=block) | cst.Finally(body=block):
            yield _end(block.body)
        case cst.If(body=block, orelse=other):
            yield _end(block.body)
            yield None if other is None else _end((other,))
        case cst.Try() | cst.TryStar():
            yield from (_end(handler.body.body) for handler in statement.handlers)
            more = (part for part in (statement.orelse, statement.finalbody) if part is not None)
            yield _end((*statement.body.body, *more))
