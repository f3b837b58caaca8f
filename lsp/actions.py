"""The actions that are offered on the findings of a document."""

from __future__ import annotations

import collections
from dataclasses import dataclass
from typing import TYPE_CHECKING

from panicguard.diagnostic import Applicability

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from panicguard.diagnostic import Edit

    from .jobs import EditorFinding
    from .preferences import Preferences

QUICK_FIX = "quickfix"
FIX_ALL_TITLE = "panicguard: Fix all auto-fixable problems"


@dataclass(frozen=True, slots=True)
class Action:
    """An action that the user can pick. `edits` is None if they are still to be computed: those of `rule`, or of all
    rules without one.

    `preferred` is None if the client is not to be told. `command` is a command of the server, and its arguments.
    """

    title: str
    kind: str
    edits: tuple[Edit, ...] | None = None
    preferred: bool | None = None
    rule: str | None = None
    command: tuple[str, ...] = ()


def is_wanted(kind: str, only: Sequence[str] | None) -> bool:
    """Whether a kind is one of those asked for, or below one of them."""
    return only is None or kind.startswith(tuple(only))


def of_findings(
    asked: Sequence[EditorFinding], findings: Iterable[EditorFinding], preferences: Preferences, unsafe: bool
) -> Iterator[tuple[Action, EditorFinding]]:
    """The actions on the findings that are asked about, fixes first, each with the finding it is about. `findings` are
    all those of the document.

    `unsafe` says whether fixing all includes unsafe fixes.
    """
    if preferences.fix_violation:
        for finding in asked:
            if (action := _fix(finding)) is not None:
                yield action, finding
        yield from _of_rules(asked, findings, unsafe)
    if preferences.disable_rule_comment:
        for finding in asked:
            if finding.silencing is not None:
                title = f"panicguard ({finding.diagnostic.code}): Disable for this line"
                yield Action(title, QUICK_FIX, (finding.silencing,)), finding
    rule_findings = (finding for finding in asked if finding.diagnostic.is_rule)
    for code, finding in {finding.diagnostic.code: finding for finding in rule_findings}.items():
        title = f"panicguard ({code}): Show documentation"
        yield Action(title, QUICK_FIX, command=("panicguard.openDocumentation", code)), finding


def fix_all(kind: str) -> Action:
    """The action that applies all fixes of a document."""
    return Action(FIX_ALL_TITLE, kind)


def _fix(finding: EditorFinding) -> Action | None:
    fix = finding.diagnostic.fix
    if fix is None:
        return None
    suggestion = " (suggestion)" * (fix.applicability is Applicability.DISPLAY_ONLY)
    title = f"panicguard ({finding.diagnostic.code}): {fix.title}{suggestion}"
    return Action(title, QUICK_FIX, fix.edits, fix.applicability is Applicability.SAFE)


def _of_rules(
    asked: Sequence[EditorFinding], findings: Iterable[EditorFinding], unsafe: bool
) -> Iterator[tuple[Action, EditorFinding]]:
    """For each rule asked about that has several fixes in the document: apply them all."""
    allowed = (Applicability.SAFE, Applicability.UNSAFE) if unsafe else (Applicability.SAFE,)
    counts = collections.Counter(
        finding.diagnostic.code
        for finding in findings
        if finding.diagnostic.fix and finding.diagnostic.fix.applicability in allowed
    )
    for code, finding in {finding.diagnostic.code: finding for finding in asked}.items():
        if counts[code] > 1:
            yield Action(f"panicguard ({code}): Fix all in this file", QUICK_FIX, rule=code), finding
