"""`check`: the whole product in one pure function. No I/O, no state; what it returns is plain data."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from panicguard import patterns, suppress
from panicguard.go import screen as go_screen
from panicguard.model import INTERNAL_ERROR, INVALID_SYNTAX, Applicability, Diagnostic, Severity
from panicguard.python import screen as python_screen
from panicguard.python.magics import as_python, leaves_magics
from panicguard.python.screen import found_in
from panicguard.rule import all_rules, rule_names
from panicguard.settings import language

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from panicguard.model import Finding
    from panicguard.python.validity import Fault
    from panicguard.rule import Rule
    from panicguard.settings import Settings
    from panicguard.source import Source


def check(source: Source, settings: Settings) -> tuple[Diagnostic, ...]:
    """The diagnostics of a file, suppressed ones left out, by position.

    Raises only what is a fault of panicguard itself.
    """
    if not source.cells:
        return _check(source, settings)
    return tuple(_in_cell(source, diagnostic) for diagnostic in _check(as_python(source), settings))


def _in_cell(source: Source, diagnostic: Diagnostic) -> Diagnostic:
    """What was found in a notebook as one module, as it is for the cell: it ends there, and has no fix that would touch
    what is not Python or of which an edit would cross into another cell."""
    fix = diagnostic.fix if diagnostic.fix and leaves_magics(source, diagnostic.fix) else None
    return replace(diagnostic, end=min(diagnostic.end, source.cell(diagnostic.start)[2]), fix=fix)


def _check(source: Source, settings: Settings) -> tuple[Diagnostic, ...]:
    front_end = FRONT_ENDS[source.language]
    if front_end.skips(source, settings):
        return ()
    exempt = language(settings, source.path) == "pyi" or patterns.is_spawn_exempt(settings, source.path)
    codes = settings.enabled - patterns.ignored_codes(settings, source.path)
    rules, words = _chosen(codes, exempt, settings.low_confidence, source.language, _declared(settings))
    marks = () if settings.ignore_noqa else suppress.marks(rule_names())
    occurring = found_in(source.text, (*words, *marks))
    if not occurring:
        return ()
    standing = front_end.standing_in(source.text, occurring.intersection(words))
    found = front_end.findings(source, settings, rules, standing) if standing else []
    if not found and occurring.isdisjoint(marks):
        return ()
    if settings.ignore_noqa:
        left = suppress.place(source, found)
    else:
        left = suppress.suppress(source, found, rule_names(), frozenset(rule.code for rule in rules))
    if left and (fault := front_end.fault(source)) is not None:
        left = _beside(fault, source, left)
    return tuple(_as_configured(diagnostic, settings) for diagnostic in left)


def _beside(fault: Fault, source: Source, diagnostics: Sequence[Diagnostic]) -> tuple[Diagnostic, ...]:
    """What is to be said about a file that is broken: that, or what was found, but without the fixes."""
    if not fault.invalid:
        return tuple(replace(diagnostic, fix=None) for diagnostic in diagnostics)
    return suppress.place(source, [Diagnostic(INVALID_SYNTAX, INVALID_SYNTAX, fault.message, fault.start, fault.end)])


def _as_configured(diagnostic: Diagnostic, settings: Settings) -> Diagnostic:
    """The diagnostic with the severity and the kind of fix that the settings give its rule."""
    code, fix = diagnostic.code, diagnostic.fix
    severity = dict(settings.severity).get(code)
    if severity is not None:
        diagnostic = replace(diagnostic, severity=Severity(severity))
    if fix is None:
        return diagnostic
    if code in settings.unfixable:
        return replace(diagnostic, fix=None)
    if fix.applicability is Applicability.UNSAFE and code in settings.forced_safe:
        return replace(diagnostic, fix=replace(fix, applicability=Applicability.SAFE))
    if fix.applicability is Applicability.SAFE and code in settings.forced_unsafe:
        return replace(diagnostic, fix=replace(fix, applicability=Applicability.UNSAFE))
    return diagnostic


@functools.cache
def _chosen(
    codes: frozenset[str], exempt: bool, likely: bool, language: str, declared: tuple[str, ...]
) -> tuple[tuple[Rule, ...], tuple[str, ...]]:
    """The rules that hold for a file, and the words they look for: chosen once for files alike."""
    rules = tuple(rule for rule in all_rules() if rule.code in codes and not (rule.spawn and exempt))
    words = FRONT_ENDS[language].words
    return rules, tuple(dict.fromkeys((*(word for rule in rules for word in words(rule, likely)), *declared)))


def _declared(settings: Settings) -> tuple[str, ...]:
    """The words of the project's own spawners and guards: every rule about spawned code may speak of them."""
    return tuple(dict.fromkeys(n.rpartition(".")[2] for n in (*settings.extend_spawners, *settings.extend_guards)))


class _FrontEnd(NamedTuple):
    """What the engine asks of a language."""

    words: Callable[[Rule, bool], tuple[str, ...]]
    """What a rule looks for, and what it looks for where the likely is reported too."""
    skips: Callable[[Source, Settings], bool]
    """Whether a file is not to be checked at all."""
    standing_in: Callable[[str, Iterable[str]], frozenset[str]]
    findings: Callable[[Source, Settings, Sequence[Rule], frozenset[str]], list[Diagnostic]]
    fault: Callable[[Source], Fault | None]
    """What forbids to edit a file, asked only where there is something to say about it."""


def _diagnostics(rule: Rule, findings: Iterator[Finding]) -> Iterator[Diagnostic]:
    for finding in findings:
        yield Diagnostic(rule.code, rule.name, finding.message, finding.start, finding.end, finding.fix)


# Python


def _python_words(rule: Rule, likely: bool) -> tuple[str, ...]:
    return (*rule.words, *rule.likely_words) if likely else rule.words


def _in_python(source: Source, settings: Settings, rules: Sequence[Rule], words: frozenset[str]) -> list[Diagnostic]:
    from panicguard.python.module import UnparsableError, parse

    declared = words.intersection(_declared(settings))
    standing = [(rule, words.intersection(_python_words(rule, settings.low_confidence))) for rule in rules]
    wanted = [rule for rule, its in standing if its or (declared and not rule.handlers)]
    plain = declared.union(*(its for rule, its in standing if not rule.handlers))
    caught = words - plain
    try:
        module = parse(source, settings, sorted(plain), sorted(caught))
    except UnparsableError as error:
        return [Diagnostic(INTERNAL_ERROR, INTERNAL_ERROR, error.message, error.start, error.end)]
    if module is None:
        return []
    return [one for rule in wanted if rule.python for one in _diagnostics(rule, rule.python(module))]


def _fault_in_python(source: Source) -> Fault | None:
    from panicguard.python.validity import fault

    return fault(source)


# Go


def _in_go(source: Source, settings: Settings, rules: Sequence[Rule], words: frozenset[str]) -> list[Diagnostic]:
    wanted = [rule for rule in rules if words.intersection(rule.go_words)]
    if not wanted:
        return []
    from panicguard.go.module import parse

    module = parse(source, settings)
    return [one for rule in wanted if rule.go for one in _diagnostics(rule, rule.go(module))]


def _is_exempt_go(source: Source, settings: Settings) -> bool:
    return patterns.is_spawn_exempt(settings, source.path) or go_screen.is_generated(source.text)


FRONT_ENDS = {
    "python": _FrontEnd(_python_words, lambda *_: False, python_screen.standing_in, _in_python, _fault_in_python),
    "go": _FrontEnd(lambda rule, _: rule.go_words, _is_exempt_go, go_screen.standing_in, _in_go, lambda _: None),
}
"""By `Source.language`."""
