"""What Python has to say to the engine: see `panicguard.languages.FrontEnd`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.diagnostic import INTERNAL_ERROR, Diagnostic
from panicguard.python.judge import judge_for
from panicguard.python.lex import COMMENTS, scan
from panicguard.python.screen import standing_in
from panicguard.rule import declared_words, diagnostics

if TYPE_CHECKING:
    from collections.abc import Sequence

    from panicguard.diagnostic import Fault
    from panicguard.rule import Rule
    from panicguard.settings import Settings
    from panicguard.source import Source

__all__ = ["COMMENTS", "WEIGHT", "fault", "findings", "judge_for", "scan", "skips", "standing_in", "words"]

WEIGHT = 1.0


def words(rule: Rule, likely: bool) -> tuple[str, ...]:
    return (*rule.words, *rule.likely_words) if likely else rule.words


def skips(source: Source, settings: Settings) -> bool:
    return False


def findings(source: Source, settings: Settings, rules: Sequence[Rule], words: frozenset[str]) -> list[Diagnostic]:
    from panicguard.python.module import UnparsableError, parse

    declared = words.intersection(declared_words(settings))
    standing = [(rule, words.intersection(_words(rule, settings.low_confidence))) for rule in rules]
    wanted = [rule for rule, own in standing if own or (declared and not rule.handlers)]
    plain = declared.union(*(own for rule, own in standing if not rule.handlers))
    caught = words - plain
    try:
        module = parse(source, settings, sorted(plain), sorted(caught))
    except UnparsableError as error:
        return [Diagnostic(INTERNAL_ERROR, INTERNAL_ERROR, error.message, error.start, error.end)]
    if module is None:
        return []
    return [found for rule in wanted if rule.python for found in diagnostics(rule, rule.python(module))]


def fault(source: Source) -> Fault | None:
    from panicguard.python.validity import fault  # only where there is something to report

    return fault(source)


_words = words
