"""Checks for spawned closures that read a loop's variable.

## What it does

Reports a lambda or a nested function that is handed to a spawn inside a loop, or under a decorator that spawns
it, and reads a name that the loop binds anew on every turn, without having bound it as a default. A turn that waits for
what it spawned, or that always leaves the function, is fine. In Go: a function
literal spawned in a loop that reads a variable which all turns share: one that the loop sets and does not declare, and
in a file for Go before 1.22 also one that it declares.

## Why is this bad

A closure reads the variable when it runs, not when it is made. By then the loop has gone on: every task or
thread may see the last value.

## Example

```python
import threading


def handle(item): ...


def main(items):
    for item in items:
        threading.Thread(target=lambda: handle(item)).start()
```

## Use instead

```python
import threading


def handle(item): ...


def main(items):
    for item in items:
        threading.Thread(target=handle, args=(item,)).start()
```

In Go:

```go
package p

func use(int) {}

func f(xs []int) {
        var x int
        for _, x = range xs {
                go func() {
                        use(x)
                }()
        }
}
```

and instead:

```go
package p

func use(int) {}

func f(xs []int) {
        for _, x := range xs {
                go func() {
                        use(x)
                }()
        }
}
```

## Fix safety

For a lambda without `*args` the fix binds the value as a default, `lambda item=item: ...`, and is safe. For a
nested function it is unsafe: somebody may call it with more arguments.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from panicguard.go.apis import SPAWN_WORDS as GO_SPAWN_WORDS
from panicguard.go.nodes import listed, text, within
from panicguard.go.spawns import joins, loops
from panicguard.model import Applicability, Edit, Fix
from panicguard.python.apis import SPAWN_WORDS
from panicguard.python.lazy import cst
from panicguard.python.spawns import Fate
from panicguard.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from libcst import CSTNode
    from tree_sitter import Node

    from panicguard.go.module import GoModule
    from panicguard.go.scopes import Binding
    from panicguard.go.spawns import Spawn as GoSpawn
    from panicguard.model import Finding
    from panicguard.python.module import Module


def check(module: Module) -> Iterator[Finding]:
    seen: set[CSTNode] = set()
    for closure, site in _handed(module):
        if closure in seen:
            continue
        seen.add(closure)
        captured = list(dict.fromkeys(_captured(module, closure, site)))
        if captured:
            names = ", ".join(f"`{name}`" for name in captured)
            message = f"The spawned closure reads {names} when it runs: the loop has gone on by then"
            node = closure.name if isinstance(closure, cst.FunctionDef) else closure
            yield module.finding(node, message, _fix(module, closure, captured))


def _handed(module: Module) -> Iterator[tuple[cst.FunctionDef | cst.Lambda, CSTNode]]:
    """The closures that are spawned, each with the node that spawns it."""
    spawners = _spawners(module)
    for spawn in module.spawns:
        if spawn.definition is not None and not (_ends_in_its_turn(module, spawn) or _is_last(module, spawn.call)):
            yield spawn.definition, spawn.call
    for function in module.tree.all(cst.FunctionDef):
        for decorator in function.decorators:
            if module.names.definition(decorator.decorator) in spawners:
                yield function, function


def _spawners(module: Module) -> set[CSTNode]:
    """The functions of this module that spawn their first parameter."""
    found: set[CSTNode] = set()
    for spawn in module.spawns:
        function = module.tree.function(spawn.call)
        if (
            isinstance(function, cst.FunctionDef)
            and function.params.params
            and isinstance(spawn.target, cst.Name)
            and spawn.target.value == function.params.params[0].name.value
        ):
            found.add(function)
    return found


def _ends_in_its_turn(module: Module, spawn: object) -> bool:
    """Whether the spawn is awaited or joined in the very turn of the loop that starts it."""
    from panicguard.python.spawns import Spawn

    assert isinstance(spawn, Spawn)
    loop = _loop(module, spawn.call)
    if loop is None:
        return False
    waits = [u.node for u in spawn.uses if u.kind == "awaited" or (u.kind == "method" and u.name in ("join", "result"))]
    return (
        spawn.kind != "safe"
        and spawn.fate is not Fate.DROPPED
        and any(loop in module.tree.ancestors(w) and _loop(module, w) is loop for w in waits)
    ) or (spawn.kind == "thread" and any(_loop(module, w) is loop for w in waits))


def _is_last(module: Module, call: CSTNode) -> bool:
    """Whether the function is left in the very turn of the loop that a call is in, on whatever way."""
    loop = _loop(module, call)
    if not isinstance(loop, (cst.For, cst.While)):
        return False
    around = {call, *module.tree.ancestors(call)}
    rest = list(itertools.dropwhile(lambda statement: statement not in around, loop.body.body))
    last = rest[-1]
    return (
        isinstance(last, cst.SimpleStatementLine)
        and isinstance(last.body[-1], (cst.Return, cst.Raise))
        and not any(isinstance(node, cst.Continue) for statement in rest for node in module.tree.within(statement))
    )


def _loop(module: Module, node: CSTNode) -> CSTNode | None:
    """The loop or comprehension whose body the node is in, within its function."""
    child = node
    for ancestor in module.tree.ancestors(node):
        if isinstance(ancestor, (cst.For, cst.While)) and ancestor.body is child:
            return ancestor
        if isinstance(ancestor, (cst.ListComp, cst.SetComp, cst.GeneratorExp)) and ancestor.elt is child:
            return ancestor
        if isinstance(ancestor, (cst.FunctionDef, cst.Lambda, cst.ClassDef)):
            return None
        child = ancestor
    return None


def _loops(module: Module, node: CSTNode) -> Iterator[CSTNode]:
    loop = _loop(module, node)
    while loop is not None:
        yield loop
        loop = _loop(module, loop)


def _captured(module: Module, closure: cst.FunctionDef | cst.Lambda, site: CSTNode) -> Iterator[str]:
    """The names a closure reads that a loop around its spawn binds anew on every turn."""
    loops = list(_loops(module, site))
    if not loops or not (set(loops) & set(module.tree.ancestors(closure))):
        return
    outer = module.names.scope(closure)
    for node in module.tree.within(closure.body):
        if not isinstance(node, cst.Name) or not module.flow.is_read(node):
            continue
        scope, bindings = module.names.lookup(node.value, module.names.scope(node))
        if scope is None or scope is closure or closure in module.tree.ancestors(scope):
            continue
        if scope is not outer and not _is_comprehension_of(scope, loops):
            continue
        if any(binding.kind in ("function", "class", "import") for binding in bindings):
            continue
        if any(
            loop is binding.node or loop in module.tree.ancestors(binding.node)
            for binding in bindings
            for loop in loops
        ):
            yield node.value


def _is_comprehension_of(scope: CSTNode, loops: list[CSTNode]) -> bool:
    return scope in loops


def _fix(module: Module, closure: cst.FunctionDef | cst.Lambda, names: list[str]) -> Fix | None:
    params = closure.params
    if isinstance(params.star_arg, cst.CSTNode) or params.star_kwarg is not None or params.kwonly_params:
        return None
    defaults = ", ".join(f"{name}={name}" for name in names)
    own = (*params.posonly_params, *params.params)
    if own:
        at = module.span(own[-1])[1]
        edit = Edit(at, at, f", {defaults}")
    elif isinstance(closure, cst.Lambda):
        at = module.span(closure)[0] + len("lambda")
        edit = Edit(at, at, f" {defaults}")
    else:
        at = module.source.text.index("(", module.span(closure.name)[1]) + 1
        edit = Edit(at, at, defaults)
    applicability = Applicability.SAFE if isinstance(closure, cst.Lambda) else Applicability.UNSAFE
    return Fix(f"Bind {defaults} when the closure is made", (edit,), applicability)


_PER_ITERATION = (1, 22)
"""The version of Go from which a loop declares its variables anew on every turn."""


def check_go(module: GoModule) -> Iterator[Finding]:
    for spawn in module.spawns:
        around = list(loops(spawn.node))
        if not around or joins(around[0], spawn.node):
            continue
        shared = [binding for loop in around for binding in _shared(module, loop)]
        if not shared:
            continue
        seen: set[Binding] = set()
        for node in _read_later(module, spawn):
            binding = module.names.lookup(node) if node.type == "identifier" else None
            if binding is not None and binding in shared and binding not in seen:
                seen.add(binding)
                message = f"The goroutine reads `{text(node)}` when it runs: the loop has gone on by then"
                yield module.finding(node, message)


def _shared(module: GoModule, loop: Node) -> Iterator[Binding]:
    """The variables of a loop that all its turns share."""
    for clause in loop.named_children:
        if clause.type == "range_clause":
            setting = clause
        elif clause.type == "for_clause" and (initializer := clause.child_by_field_name("initializer")) is not None:
            setting = initializer
        else:
            continue
        declares = any(child.type == ":=" for child in setting.children)
        if declares and module.version >= _PER_ITERATION:
            continue
        body = loop.child_by_field_name("body")
        for name in listed(setting.child_by_field_name("left")):
            if name.type != "identifier" or text(name) == "_" or body is None:
                continue
            if found := module.names.lookup(body, text(name)):
                yield found


def _read_later(module: GoModule, spawn: GoSpawn) -> Iterator[Node]:
    """What the goroutine reads when it runs: the body of a literal, the receiver of a method that takes its address."""
    literal = spawn.literal
    if literal is not None:
        body = literal.child_by_field_name("body")
        yield from within(body) if body is not None else ()
    elif spawn.target.type == "selector_expression":
        operand = spawn.target.child_by_field_name("operand")
        name = text(spawn.target.child_by_field_name("field"))
        pointed = [m for (_, its), m in module.names.methods.items() if its == name and _takes_address(m)]
        if operand is not None and pointed and module.names.is_value(operand):
            yield operand


def _takes_address(method: Node) -> bool:
    return text(method.child_by_field_name("receiver")).count("*") > 0


RULE = Rule(
    code="PNC501",
    module=__name__,
    docs=__doc__ or "",
    words=SPAWN_WORDS,
    python=check,
    go_words=GO_SPAWN_WORDS,
    go=check_go,
    fix="Sometimes",
)
