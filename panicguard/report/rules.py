"""The documentation of rules, as `panicguard rule` prints it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from panicguard.rule import Rule

_FIX = {
    "None": "No fix is available.",
    "Sometimes": "Fix is sometimes available.",
    "Always": "Fix is always available.",
}


def to_markdown(rule: Rule) -> str:
    """The page of one rule, in Markdown."""
    return f"# {rule.name} ({rule.code})\n\n{_FIX[rule.fix]}\n\n{rule.docs.strip()}\n"


def to_json(rules: Sequence[Rule], *, every: bool) -> str:
    """One object, or with `every` a list of them, with the keys that Ruff gives a rule."""
    objects = [
        {
            "name": rule.name,
            "code": rule.code,
            "linter": "panicguard",
            "summary": rule.summary,
            "fix": _FIX[rule.fix],
            "fix_availability": rule.fix,
            "explanation": rule.docs.strip(),
            "preview": False,
            "default": rule.default,
        }
        for rule in rules
    ]
    return json.dumps(objects if every else objects[0], indent=2) + "\n"
