"""`--output-format full`: each diagnostic with its source and the diff of its fix."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

from panicguard.diagnostic import Applicability, edited
from panicguard.report import lines
from panicguard.report.concise import header, place
from panicguard.report.lines import Op
from panicguard.report.location import rows_beside
from panicguard.report.snippet import shown_place, snippet
from panicguard.report.width import drawn, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import TypeAlias

    from panicguard.diagnostic import Diagnostic, Edit, Fix, Result
    from panicguard.source import Source

    Segment = tuple[str, str]
    Known: TypeAlias = "dict[tuple[Edit, ...], _Window]"
    """The last windows of a file by their edits: that of an import is shown with every fix that needs it."""

CONTEXT = 1
"""Equal lines shown before and after what a fix changes."""
NEAR = 20
"""Equal lines kept on each side of a change when it is compared: more than any run of lines that could be confused."""
JOINED = 4
"""Equal lines between two changes up to which all are shown."""
KEPT = 8
"""Windows that are remembered."""
NOTES = {
    Applicability.UNSAFE: "This is an unsafe fix and may change runtime behavior",
    Applicability.DISPLAY_ONLY: "This suggestion may be incorrect or produce invalid syntax. "
    "It requires manual review and cannot be applied automatically",
}


class _Window(NamedTuple):
    """The lines around a cluster of edits, from the row `low` (0-based) on, as they are and as they will be, and the
    groups of changes between the two."""

    low: int
    old: Sequence[str]
    new: Sequence[str]
    groups: Sequence[Sequence[Op]]


def render(results: Iterable[Result], *, unsafe: bool | None) -> Iterator[list[Segment]]:
    """A paragraph for each diagnostic, an empty line after each."""
    for result in results:
        known: Known = {}
        for diagnostic in result.diagnostics:
            yield _paragraph(result.source, diagnostic, unsafe, known)


def _paragraph(source: Source, diagnostic: Diagnostic, unsafe: bool | None, known: Known) -> list[Segment]:
    segments = [(printable(text), style) for text, style in header(diagnostic, unsafe, title=True)]
    nowhere = diagnostic.start == diagnostic.end == 0
    digits, marked = (0, []) if nowhere else snippet(source, diagnostic.start, diagnostic.end)
    segments.append((f"{'':{digits}}--> ", "gutter"))
    where = "".join(text for text, _ in place(shown_place(source, diagnostic.start)))
    segments.append((f"{source.path}:{where}\n", ""))
    segments += marked
    if diagnostic.fix is not None:
        segments += (("help", "help"), (f": {printable(diagnostic.fix.title)}\n", "message"))
        segments += _diff(source, diagnostic.fix, known)
        if diagnostic.fix.applicability in NOTES:
            segments += (("note", "note"), (f": {NOTES[diagnostic.fix.applicability]}\n", "message"))
    segments.append(("\n", ""))
    return segments


def _diff(source: Source, fix: Fix, known: Known) -> list[Segment]:
    """The changes of a fix, with the numbers that lines have after it; those of a notebook cell by cell."""
    if not source.cells:
        return _changes(source, None, fix.edits, known)
    by_cell = itertools.groupby(fix.edits, lambda edit: source.place(edit.start).cell)
    return [segment for cell, edits in by_cell for segment in _changes(source, cell, tuple(edits), known)]


def _changes(source: Source, cell: int | None, edits: Sequence[Edit], known: Known) -> list[Segment]:
    changes = [(group, window, row) for row, window in _windows(source, edits, known) for group in window.groups]
    if not changes:
        return []
    group, _, row = changes[-1]
    digits = len(str(max(1, row + group[-1].new_end)))
    edge = ((f"{'':{digits}} |", "gutter"), ("\n", ""))
    segments: list[Segment] = [] if cell is None else [(f"{'':{digits}}::: cell {cell}\n", "")]
    segments += edge
    for index, (group, window, row) in enumerate(changes):
        if index:
            segments.append((f"{'':-<80}\n", ""))
        for op in group:
            _operation(segments, op, window, row, digits)
    segments += edge
    return segments


def _windows(source: Source, edits: Sequence[Edit], known: Known) -> Iterator[tuple[int, _Window]]:
    """What is around each cluster of edits, with the row (from 0) that its first line has after the fix, in its cell.
    Only there can the texts differ: a whole file need not be compared."""
    top, bottom = _rows(source, edits[0].start)
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
        key = tuple(cluster)
        window = known.get(key)
        if window is None:
            if len(known) == KEPT:
                known.clear()
            window = known[key] = _window(source, key, top, bottom)
        yield window.low + shift, window
        shift += len(window.new) - len(window.old)


def _rows(source: Source, offset: int) -> tuple[int, int]:
    """The first row, 0-based, and the last one that may be shown beside an offset."""
    if not source.cells:
        return 0, len(source.line_starts)
    beside = rows_beside(source, offset)
    return beside.start - 1, beside.stop - 1


def _window(source: Source, cluster: Sequence[Edit], top: int, bottom: int) -> _Window:
    starts, text = source.line_starts, source.text
    if (alone := _in_one_row(source, cluster, top, bottom)) is not None:
        return alone
    low = max(top, source.location(cluster[0].start)[0] - 1 - NEAR)
    high = min(bottom, source.location(cluster[-1].end)[0] + NEAR)
    start, end = starts[low], starts[high] if high < len(starts) else len(text)
    mark = "\ufeff" * (source.bom and low == 0)
    old, new = lines.split(mark + text[start:end]), lines.split(mark + edited(text, cluster, start, end))
    return _Window(low, old, new, lines.groups(old, new, CONTEXT, joined=JOINED))


def _in_one_row(source: Source, cluster: Sequence[Edit], top: int, bottom: int) -> _Window | None:
    """The window of edits that change one row, which is like none beside it: that needs no comparison."""
    row = source.location(cluster[0].start)[0] - 1
    starts, text = source.line_starts, source.text
    if not (top < row < min(bottom, len(starts)) - 1) or cluster[-1].end >= starts[row + 1]:
        return None
    low, high = row - 1, row + 2
    ends = (*starts[low : high + 1], len(text))
    above, old, below = (text[ends[at] : ends[at + 1]] for at in range(3))
    new = edited(text, cluster, starts[row], starts[row + 1])
    if not below or new in (above, old, below) or lines.split(new) != [new] or (source.bom and low == 0):
        return None
    group = [Op(True, 0, 1, 0, 1), Op(False, 1, 2, 1, 2), Op(True, 2, 3, 2, 3)]
    return _Window(low, (above, old, below), (above, new, below), [group])


def _operation(segments: list[Segment], op: Op, window: _Window, first: int, digits: int) -> None:
    if not op.equal:
        gutter = f"{'':{digits}} ", "gutter"
        for line in window.old[op.old : op.old_end]:
            segments += (gutter, ("-", "removed"), (_shown(line), "removed"))
    sign, style = ("|", "") if op.equal else ("+", "added")
    for row, line in enumerate(window.new[op.new : op.new_end], first + op.new + 1):
        segments += ((f"{row:<{digits}} ", "gutter"), (sign, style or "gutter"), (_shown(line), style))


def _shown(line: str) -> str:
    text = line.rstrip("\r\n")
    newline = line[len(text) :] or "\n"
    text = drawn(text)
    return f" {text}{newline}" if text else newline
