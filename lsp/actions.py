"""What can be done about the diagnostics of a document."""

from __future__ import annotations

import collections
from dataclasses import dataclass
from typing import TYPE_CHECKING

from panicguard.model import Applicability

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from panicguard.model import Edit

    from .jobs import Found
    from .preferences import Preferences

QUICK_FIX = "quickfix"
FIX_ALL_TITLE = "panicguard: Fix all auto-fixable problems"


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do. `edits` is None where they are to be computed: those of `rule`, or of all rules.

    `preferred` is None where that is not said. `command` is a command of the server and its arguments.
    """

    title: str
    kind: str
    edits: tuple[Edit, ...] | None = None
    preferred: bool | None = None
    rule: str | None = None
    command: tuple[str, ...] = ()


def is_wanted(kind: str, only: Sequence[str] | None) -> bool:
    """Whether a kind begins with one of those asked for."""
    return only is None or kind.startswith(tuple(only))


def of_diagnostics(
    asked: Sequence[Found], found: Iterable[Found], preferences: Preferences, unsafe: bool
) -> Iterator[tuple[Action, Found]]:
    """What can be done about those of the diagnostics that are asked about, each with the one it is about: fixes first.

    `unsafe` says whether fixing all takes unsafe fixes.
    """
    if preferences.fix_violation:
        for one in asked:
            if (action := _fix(one)) is not None:
                yield action, one
        yield from _of_rules(asked, found, unsafe)
    if preferences.disable_rule_comment:
        for one in asked:
            if one.silencing is not None:
                title = f"panicguard ({one.diagnostic.code}): Disable for this line"
                yield Action(title, QUICK_FIX, (one.silencing,)), one
    for code, one in {one.diagnostic.code: one for one in asked if one.diagnostic.is_rule}.items():
        title = f"panicguard ({code}): Show documentation"
        yield Action(title, QUICK_FIX, command=("panicguard.openDocumentation", code)), one


def fix_all(kind: str) -> Action:
    """The action that fixes all there is to fix."""
    return Action(FIX_ALL_TITLE, kind)


def _fix(found: Found) -> Action | None:
    fix = found.diagnostic.fix
    if fix is None:
        return None
    suggestion = " (suggestion)" * (fix.applicability is Applicability.DISPLAY_ONLY)
    title = f"panicguard ({found.diagnostic.code}): {fix.title}{suggestion}"
    return Action(title, QUICK_FIX, fix.edits, fix.applicability is Applicability.SAFE)


def _of_rules(asked: Sequence[Found], found: Iterable[Found], unsafe: bool) -> Iterator[tuple[Action, Found]]:
    """For each rule asked about of which the document has more to fix: fix them all."""
    allowed = (Applicability.SAFE, Applicability.UNSAFE) if unsafe else (Applicability.SAFE,)
    counts = collections.Counter(
        one.diagnostic.code for one in found if one.diagnostic.fix and one.diagnostic.fix.applicability in allowed
    )
    for code, one in {one.diagnostic.code: one for one in asked}.items():
        if counts[code] > 1:
            yield Action(f"panicguard ({code}): Fix all in this file", QUICK_FIX, rule=code), one
