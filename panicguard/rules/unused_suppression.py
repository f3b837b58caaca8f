"""Checks for suppression comments that suppress nothing.

## What it does

Reports a code in `# noqa: …`, `# panicguard: ignore[…]`, `disable[…]`, `file-ignore[…]` or
`# panicguard: noqa: …` that silences no diagnostic: because there is no diagnostic, because the rule is not enabled
for the file, because the code is repeated, or because there is no such rule. Comments without codes
and the codes of other tools are left alone.

## Why is this bad

A comment that no longer suppresses anything says that a spawn is unsafe when it is not, and will hide the
next one that is.

## Example

```python
total = 1 + 1  # noqa: PNC101
```

## Use instead

```python
total = 1 + 1
```

## Fix safety

Safe: only the code is removed. Other tools' codes, and other parts of the comment, stay; the comment goes
when nothing else is left in it. Ruff removes codes that it does not know, unless they are listed in
`lint.external = ["PNC"]`.

To keep a comment that is unused for now, name this rule in it: `# noqa: PNC101, PNC900`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panicguard.diagnostic import Finding
    from panicguard.python.module import Module


def check(module: Module) -> Iterator[Finding]:
    """Nothing: that is known only when all rules have run, and reported by `panicguard.suppression.match`."""
    return iter(())


RULE = Rule(
    code="PNC900",
    module=__name__,
    docs=__doc__ or "",
    words=(),
    python=check,
    fix="Always",
)
