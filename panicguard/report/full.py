"""`--output-format full`: each diagnostic with its source and the diff of its fix."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from panicguard.diagnostic import Applicability, edited
from panicguard.report import lines
from panicguard.report.concise import header, place
from panicguard.report.location import rows_beside
from panicguard.report.snippet import shown_place, snippet
from panicguard.report.width import drawn, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from panicguard.diagnostic import Diagnostic, Edit, Fix, Result
    from panicguard.report.lines import Op
    from panicguard.source import Source

CONTEXT = 1
"""Equal lines shown before and after what a fix changes."""
NEAR = 20
"""Equal lines kept on each side of a change when it is compared: more than any run of lines that could be confused."""
JOINED = 4
"""Equal lines between two changes up to which all are shown."""
NOTES = {
    Applicability.UNSAFE: "This is an unsafe fix and may change runtime behavior",
    Applicability.DISPLAY_ONLY: "This suggestion may be incorrect or produce invalid syntax. "
    "It requires manual review and cannot be applied automatically",
}


def render(results: Sequence[Result], *, unsafe: bool | None) -> list[tuple[str, str]]:
    """A paragraph for each diagnostic, an empty line after each."""
    return [s for result in results for d in result.diagnostics for s in _paragraph(result, d, unsafe)]


def _paragraph(result: Result, diagnostic: Diagnostic, unsafe: bool | None) -> Iterator[tuple[str, str]]:
    source = result.source
    yield from ((printable(text), style) for text, style in header(diagnostic, unsafe, title=True))
    nowhere = diagnostic.start == diagnostic.end == 0
    digits, marked = (0, []) if nowhere else snippet(source, diagnostic.start, diagnostic.end)
    yield f"{'':{digits}}--> ", "gutter"
    yield f"{source.path}:{''.join(text for text, _ in place(shown_place(source, diagnostic.start)))}\n", ""
    yield from marked
    if diagnostic.fix is not None:
        yield "help", "help"
        yield f": {printable(diagnostic.fix.title)}\n", "message"
        yield from _diff(source, diagnostic.fix)
        if diagnostic.fix.applicability in NOTES:
            yield "note", "note"
            yield f": {NOTES[diagnostic.fix.applicability]}\n", "message"
    yield "\n", ""


def _diff(source: Source, fix: Fix) -> Iterator[tuple[str, str]]:
    """The changes of a fix, with the numbers that lines have after it; those of a notebook cell by cell."""
    for cell, edits in itertools.groupby(fix.edits, lambda edit: source.place(edit.start).cell):
        yield from _changes(source, cell, tuple(edits))


def _changes(source: Source, cell: int | None, edits: Sequence[Edit]) -> Iterator[tuple[str, str]]:
    changes = [
        (group, old, new, row)
        for row, old, new in _windows(source, edits)
        for group in lines.groups(old, new, CONTEXT, joined=JOINED)
    ]
    if not changes:
        return
    group, _, _, row = changes[-1]
    digits = len(str(max(1, row + group[-1].new_end)))
    if cell is not None:
        yield f"{'':{digits}}::: cell {cell}\n", ""
    yield f"{'':{digits}} |", "gutter"
    yield "\n", ""
    for index, (group, old, new, row) in enumerate(changes):
        if index:
            yield f"{'':-<80}\n", ""
        for op in group:
            yield from _operation(op, old, new, row, digits)
    yield f"{'':{digits}} |", "gutter"
    yield "\n", ""


def _windows(source: Source, edits: Sequence[Edit]) -> Iterator[tuple[int, Sequence[str], Sequence[str]]]:
    """The lines around each cluster of edits, as they are and as they will be; before them the row (from 0) that the
    first has after the fix, in its cell. Only there can the texts differ: a whole file need not be compared."""
    starts, text = source.line_starts, source.text
    beside = rows_beside(source, edits[0].start)
    top, bottom = beside.start - 1, beside.stop - 1
    clusters: list[list[Edit]] = []
    last = 0
    for edit in edits:
        row = source.location(edit.start)[0] - 1
        if not clusters or row - last > 2 * NEAR:
            clusters.append([])
        clusters[-1].append(edit)
        last = source.location(edit.end)[0] - 1
    shift = -top
    for cluster in clusters:
        low = max(top, source.location(cluster[0].start)[0] - 1 - NEAR)
        high = min(bottom, source.location(cluster[-1].end)[0] + NEAR)
        start, end = starts[low], starts[high] if high < len(starts) else len(text)
        mark = "\ufeff" * (source.bom and low == 0)
        old, new = lines.split(mark + text[start:end]), lines.split(mark + edited(text, cluster, start, end))
        yield low + shift, old, new
        shift += len(new) - len(old)


def _operation(op: Op, old: Sequence[str], new: Sequence[str], first: int, digits: int) -> Iterator[tuple[str, str]]:
    if not op.equal:
        for line in old[op.old : op.old_end]:
            yield from _line(f"{'':{digits}}", "-", line, "removed")
    for row, line in enumerate(new[op.new : op.new_end], first + op.new + 1):
        yield from _line(f"{row:<{digits}}", "|" if op.equal else "+", line, "" if op.equal else "added")


def _line(number: str, sign: str, line: str, style: str) -> Iterator[tuple[str, str]]:
    yield f"{number} ", "gutter"
    yield sign, style or "gutter"
    text = line.rstrip("\r\n")
    newline = line[len(text) :] or "\n"
    text = drawn(text)
    yield (f" {text}{newline}" if text else newline), style
