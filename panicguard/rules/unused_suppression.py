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

from panicguard.rule import Fixes, Rule

RULE = Rule(
    "PNC900",
    fix=Fixes.ALWAYS,
    reported_by="panicguard.suppress",
)
