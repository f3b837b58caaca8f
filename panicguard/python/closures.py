"""Closures: which are handed to a spawn, and what they read from the enclosing functions when they run."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias, Union

from panicguard.python.apis import SpawnKind
from panicguard.python.cst import cst
from panicguard.python.loops import innermost_loop, loops
from panicguard.python.scopes import BindingKind
from panicguard.python.tree import last_name
from panicguard.python.turns import Started, outlived
from panicguard.python.uses import UseKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from libcst import CSTNode

    from panicguard.python.file import PythonFile
    from panicguard.python.scopes import Binding
    from panicguard.python.spawns import Spawn
    from panicguard.python.uses import Use

Closure: TypeAlias = Union["cst.FunctionDef", "cst.Lambda", "cst.GeneratorExp"]

_DEFINING = (BindingKind.FUNCTION, BindingKind.CLASS, BindingKind.IMPORT)
"""The bindings that give a name the same value on every turn of a loop."""
_COROUTINES = (SpawnKind.TASK, SpawnKind.GATHER, SpawnKind.GROUP, SpawnKind.SAFE)
"""The spawns that may be given a call of an async function, which runs nothing yet."""
_TO_THREAD = "asyncio.to_thread"
_HANDING_ON = frozenset(("functools.partial", _TO_THREAD, "asyncio.wait_for", "asyncio.shield"))
"""Calls that run nothing of what they are given before what they return is run."""
_LAZY = frozenset("map filter zip enumerate iter itertools.chain itertools.starmap itertools.takewhile".split())
"""Functions that return an iterator, which reads what it is given as it is read."""


_WAITING = (UseKind.AWAITED, UseKind.WAITED, UseKind.DROPPED, UseKind.TESTED)
"""Uses of a coroutine that hand it on to nobody else."""


class _Late(NamedTuple):
    """A closure that is handed on at `site` and runs later, in what is started there."""

    closure: Closure
    site: CSTNode
    started: Started


def captured(module: PythonFile) -> Iterator[tuple[Closure, list[str]]]:
    """The closures that may run when a loop around them has moved on, each with the names that they read then and that
    the loop rebinds on every turn: each once, in the order of the text."""
    read: dict[Closure, dict[str, None]] = {}
    for late in _late(module):
        if _is_made_in_turn(module, late):
            around = outlived(module, late.started, late.site)
            read.setdefault(late.closure, {}).update(dict.fromkeys(_read_later(module, late.closure, around)))
    return ((closure, list(names)) for closure, names in read.items() if names)


def _is_made_in_turn(module: PythonFile, late: _Late) -> bool:
    """Whether each turn of a loop makes a closure anew and hands it on."""
    around = set(loops(module, late.site))
    return bool(around) and not around.isdisjoint(above for above, _ in module.tree.frames(late.closure))


def is_bound_behind(module: PythonFile, closure: Closure, name: str) -> bool:
    """Whether a variable that a closure reads gets its value only behind the closure, in the same turn of a loop."""
    _, bindings = module.names.lookup(name, module.names.scope(closure))
    around = set(loops(module, closure))
    start, _ = module.span(closure)
    return any(
        module.span(b.node)[0] > start
        for b in bindings
        if not isinstance(b.node, cst.CompFor)
        and not around.isdisjoint(above for above, _ in module.tree.frames(b.node))
    )


# Which are handed on


def _late(module: PythonFile) -> Iterator[_Late]:
    for spawn in module.spawns:
        started = _started(module, spawn)
        if spawn.definition is not None:
            yield _Late(spawn.definition, spawn.call, started)
        for value in _run_later(spawn, started.uses):
            is_coroutine = value is spawn.target or spawn.kind is SpawnKind.GATHER
            for closure, site in _closures(module, value, is_coroutine=is_coroutine and spawn.kind in _COROUTINES):
                yield _Late(closure, site, started)
    for call, started in _coroutines(module):
        yield from (_Late(c, site, started) for c, site in _closures(module, call, is_coroutine=True))
    for function in _spawned_by_decorator(module):
        yield _Late(function, function, Started(function, ()))


def _started(module: PythonFile, spawn: Spawn) -> Started:
    uses = spawn.uses or tuple(module.flow.uses(spawn.call))
    owners = [spawn.owner] if spawn.owner is not None else []
    if spawn.api.endswith(".run_in_executor"):
        owners += [arg.value for arg in spawn.call.args[:1]]
    return Started(spawn.call, uses, owners, is_iterator=spawn.kind is SpawnKind.MAP)


def _run_later(spawn: Spawn, uses: Iterable[Use]) -> Iterator[CSTNode]:
    """The arguments of a spawn that are read when what it starts runs, and the callbacks of its handle."""
    is_map = "map" in spawn.api.rpartition(".")[2]  # it reads what it iterates over at once
    for arg in spawn.call.args:
        if not is_map or arg.keyword is not None:
            yield arg.value
    for use in uses:
        if use.name == "add_done_callback" and isinstance(use.node, cst.Call):
            yield from (arg.value for arg in use.node.args)


def _coroutines(module: PythonFile) -> Iterator[tuple[cst.Call, Started]]:
    """The calls of async functions that are given to a spawn, which runs them; not those that are awaited at once."""
    spawns: dict[CSTNode, Started] = {
        spawn.call: _started(module, spawn) for spawn in module.spawns if not spawn.waited_for(module.tree)
    }
    functions = module.tree.all(cst.FunctionDef)
    names = {"to_thread", *(function.name.value for function in functions if function.asynchronous is not None)}
    for call in module.tree.all(cst.Call):
        if last_name(call.func) not in names or innermost_loop(module, call) is None:
            continue
        uses = tuple(module.flow.uses(call))
        runs = [spawns[use.node] for use in uses if use.node in spawns]
        called = module.names.resolve(call.func)
        is_run = runs and all(use.node in spawns or use.kind in _WAITING for use in uses)
        if called == _TO_THREAD or (is_run and isinstance(called, cst.FunctionDef) and called.asynchronous is not None):
            more = (use for started in runs for use in started.uses)
            yield call, Started(call, (*uses, *more), [owner for started in runs for owner in started.owners])


def _closures(module: PythonFile, value: CSTNode, *, is_coroutine: bool) -> Iterator[tuple[Closure, CSTNode]]:
    """The closures that are, or are in, a value that is handed on, each with the place where it is; of a coroutine,
    what it runs and is given."""
    pending = [(value, is_coroutine)]
    while pending:
        node, runs = pending.pop()
        match node:
            case cst.Lambda() | cst.GeneratorExp():
                yield node, node
            case cst.Name() | cst.Attribute():
                definition = module.names.definition(node)
                if isinstance(definition, (cst.FunctionDef, cst.Lambda)):
                    yield definition, node
            case cst.Tuple(elements=elements) | cst.List(elements=elements) | cst.Set(elements=elements):
                pending += ((element.value, runs) for element in elements)
            case cst.Dict(elements=elements):
                pending += ((element.value, False) for element in elements)
            case cst.ListComp(elt=elt) | cst.SetComp(elt=elt):
                pending.append((elt, runs))
            case cst.IfExp(body=body, orelse=orelse):
                pending += ((body, runs), (orelse, runs))
            case cst.Call(func=func, args=args):
                name = module.names.qualified(func)
                if name in _HANDING_ON or name in _LAZY:
                    pending += ((arg.value, runs and name not in _LAZY) for arg in args)
                elif runs and _may_be_async(module, func):
                    pending += ((func, False), *((arg.value, False) for arg in args))


def _may_be_async(module: PythonFile, func: CSTNode) -> bool:
    """Whether a call of a function may run nothing yet; what is not defined here is taken for async where a coroutine
    is due."""
    function = module.names.definition(func)
    return not isinstance(function, cst.FunctionDef) or function.asynchronous is not None


def _spawned_by_decorator(module: PythonFile) -> Iterator[cst.FunctionDef]:
    """The functions under a decorator of this module that spawns what it decorates."""
    spawners = _spawners(module)
    for function in module.tree.all(cst.FunctionDef):
        if any(module.names.definition(decorator.decorator) in spawners for decorator in function.decorators):
            yield function


def _spawners(module: PythonFile) -> set[CSTNode]:
    """The functions of this module that spawn their first parameter."""
    spawners: set[CSTNode] = set()
    for spawn in module.spawns:
        function = module.tree.function(spawn.call)
        if (
            isinstance(function, cst.FunctionDef)
            and function.params.params
            and isinstance(spawn.target, cst.Name)
            and spawn.target.value == function.params.params[0].name.value
        ):
            spawners.add(function)
    return spawners


# What they read


def _read_later(module: PythonFile, closure: Closure, around: frozenset[CSTNode]) -> Iterator[str]:
    """The names that a closure reads when it runs and that one of these loops rebinds on every turn."""
    seen_from = {module.names.scope(closure), *around}  # comprehensions are scopes
    shared = _written(module, closure) | _awaited(module, closure)
    for node in (name for part in _run_parts(closure) for name in module.tree.within(part)):
        if not isinstance(node, cst.Name) or node.value in shared or not module.flow.is_read(node):
            continue
        scope, bindings = module.names.lookup(node.value, module.names.scope(node))
        is_outer = scope in seen_from and closure not in _with_frames(module, scope)
        if is_outer and not any(b.kind in _DEFINING for b in bindings) and _is_bound_in(module, around, bindings):
            yield node.value


def _run_parts(closure: Closure) -> tuple[CSTNode, ...]:
    """What of a closure runs later: the first iterable of a generator is evaluated where it is written."""
    if not isinstance(closure, cst.GeneratorExp):
        return (closure.body,)
    inner = closure.for_in.inner_for_in
    return (closure.elt, *closure.for_in.ifs, *(() if inner is None else (inner,)))


def _written(module: PythonFile, closure: Closure) -> set[str]:
    """The variables of the enclosing function that a closure sets: it shares them on purpose."""
    declared = (node for node in module.tree.within(closure) if isinstance(node, cst.Nonlocal))
    return {item.name.value for declaration in declared for item in declaration.names}


def _awaited(module: PythonFile, closure: Closure) -> set[str]:
    """The variables that the turn of a loop that makes a closure awaits: futures that the closure sets."""
    loop = innermost_loop(module, closure)
    if not isinstance(loop, (cst.For, cst.While)):
        return set()
    awaited = (node.expression for node in module.tree.own(loop) if isinstance(node, cst.Await))
    return {node.value for node in awaited if isinstance(node, cst.Name)}


def _is_bound_in(module: PythonFile, around: frozenset[CSTNode], bindings: list[Binding]) -> bool:
    """Whether one of these loops, or a statement in it, binds a name."""
    return any(not around.isdisjoint(_with_frames(module, b.node)) for b in bindings)


def _with_frames(module: PythonFile, node: CSTNode | None) -> Iterator[CSTNode]:
    if node is not None:
        yield node
        yield from (above for above, _ in module.tree.frames(node))
