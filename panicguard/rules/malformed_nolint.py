"""Checks for `nolint` comments for panicguard that golangci-lint does not accept.

## What it does

Reports, in Go, a `nolint` comment that names panicguard and has a blank before or after the word, or a name that is not
a linter's.

## Why is this bad

Such a comment suppresses nothing, or only here and not in golangci-lint, which complains about it.

## Example

```go
package p

func work() {}

func f() {
        work() //nolint: panicguard // no blank belongs there
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

## Fix safety

Safe: the names stay, without the blanks around them. There is no fix for what is not the name of a linter, nor for a
comment without a colon: it silences every linter, and would no longer do so.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from panicguard.diagnostic import Edit, Finding, Fix
from panicguard.rule import Check, Fixes, Rule
from panicguard.suppression.nolint import LINTERS, comments

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panicguard.go.file import GoFile
    from panicguard.suppression.nolint import Comment

_FORM = re.compile(r"//nolint(?::[\w-]+(?:,[\w-]+)*)?(?=\s*(?://|\Z))")
_OURS = re.compile(rf"\b(?:{'|'.join(LINTERS)})\b")


def check_go(module: GoFile) -> Iterator[Finding]:
    for comment in comments(module.source):
        directive = comment.directive
        text = module.source.text[directive.start : directive.comment[1]]
        names = text.partition("//")[2].partition("//")[0]
        if _OURS.search(names) and not _FORM.match(text):
            message = "Malformed nolint comment; write `//nolint:panicguard // why`"
            yield Finding(directive.start, directive.end, message, _fix(comment))


def _fix(comment: Comment) -> Fix | None:
    """The fix for superfluous blanks: the same names without them."""
    directive = comment.directive
    written = f"//nolint:{','.join(code.text for code in directive.codes or ())}"
    if not _FORM.fullmatch(written):
        return None
    return Fix(f"Write `{written}`", (Edit(directive.start, directive.end, written),))


RULE = Rule(
    "PNC901",
    go=Check(
        check_go,
        words=tuple(f"nolint:{blank}{name}" for name in LINTERS for blank in ("", " "))
        + tuple(f" nolint:{name}" for name in LINTERS),
    ),
    fix=Fixes.SOMETIMES,
)
