"""The suppression comments that `--add-noqa` and `--add-ignore` write.

Every diagnostic that is left gets its code on the row on which it looks for a comment (`noqa_row`): in an existing list
of codes there, else in a new comment at the end of the row. Nothing else on the row changes, in particular no existing
reason. Offsets count code points of `Source.text`. Nothing here reads or writes a file.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from panicguard.diagnostic import INTERNAL_ERROR, INVALID_SYNTAX, Diagnostic, Edit, Result, edited
from panicguard.languages import scan, style
from panicguard.suppression.directives import Directive, Kind, read
from panicguard.suppression.match import UNUSED
from panicguard.suppression.placement import row_span

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from panicguard.source import Source

_LIKE_A_CODE = re.compile(r"[\s,]*[A-Z]+[0-9]|,")


@dataclass(frozen=True, slots=True)
class Annotation:
    """What to write: `kind` is NOQA or IGNORE; the reason, of one line, comes after the codes if it is not empty."""

    kind: Kind
    reason: str = ""


def annotate(
    source: Source,
    check: Callable[[Source], tuple[Diagnostic, ...]],
    rules: Mapping[str, str],
    annotation: Annotation,
) -> Result:
    """The source with a comment for each diagnostic of a rule that `check` finds, and the diagnostics that are left.

    `added` is the number of rows that got one. A notebook gets none. A source stays as it is, with an `internal-error`,
    if a comment would not silence what it is for, or cannot be written in the file's encoding.
    """
    diagnostics = check(source)
    edits = () if source.document is not None else additions(source, diagnostics, rules, annotation)
    if not edits:
        return Result(source, diagnostics)
    annotated = dataclasses.replace(source, text=edited(source.text, edits))
    left = check(annotated)
    fault = None
    if any(d.code == INVALID_SYNTAX or (d.is_rule and d.code != UNUSED) for d in left):
        fault = "a suppression comment has no effect here"
    else:
        try:
            annotated.encode()
        except UnicodeError:
            fault = f"the reason cannot be written as {source.encoding}"
    if fault is not None:
        failure = Diagnostic(INTERNAL_ERROR, INTERNAL_ERROR, f"{fault}: the file is left as it was", 0, 0)
        return Result(source, (*diagnostics, failure))
    return Result(annotated, left, original=source, added=len(edits))


def additions(
    source: Source, diagnostics: Sequence[Diagnostic], rules: Mapping[str, str], annotation: Annotation
) -> tuple[Edit, ...]:
    """The edits that silence the diagnostics of rules, one a row, in the order of the text.

    `rules` maps codes to names. A row with a `# noqa` without codes gets none: that silences everything except unused
    suppressions.
    """
    codes: dict[int, set[str]] = {}
    for diagnostic in diagnostics:
        if diagnostic.is_rule:
            row = diagnostic.noqa_row or source.location(diagnostic.start)[0]
            codes.setdefault(row, set()).add(diagnostic.code)
    if not codes:
        return ()
    directives = _by_row(source, rules)
    edits = (_addition(source, row, codes[row], directives.get(row, ()), annotation) for row in sorted(codes))
    return tuple(edit for edit in edits if edit is not None)


def silencing(
    source: Source, diagnostics: Sequence[Diagnostic], rules: Mapping[str, str], annotation: Annotation
) -> tuple[Edit | None, ...]:
    """For each diagnostic the edit that silences it and no other, if there is one."""
    directives = _by_row(source, rules) if diagnostics else {}

    def edit(diagnostic: Diagnostic) -> Edit | None:
        row = diagnostic.noqa_row or source.location(diagnostic.start)[0]
        return _addition(source, row, {diagnostic.code}, directives.get(row, ()), annotation)

    return tuple(edit(diagnostic) if diagnostic.is_rule else None for diagnostic in diagnostics)


def _by_row(source: Source, rules: Mapping[str, str]) -> dict[int, list[Directive]]:
    by_row: dict[int, list[Directive]] = {}
    for directive in read(source, scan(source), rules).directives:
        by_row.setdefault(source.location(directive.start)[0], []).append(directive)
    return by_row


def _addition(
    source: Source, row: int, codes: set[str], directives: Sequence[Directive], annotation: Annotation
) -> Edit | None:
    start, end = row_span(source, row)
    text = source.text[start:end].rstrip("\r\n")
    mark, gap = style(source).mark, style(source).gap
    kind = annotation.kind
    if text.lstrip().startswith(mark):
        kind = Kind.NOQA  # an `ignore` in a comment on its own line applies to the next line
    reason = annotation.reason
    if kind is Kind.NOQA and _LIKE_A_CODE.match(reason):
        reason = f"- {reason}"  # it would be read as one more code
    for directive in directives:
        if directive.kind is not kind:
            continue
        if directive.codes is None:
            return None
        theirs = _reason(source, directive)
        if kind is Kind.NOQA or not reason or theirs in ("", reason):
            listed = ", ".join(sorted((*(code.text for code in directive.codes), *codes)))
            closing = source.text[directive.codes[-1].end : directive.end]
            more = f" {reason}" if reason and not theirs else ""
            return Edit(directive.codes[0].start, directive.end, f"{listed}{closing}{more}")
    listed = ", ".join(sorted(codes))
    comment = f"{mark} noqa: {listed}" if kind is Kind.NOQA else f"{mark} panicguard: ignore[{listed}]"
    bare = text.rstrip(" \t\f")
    return Edit(start + len(bare), start + len(text), f"{gap}{comment} {reason}".rstrip())


def _reason(source: Source, directive: Directive) -> str:
    """What follows the codes of a directive, up to the next comment on the row."""
    end = directive.comment[1]
    following = style(source).following.search(source.text, directive.end, end)
    return source.text[directive.end : following.start() if following else end].strip(" \t\f,")
