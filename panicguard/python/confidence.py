"""How sure it is that somebody would act on a finding about a spawn: what would be lost in practice with its error.

All rules about spawns ask here, once they have found that nothing proves an error to be heard. The rest is of low
confidence: whoever wrote what runs has provided for the errors to be expected; or its purpose is one that may fail; or
its owner asks whether it still runs, and starts it anew.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from panicguard.python.apis import SpawnKind
from panicguard.python.bodies import functions_in
from panicguard.python.calls import answer
from panicguard.python.coroutines import call_of
from panicguard.python.cst import cst
from panicguard.python.guards import keeps_elsewhere
from panicguard.python.practice import provides
from panicguard.python.tree import last_name
from panicguard.python.uses import UseKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from libcst import CSTNode

    from panicguard.python.file import PythonFile
    from panicguard.python.slice.outline import Block, Outline
    from panicguard.python.spawns import Spawn

_MAY_FAIL = re.compile(
    r"telemetry|analytics|usage_?(?:stat|report|data)|(?:send|post|report|push|upload)_?(?:anonymous_?)?(?:stats|statistics)(?![a-z])|"
    r"pre_?(?:fetch|load|warm|heat|cache)|warm_?up|warm_(?:the_)?cache|cache_?warm|phone_?home|"
    r"(?:check|look)_?(?:for_?)?(?:new_?)?(?:updates?|versions?|upgrades?)(?![a-z])|"
    r"(?:update|version|upgrade)_?(?:check|notif)|(?:latest|newest|pypi|current)_?versions?(?![a-z])|outdated|"
    r"new_?release|release_?check|open_?(?:web_?)?browser|best_?effort",
    re.IGNORECASE,
)
"""What the names of work say that is done if it can be, and missed by nobody."""
_CLOSES = re.compile(
    r"_*(?:a?close|disconnect|terminate|kill|release|dispose|unsubscribe|unregister|detach|clean_?up)"
    r"(?:_(?:all|free|idle|old|connections?|clients?|sessions?|sockets?|streams?|transports?|quietly|silently|later))*_*$"
)
"""What closes something that is of another module."""
_COMMAND = re.compile(r"(?:^|[/\\])_?cli(?:\.py$|[/\\])")
"""Where commands are: what a thread prints to standard error, the user sees."""
_IS_OVER = r"not(?:\w+\.)*{0}\.is_alive|Noneor(?:\w+\.)*{0}\.done"
"""How one asks whether a thread or a task of this name is over, without blanks and brackets."""
_LAYOUT = re.compile(r"[\s\\()]+")
_QUEUE = re.compile(r"queue|event|(?:^|_)q$|chan|box$|buffer", re.IGNORECASE)
_GENERIC = frozenset("run start stop get put main loop work send read write handle process execute call".split())
"""Names that say nothing of which function is meant, but on the module's own object."""
_RECEIVERS = ("self", "cls")


def would_be_missed(module: PythonFile, spawn: Spawn) -> bool:
    """Whether somebody would act on an error of what is spawned; with `low-confidence` and `strict-spawns`, always."""
    if _asks_for_all(module):
        return True
    target = _target(module, spawn)
    definition = spawn.definition if isinstance(spawn.definition, cst.FunctionDef) else None
    name = last_name(target) if definition is None else definition.name.value
    given = (module.text(arg.value) for arg in spawn.call.args if arg.keyword and arg.keyword.value == "name")
    if _is_of_purpose(module, definition or spawn.call, name, *given):
        return False
    if spawn.definition is None and (_CLOSES.match(name) or _is_put_on_queue(target)):
        return False
    if definition is not None and _never_runs(module, spawn, definition):
        return True
    if spawn.kind is SpawnKind.THREAD and _COMMAND.search(module.source.path):
        return False
    if _is_started_anew(module, spawn) or keeps_elsewhere(module, target) == "EXPECTED":
        return False
    is_own = isinstance(target, cst.Name) or (
        isinstance(target, cst.Attribute) and last_name(target.value) in _RECEIVERS
    )
    if isinstance(spawn.definition, cst.Lambda) or not (definition or is_own or name not in _GENERIC):
        return True
    return not _provides(module, name, definition)


def _asks_for_all(module: PythonFile) -> bool:
    return module.settings.low_confidence or module.settings.strict_spawns


def _never_runs(module: PythonFile, spawn: Spawn, function: cst.FunctionDef) -> bool:
    """Whether a thread or a pool only calls what is to be run: an async function, or a generator."""
    is_generator = any(isinstance(node, cst.Yield) for node in module.tree.own(function))
    is_called = isinstance(spawn.target, cst.Call)
    return spawn.kind is not SpawnKind.TASK and not is_called and (is_generator or function.asynchronous is not None)


def run_would_be_missed(module: PythonFile, run: cst.FunctionDef) -> bool:
    """The same of the `run` of a class of threads."""
    if _asks_for_all(module):
        return True
    is_of_purpose = _is_of_purpose(module, run, "") or _COMMAND.search(module.source.path)
    return not (is_of_purpose or _provides(module, run.name.value, run))


def _target(module: PythonFile, spawn: Spawn) -> CSTNode:
    """What names the function that runs."""
    target = spawn.target or spawn.call
    call = call_of(module, target)
    if call is None:
        return target
    is_partial = module.names.qualified(call.func) == "functools.partial" and call.args
    return call.args[0].value if is_partial else call.func


def _is_put_on_queue(target: CSTNode) -> bool:
    """Whether no more is done than to put something into a queue or to set an event."""
    match target:
        case cst.Attribute(value=owner, attr=cst.Name(value="put" | "set" | "put_nowait")):
            return _QUEUE.search(last_name(owner)) is not None
    return False


def _is_of_purpose(module: PythonFile, node: CSTNode, *names: str) -> bool:
    """Whether something is called as work that may fail: by its names, its class or its file."""
    owner = module.tree.enclosing(node, cst.ClassDef)
    around = () if owner is None else (owner.name.value,)
    return any(map(_MAY_FAIL.search, (*names, *around, re.split(r"[/\\]", module.source.path)[-1])))


def _is_started_anew(module: PythonFile, spawn: Spawn) -> bool:
    """Whether a function asks whether what an attribute keeps is over, before it starts that again."""
    function = module.tree.function(spawn.call)
    kept = {use.name for use in spawn.uses if use.kind is UseKind.KEPT} - {""}
    text = "" if function is None else _LAYOUT.sub("", module.text(function))
    return any(re.search(_IS_OVER.format(re.escape(name)), text) for name in kept)


def _provides(module: PythonFile, name: str, definition: cst.FunctionDef | None) -> bool:
    row = None if definition is None else module.source.location(module.span(definition.name)[0])[0]
    return bool(name) and bool(answer(module.source.text, lambda outline: _asked(outline, name, row)))


def _asked(outline: Outline, name: str, row: int | None) -> bool:
    """Whether the one function of a name, at a row if that is known, provides for errors."""
    blocks = outline.by_name.get(name, ()) if row is None else (outline.block(row - 1),)
    found = [(block, f) for block in blocks if block is not None for f in functions_in(block.whole.node, name)]
    if row is not None and len(found) > 1:
        found = [(block, f) for block, f in found if f.lineno == row]
    if len(found) != 1:
        return False
    block, function = found[0]
    return provides(function, block.whole.node, outline.text, lambda wanted: _named(outline, block, wanted))


def _named(outline: Outline, block: Block, name: str) -> Sequence[Any]:
    """The functions that are called by a name: methods are those of the class of a block, if it has them."""
    is_method = name.startswith(".")
    found = [at for at in outline.by_name.get(name.lstrip("."), ()) if at.is_in_class is is_method]
    same = [at for at in found if at.owners and block.owners and at.owners[-1] is block.owners[-1]]
    return [function for at in same or found for function in functions_in(at.whole.node, at.name)]
