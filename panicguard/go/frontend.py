"""Go for the engine: see `panicguard.languages.FrontEnd`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.go.apis import NEEDS
from panicguard.go.judge import judge_for
from panicguard.go.lex import COMMENTS, scan
from panicguard.go.screen import is_generated, standing_in
from panicguard.rule import diagnostics
from panicguard.settings import is_spawn_exempt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from panicguard.diagnostic import Diagnostic, Fault
    from panicguard.rule import Rule
    from panicguard.settings import Settings
    from panicguard.source import Source

__all__ = [
    "COMMENTS",
    "HINTS",
    "NEEDS",
    "WEIGHT",
    "fault",
    "findings",
    "judge_for",
    "scan",
    "skips",
    "standing_in",
    "words",
]

HINTS: tuple[str, ...] = ()
WEIGHT = 0.2


def words(rule: Rule, likely: bool) -> tuple[str, ...]:
    if rule.go is None:
        return ()
    return (*rule.go.words, *rule.go.likely_words) if likely else rule.go.words


def skips(source: Source, settings: Settings) -> bool:
    return is_spawn_exempt(settings, source.path) or is_generated(source.text)


def findings(source: Source, settings: Settings, rules: Sequence[Rule], words: frozenset[str]) -> list[Diagnostic]:
    wanted = [
        (rule, rule.go)
        for rule in rules
        if rule.go is not None
        and not words.isdisjoint((*rule.go.words, *(rule.go.likely_words if settings.low_confidence else ())))
    ]
    if not wanted:
        return []
    from panicguard.go.file import parse

    module = parse(source, settings)
    return [diagnostic for rule, check in wanted for diagnostic in diagnostics(rule, check.run(module))]


def fault(source: Source) -> Fault | None:
    return None  # the grammar accepts any text, and fixes are checked to make nothing worse
