"""Suppression: which diagnostics comments silence, and which comments silence nothing.

Everything here is a pure function of one file's text; offsets count code points of `Source.text`. Other tools' codes
are skipped, and never reported or removed.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from panicguard.diagnostic import Diagnostic, Edit, Fix
from panicguard.languages import scan, style
from panicguard.python.magics import as_python
from panicguard.suppression import nolint
from panicguard.suppression.covering import covering
from panicguard.suppression.directives import Code, Directive, Kind, read
from panicguard.suppression.placement import Scope, place_in, row_span, rows, scopes_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from panicguard.lines import Scan
    from panicguard.source import Source

UNUSED = "PNC900"


def marks(rules: Mapping[str, str]) -> tuple[str, ...]:
    """A file without any of these has no comment that mentions panicguard."""
    return ("panicguard", "PNC", *rules.values(), *nolint.LINTERS)


def suppress(
    source: Source,
    diagnostics: Sequence[Diagnostic],
    rules: Mapping[str, str],
    enabled: frozenset[str],
) -> tuple[Diagnostic, ...]:
    """The diagnostics that no comment silences, with `noqa_row` set, and PNC900 for comments that silence
    nothing; by position.

    `rules` maps the code of every rule to its name; `enabled` are the codes checked for in this file.
    Syntax, read and internal errors stay, and if there is one, no comment is reported as unused.
    """
    scanned = scan(source)
    placed = [place_in(source, scanned, diagnostic) for diagnostic in diagnostics]
    scopes, _ = scopes_of(source, scanned, read(source, scanned, rules).directives)
    if style(source).mark == nolint.SLASHES:
        scopes += nolint.scopes(source)
    left, used = _match(source, scanned, placed, scopes, rules)
    if UNUSED in enabled and all(diagnostic.is_rule for diagnostic in diagnostics):
        unused_ones = [place_in(source, scanned, unused) for unused in _unused(source, scopes, used, rules, enabled)]
        silencing = [scope for scope in scopes if scope.code is not None or scope.rank == 0]
        left += _match(source, scanned, unused_ones, silencing, rules)[0]
    return _sorted(left)


def place(source: Source, diagnostics: Sequence[Diagnostic]) -> tuple[Diagnostic, ...]:
    """The diagnostics with `noqa_row`, the row on which Ruff would look for a `noqa`; by position."""
    if not diagnostics:
        return ()
    scanned = scan(source)
    return _sorted(place_in(source, scanned, diagnostic) for diagnostic in diagnostics)


def may_speak(source: Source) -> bool:
    """Whether the text mentions panicguard at all: most files contain neither of the two words."""
    return "PNC" in source.text or "panicguard" in source.text


def noqa_codes(source: Source, rules: Mapping[str, str]) -> tuple[str, ...]:
    """The codes of rules that `# noqa` comments name: those that Ruff, which reads them too, needs to know."""
    if not style(source).shared:
        return ()
    source = as_python(source)
    return tuple(
        sorted(
            {
                code.text
                for directive in read(source, scan(source), rules).directives
                if directive.kind in (Kind.NOQA, Kind.FLAKE8_NOQA)
                for code in directive.codes or ()
                if code.text in rules
            }
        )
    )


def warnings(source: Source, rules: Mapping[str, str]) -> tuple[str, ...]:
    """Warnings about malformed suppression comments; only about those that mention panicguard."""
    source = as_python(source)
    scanned = scan(source)
    comments = read(source, scanned, rules)
    _, stray = scopes_of(source, scanned, comments.directives)
    return tuple(
        f"{complaint.what} on {source.path}:{_shown_row(source, complaint.start)}: {complaint.why}"
        for complaint in sorted((*comments.complaints, *stray))
    )


def _shown_row(source: Source, offset: int) -> str:
    cell, row, _ = source.place(offset)
    return str(row) if cell is None else f"cell {cell}:{row}"


def _sorted(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    return tuple(sorted(diagnostics, key=lambda diagnostic: (diagnostic.start, diagnostic.end, diagnostic.code)))


# Matching


def _match(
    source: Source,
    scanned: Scan,
    diagnostics: Sequence[Diagnostic],
    scopes: Sequence[Scope],
    rules: Mapping[str, str],
) -> tuple[list[Diagnostic], set[Scope]]:
    """The diagnostics that no scope covers, and the scopes that covered one."""
    own = [diagnostic for diagnostic in diagnostics if diagnostic.is_rule]
    reaching = [rows(source, scanned, diagnostic) for diagnostic in own]
    found = iter(covering(own, reaching, scopes, functools.partial(_names, rules)))
    left: list[Diagnostic] = []
    used: set[Scope] = set()
    for diagnostic in diagnostics:
        scope = next(found) if diagnostic.is_rule else None
        if scope is None:
            left.append(diagnostic)
        else:
            used.add(scope)
    return left, used


def _names(rules: Mapping[str, str], scope: Scope, code: str) -> bool:
    """Whether a scope names a code, by whatever word."""
    if scope.code is None:
        return scope.directive.kind is not Kind.NOLINT or nolint.LINTERS["panicguard"].match(code) is not None
    text = scope.code.text
    if scope.directive.kind is Kind.NOLINT:
        linter = nolint.LINTERS.get(text)
        return linter.match(code) is not None if linter else text in (code.lower(), rules.get(code))
    if scope.rank == 0 and text.startswith("PNC") and code.startswith(text):
        return True
    return text in (code, rules.get(code))


# The unused


def _unused(
    source: Source,
    scopes: Sequence[Scope],
    used: set[Scope],
    rules: Mapping[str, str],
    enabled: frozenset[str],
) -> Iterator[Diagnostic]:
    """A PNC900 for each directive with a code of panicguard's that did nothing."""
    codes = {name: code for code, name in rules.items()}
    by_directive: dict[Directive, list[Scope]] = {}
    for scope in scopes:
        by_directive.setdefault(scope.directive, []).append(scope)
    for directive, own in by_directive.items():
        if directive.codes is None:
            continue  # a directive for everything may be meant for another tool, or for later code
        if any(codes.get(code.text, code.text) == UNUSED for code in directive.codes):
            continue
        faults: dict[str, list[str]] = {}
        gone: list[Scope] = []
        seen: set[str] = set()
        for scope in sorted(own, key=lambda scope: scope.code.start if scope.code else 0):
            assert scope.code is not None
            fault = _fault(scope, scope in used, seen, codes, rules, enabled)
            seen.add(codes.get(scope.code.text, scope.code.text))
            if fault is not None:
                faults.setdefault(fault, []).append(f"`{scope.code.text}`")
                gone.append(scope)
        if gone:
            why = "; ".join(f"{fault}: {', '.join(texts)}" for fault, texts in faults.items())
            edits = _removal(source, directive, [s.code for s in gone if s.code])
            closed: dict[Directive, list[Code]] = {}
            for scope in gone:
                if scope.closing is not None:
                    closed.setdefault(scope.closing[0], []).append(scope.closing[1])
            for closing, ended in closed.items():
                edits += _removal(source, closing, ended)
            yield _diagnostic(rules, directive, f"({why})", edits)


def _fault(
    scope: Scope,
    used: bool,
    seen: set[str],
    codes: Mapping[str, str],
    rules: Mapping[str, str],
    enabled: frozenset[str],
) -> str | None:
    """What is wrong with one code of a directive; `seen` are the codes before it, `codes` maps names to codes."""
    assert scope.code is not None
    text = scope.code.text
    code = codes.get(text, text)
    ours_alone = scope.directive.kind not in (Kind.NOQA, Kind.FLAKE8_NOQA, Kind.NOLINT)
    if not (ours_alone or text in nolint.LINTERS or code in rules or re.fullmatch(r"PNC[0-9]*", code)):
        return None
    if code in seen:
        return "duplicated"
    if used:
        return None
    meant = {rule for rule in rules if _names(rules, scope, rule)}
    if not meant:
        return "unknown"
    if scope.directive.kind is Kind.NOLINT and text != "panicguard" and not meant <= enabled:
        return None  # it may mean a rule that did not run
    return "unused" if meant & enabled else "non-enabled"


def _diagnostic(rules: Mapping[str, str], directive: Directive, why: str, edits: tuple[Edit, ...]) -> Diagnostic:
    return Diagnostic(
        UNUSED,
        rules.get(UNUSED, "unused-suppression"),
        f"Unused suppression {why}",
        directive.start,
        directive.end,
        Fix("Remove unused suppression", tuple(sorted(edits))),
    )


def _removal(source: Source, directive: Directive, gone: Sequence[Code]) -> tuple[Edit, ...]:
    """The edits that take codes out of a directive, or all of it if none is left."""
    codes = directive.codes or ()
    removed = frozenset(gone)
    first_kept = next((code for code in codes if code not in removed), None)
    if first_kept is None:
        return (_without(source, directive),)
    spans: list[tuple[int, int]] = []
    for i, code in enumerate(codes):
        if code not in removed:
            continue
        after_kept = code.start > first_kept.start
        start, end = (codes[i - 1].end, code.end) if after_kept else (code.start, codes[i + 1].start)
        if spans and spans[-1][1] == start:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return tuple(Edit(start, end, "") for start, end in spans)


def _without(source: Source, directive: Directive) -> Edit:
    """The edit that removes a directive and its reason: with it the comment, if nothing else is in it, and the line, if
    the comment stands alone."""
    text = source.text
    begin, end = directive.comment
    following = style(source).following.search(text, directive.end, end)
    if following and directive.kind is not Kind.NOLINT:
        return Edit(directive.start, following.end() - 1, "")
    if directive.start > begin:
        return Edit(len(text[: directive.start].rstrip()), end, "")
    line_start, line_end = row_span(source, source.location(begin)[0])
    before = text[line_start:begin].rstrip()
    return Edit(line_start + len(before), end, "") if before else Edit(line_start, line_end, "")
