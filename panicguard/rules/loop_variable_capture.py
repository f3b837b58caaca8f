"""Checks for spawned closures that read a loop's variable.

## What it does

Reports a lambda or a nested function that is passed to a spawn inside a loop or a comprehension, or under a decorator
that spawns it, and reads a name that the loop rebinds on every iteration, without having bound it as a default. It
may be what the spawn runs, or be among the arguments: a callback of a coroutine (`create_task(fetch(url, lambda:
url))`), a generator, the function of a `map`, a done callback. An iteration that waits for what it spawned is fine (a
task group or a pool whose `with` is inside the loop, `await`, `gather`, `join`, `result`, `cancel`), and so is one
that always leaves the loop. In Go: a function literal spawned in a loop that reads a variable shared by all
iterations: one that the loop sets but does not declare, and in a file for Go before 1.22 also one that it declares.

## Why is this bad

A closure reads the variable when it runs, not when it is created. By then the loop has moved on: every task or thread
may see the last value.

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

For a lambda without `*args` that is what the spawn runs, the fix binds the value as a default, `lambda item=item:
...`, and is safe. For a nested function, and for a lambda among the arguments, it is unsafe: somebody may call it
with more arguments, or count its parameters. There is none for a generator, and where the name gets its value behind
the closure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.diagnostic import Applicability, Edit, Fix
from panicguard.go import loops as go_loops
from panicguard.go.apis import SPAWN_WORDS as GO_SPAWN_WORDS
from panicguard.go.nodes import text
from panicguard.go.sharing import read_later as read_later_in_go
from panicguard.python.apis import SPAWN_WORDS
from panicguard.python.closures import captured, is_bound_behind
from panicguard.python.cst import cst
from panicguard.python.evidence import Evidence
from panicguard.python.fixes.layout import fitted
from panicguard.rule import Check, Fixes, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panicguard.diagnostic import Finding
    from panicguard.go.file import GoFile
    from panicguard.go.scopes import Binding
    from panicguard.python.file import PythonFile


def check(module: PythonFile) -> Iterator[Finding]:
    for closure, names in captured(module):
        quoted = ", ".join(f"`{name}`" for name in names)
        if isinstance(closure, cst.GeneratorExp):
            message = f"The spawned generator reads {quoted} when it runs, after the loop has moved on; pass a list"
            yield module.finding(closure, message)
            continue
        advice = f"bind {'them as defaults' if names[1:] else 'it as a default'}"
        message = f"The spawned closure reads {quoted} when it runs, after the loop has moved on; {advice}"
        node = closure.name if isinstance(closure, cst.FunctionDef) else closure
        yield module.finding(node, message, _fix(module, closure, names))


def _fix(module: PythonFile, closure: cst.FunctionDef | cst.Lambda, names: list[str]) -> Fix | None:
    params = closure.params
    if isinstance(params.star_arg, cst.CSTNode) or params.star_kwarg is not None or params.kwonly_params:
        return None
    if any(is_bound_behind(module, closure, name) for name in names):
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
    is_called_as_written = isinstance(closure, cst.Lambda) and closure in module.spawned
    applicability = Applicability.SAFE if is_called_as_written else Applicability.UNSAFE
    call = next((above for above in module.tree.ancestors(closure) if isinstance(above, cst.Call)), None)
    edits = (edit,) if call is None else tuple(fitted(module, call, (edit,)))
    return Fix(f"Bind {defaults} when the closure is created", edits, applicability)


def check_go(module: GoFile) -> Iterator[Finding]:
    for spawn in module.spawns:
        is_alone = go_loops.is_joined_in_turn(spawn) or go_loops.is_left_in_turn(spawn)
        shared = [] if is_alone else go_loops.shared_by_turns(module, spawn)
        seen: set[Binding | str] = set()
        for node in read_later_in_go(module, spawn) if shared else ():
            if node.type != "identifier" or module.names.is_field_key(node):
                continue
            variable = module.names.lookup(node) or text(node)
            if variable in shared and variable not in seen:
                seen.add(variable)
                message = f"The goroutine reads `{text(node)}` when it runs, after the loop has moved on; pass it in"
                yield module.finding(node, message)


RULE = Rule(
    "PNC501",
    python=Check(check, words=(*SPAWN_WORDS, "to_thread"), evidence={Evidence.TURNS}),
    go=Check(check_go, words=GO_SPAWN_WORDS),
    fix=Fixes.SOMETIMES,
)
