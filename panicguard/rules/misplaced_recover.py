"""Checks for recovery that has no effect where it stands.

## What it does

Reports the runtime's `RecoverAndLog`, `RecoverAndCrash` and `RecoverWithPolicy` as a statement instead of in a
`with` or as a decorator, and `sys.exc_info()` where no exception is being handled. With `low-confidence` also
`sys.exception()`, `traceback.format_exc()` and a logger's `exception()` there.

In Go: the builtin `recover()` anywhere but in a function that a `defer` calls, and a function that recovers, of the
runtime or of the same file, where it is called without `defer`, or passed to something that calls it so
(`sync.OnceFunc`, `once.Do`, a function of the file).

## Why is this bad

It looks like protection, but is not. In Go, `recover()` works only in a deferred function; in Python, a recoverer works
only around the code that it guards. `sys.exc_info()` outside a handler returns three times None.

## Example

```python
from panicguard import mruntime


def work(): ...


def process():
    mruntime.RecoverAndLog("process")
    work()
```

## Use instead

```python
from panicguard import mruntime


def work(): ...


def process():
    with mruntime.RecoverAndLog("process"):
        work()
```

In Go:

```go
package p

import "log"

func work() {}

func process() {
        work()
        if r := recover(); r != nil {
                log.Println(r)
        }
}
```

and instead:

```go
package p

import "log"

func work() {}

func process() {
        defer func() {
                if r := recover(); r != nil {
                        log.Println(r)
                }
        }()
        work()
}
```

## Options

- `low-confidence`
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.go.apis import RECOVERERS
from panicguard.go.nodes import callee, function, is_deferred_call, text
from panicguard.go.recovery import misplaced
from panicguard.python import apis
from panicguard.python.cst import cst
from panicguard.python.evidence import Evidence
from panicguard.python.handlers import is_handling
from panicguard.python.tree import last_name
from panicguard.rule import Check, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panicguard.diagnostic import Finding
    from panicguard.go.file import GoFile
    from panicguard.python.file import PythonFile

_IN_HANDLERS = ("sys.exc_info",)
_LIKELY_IN_HANDLERS = ("sys.exception", "traceback.format_exc", "traceback.print_exc")
_NAMES = frozenset(
    name.rpartition(".")[2] for name in (*apis.RECOVERS, *_IN_HANDLERS, *_LIKELY_IN_HANDLERS, ".exception")
)


def check(module: PythonFile) -> Iterator[Finding]:
    for call in module.tree.all(cst.Call):
        if last_name(call.func) not in _NAMES and not isinstance(call.func, cst.Name):
            continue
        name = module.names.qualified(call.func) or ""
        if name in apis.RECOVERS and isinstance(module.tree.parents[call], cst.Expr):
            short = name.rpartition(".")[2]
            yield module.finding(call, f"`{short}` recovers nothing here; use it in a `with`, or as a decorator")
        elif _belongs_in_handler(module, call, name) and not is_handling(module, call):
            message = f"`{module.text(call.func)}` outside a handler finds no exception; call it in one"
            yield module.finding(call, message)


def _belongs_in_handler(module: PythonFile, call: cst.Call, name: str) -> bool:
    """Whether a call asks for the exception being handled; with `low-confidence`, also where that is only likely."""
    return name in _IN_HANDLERS or (
        module.settings.low_confidence and (name in _LIKELY_IN_HANDLERS or _is_log_exception(module, call))
    )


def _is_log_exception(module: PythonFile, call: cst.Call) -> bool:
    match call.func:
        case cst.Attribute(value=logger, attr=cst.Name(value="exception")):
            return "log" in module.text(logger).lower()
    return False


def check_go(module: GoFile) -> Iterator[Finding]:
    useless = set()
    for call in module.recovers:
        why = misplaced(module, call)
        if why is not None:
            yield module.finding(call, f"recover() must be called in defer statement: {why}")
            useless.add(call.id)
    advice = "recovers nothing here; `defer` it directly"
    for call in module.calls(*sorted(RECOVERERS)):
        if not is_deferred_call(call):
            yield module.finding(call, f"`{text(callee(call))}` {advice}")
    works = {f.id for call in module.recovers if call.id not in useless and (f := function(call)) is not None}
    for use in (use for key in works for use in module.recovering_calls.get(key, ())):
        yield module.finding(use, f"`{text(callee(use) or use)}` {advice}")


RULE = Rule(
    "PNC301",
    python=Check(
        check,
        words=("RecoverAndLog", "RecoverAndCrash", "RecoverWithPolicy", "exc_info"),
        likely_words=("exc_info", "format_exc", "print_exc", ".exception"),
        evidence={Evidence.CALLERS},
    ),
    go=Check(check_go, words=("recover", "Recover")),
)
