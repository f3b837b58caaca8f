"""Checks for `recover()` outside of the packages that are the boundaries of a program.

## What it does

Reports, in Go, every call of the builtin `recover` in a file that `boundary-packages` does not name. Without that
setting, nothing is reported.

## Why is this bad

A panic that is recovered in the middle of a program leaves work half done. At the boundaries, where requests and
messages come in, one of those can be abandoned as a whole.

## Example

```go
package p

import "log"

func work() {}

func f() {
        defer func() {
                if r := recover(); r != nil {
                        log.Println(r)
                }
        }()
        work()
}
```

## Use instead

```go
package p

import "example.com/app/mruntime"

func work() {}

func f() {
        defer mruntime.RecoverAndLog("f")
        work()
}
```

## Options

- `boundary-packages`
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.rule import Check, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panicguard.diagnostic import Finding
    from panicguard.go.file import GoFile


def check_go(module: GoFile) -> Iterator[Finding]:
    if not module.settings.boundary_packages or module.is_boundary:
        return
    for call in module.recovers:
        yield module.finding(call, "recover() outside of the boundary packages; defer the runtime's RecoverAndLog")


RULE = Rule(
    "PNC310",
    go=Check(check_go, words=("recover",)),
)
