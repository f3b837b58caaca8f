"""Checks for `nolint` comments that silence every linter.

## What it does

Reports, in Go, `//nolint` and `//nolint:all`.

## Why is this bad

It silences findings that it was not written for, today's and tomorrow's.

## Example

```go
package p

func work() {}

func f() {
        go work() //nolint
}
```

## Use instead

```go
package p

func work() {}

func f() {
        go work() //nolint:panicguard // work never panics
}
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.diagnostic import Finding
from panicguard.rule import Check, Rule
from panicguard.suppression.nolint import MARK, comments

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panicguard.go.file import GoFile


def check_go(module: GoFile) -> Iterator[Finding]:
    for directive, _ in comments(module.source):
        if directive.codes is None:
            yield Finding(directive.start, directive.end, "A nolint comment for every linter; name the one it is for")


RULE = Rule(
    "PNC903",
    go=Check(check_go, words=(MARK,)),
    default=False,
)
