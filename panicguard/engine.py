"""`check`: the whole product in one pure function. No I/O, no state; what it returns is plain data."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING

from panicguard.diagnostic import INVALID_SYNTAX, Applicability, Diagnostic, Fault, Severity
from panicguard.languages import FRONT_ENDS
from panicguard.python.magics import Magics, as_python
from panicguard.python.screen import found_in, sought
from panicguard.rule import all_rules, declared_words, imported_words, rule_names
from panicguard.settings import ignored_codes, is_spawn_exempt, language
from panicguard.suppression import match

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from panicguard.rule import Rule
    from panicguard.settings import Settings
    from panicguard.source import Source


def check(source: Source, settings: Settings) -> tuple[Diagnostic, ...]:
    """The diagnostics of a file, suppressed ones left out, by position.

    Raises only what is a fault of panicguard itself.
    """
    if not source.cells:
        return _check(source, settings)
    magics = Magics(source)
    return tuple(_in_cell(source, magics, diagnostic) for diagnostic in _check(as_python(source), settings))


def _in_cell(source: Source, magics: Magics, diagnostic: Diagnostic) -> Diagnostic:
    """What was found in a notebook as one module, as it is for the cell: it ends there, and has no fix that would touch
    what is not Python or of which an edit would cross into another cell."""
    fix = diagnostic.fix if diagnostic.fix and magics.are_left_by(diagnostic.fix) else None
    return replace(diagnostic, end=min(diagnostic.end, source.cell(diagnostic.start)[2]), fix=fix)


def _check(source: Source, settings: Settings) -> tuple[Diagnostic, ...]:
    front_end = FRONT_ENDS[source.language]
    if front_end.skips(source, settings):
        return ()
    rules, words = _for_file(source, settings)
    marks = _marks(settings)
    present = occurring(source, settings)
    if present.isdisjoint(words) and present.isdisjoint(marks):
        return ()
    standing = front_end.standing_in(source.text, present.intersection(words)) | imported_words(settings)
    found = front_end.findings(source, settings, rules, standing) if standing else []
    if not found and present.isdisjoint(marks):
        return ()
    if settings.ignore_noqa:
        left = match.place(source, found)
    else:
        left = match.suppress(source, found, rule_names(), frozenset(rule.code for rule in rules))
    if left and (fault := front_end.fault(source)) is not None:
        left = _beside(fault, source, left)
    return tuple(_as_configured(diagnostic, settings) for diagnostic in left)


def occurring(source: Source, settings: Settings) -> frozenset[str]:
    """The words of the rules, and the hints of the language, that may occur in a source."""
    words = _for_file(source, settings)[1]
    return found_in(source.text, (*words, *_marks(settings), *FRONT_ENDS[source.language].HINTS))


def _marks(settings: Settings) -> tuple[str, ...]:
    """What comments are known by that suppress findings."""
    return () if settings.ignore_noqa else match.marks(rule_names())


def _for_file(source: Source, settings: Settings) -> tuple[tuple[Rule, ...], tuple[str, ...]]:
    """The rules that hold for a source, and the words they look for."""
    exempt = language(settings, source.path) == "pyi" or is_spawn_exempt(settings, source.path)
    codes = settings.enabled - ignored_codes(settings, source.path)
    return _chosen(codes, exempt, settings.low_confidence, source.language, declared_words(settings))


def _beside(fault: Fault, source: Source, diagnostics: Sequence[Diagnostic]) -> tuple[Diagnostic, ...]:
    """What is to be said about a file that is broken: that, or what was found, but without the fixes."""
    if not fault.invalid:
        return tuple(replace(diagnostic, fix=None) for diagnostic in diagnostics)
    return match.place(source, [Diagnostic(INVALID_SYNTAX, INVALID_SYNTAX, fault.message, fault.start, fault.end)])


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


def words_for(settings: Settings, language: str) -> Mapping[str, tuple[str, ...]]:
    """The texts without one of which no file in a language can have a finding under these settings, and the words that
    each is sought for."""
    words = _chosen(settings.enabled, False, settings.low_confidence, language, declared_words(settings))[1]
    return _texts((*words, *FRONT_ENDS[language].HINTS)) if words else {}


@functools.cache
def _texts(words: tuple[str, ...]) -> Mapping[str, tuple[str, ...]]:
    return sought(words)


@functools.cache
def _chosen(
    codes: frozenset[str], exempt: bool, likely: bool, language: str, declared: tuple[str, ...]
) -> tuple[tuple[Rule, ...], tuple[str, ...]]:
    """The rules that hold for a file, and the words they look for: chosen once for files alike."""
    rules = tuple(rule for rule in all_rules() if rule.code in codes and not (rule.spawn and exempt))
    words = FRONT_ENDS[language].words
    return rules, tuple(dict.fromkeys((*(word for rule in rules for word in words(rule, likely)), *declared)))
