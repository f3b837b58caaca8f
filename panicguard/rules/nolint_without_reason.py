"""Checks for `nolint` comments for panicguard that give no reason.

## What it does

Reports, in Go, a `nolint` comment that names panicguard, one of its rules or of its linters, and has no second comment
after the names.

## Why is this bad

Whoever reads it cannot tell whether the spawn is safe, or was only silenced.

## Example

```go
package p

func work() {}

func f() {
        go work() //nolint:panicguard
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
from panicguard.suppression.nolint import LINTERS, MARK, comments

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panicguard.go.file import GoFile


def check_go(module: GoFile) -> Iterator[Finding]:
    for directive, _ in comments(module.source):
        rest = module.source.text[directive.end : directive.comment[1]].partition("//")[2]
        if any(code.text in LINTERS for code in directive.codes or ()) and not rest.strip():
            yield Finding(directive.start, directive.end, "A nolint comment without a reason; add `// why`")


RULE = Rule(
    "PNC902",
    go=Check(check_go, words=(MARK,)),
    default=False,
)
