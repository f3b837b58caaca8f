"""The documentation of rules and of their families, as `panicguard rule` and `panicguard linter` print it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from panicguard.rule import Rule

PREFIX = "PNC"
FAMILIES = {
    "1": "bare spawns",
    "2": "use of SafeGo",
    "3": "recovery and swallowing",
    "4": "context and cancellation",
    "5": "shared state",
    "6": "coordination",
    "7": "shutdown",
    "9": "the tool itself",
}
"""The first digit of a code -> the subject of its family of rules."""
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
    objects: list[dict[str, Any]] = [
        {
            "name": rule.name,
            "code": rule.code,
            "linter": "panicguard",
            "summary": rule.summary,
            "message_formats": [],
            "fix": _FIX[rule.fix],
            "fix_availability": rule.fix,
            "explanation": rule.docs.strip(),
            "preview": False,
            "status": {"Stable": {"since": "0.1.0"}},
            "category": "correctness",
            "source_location": {"file": f"{rule.module.replace('.', '/')}.py", "line": 1},
        }
        for rule in rules
    ]
    return json.dumps(objects if every else objects[0], indent=2) + "\n"


def families_text() -> str:
    """The prefix of all codes and the tool's name, as Ruff lists a linter."""
    return f"{PREFIX} panicguard\n"


def families_json() -> str:
    """The same as a list of one object, with the families of its rules as Ruff has the categories of a linter."""
    categories = [{"prefix": digit, "name": name} for digit, name in FAMILIES.items()]
    return json.dumps([{"prefix": PREFIX, "name": "panicguard", "categories": categories}], indent=2) + "\n"
