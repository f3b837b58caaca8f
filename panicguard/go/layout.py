"""Trailing comments, which gofmt aligns over neighbouring lines: an edit that makes a line longer moves them all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.go.lex import scan
from panicguard.model import Edit

if TYPE_CHECKING:
    from panicguard.source import Source


def aligned(source: Source, edit: Edit, *, keeps: bool = True) -> list[Edit]:
    """The edit, and what keeps the comments behind the lines beside it aligned. `keeps` says whether the comment
    behind the edit is still behind its last line. Nothing more where the comments were not aligned before."""
    comments = {source.location(start)[0]: start for start, _ in scan(source.text).comments}
    row = source.location(edit.end)[0]
    if row not in comments or not _code(source, row, comments[row]):
        return [edit]
    column = source.location(comments[row])[1]
    rows = [row]
    for step in (-1, 1):
        beside = row + step
        while (
            beside in comments
            and source.location(comments[beside])[1] == column
            and _code(source, beside, comments[beside])
        ):
            rows.append(beside)
            beside += step
    rows.sort()
    widths = {one: len(_code(source, one, comments[one])) for one in rows}
    if len(rows) == 1 or column != max(widths.values()) + 2:
        return [edit]
    before = source.text[source.line_starts[row - 1] : edit.start] if source.location(edit.start)[0] == row else ""
    said = before + edit.content if "\n" not in edit.content else edit.content.rpartition("\n")[2]
    widths[row] = len((said + source.text[edit.end : comments[row]]).rstrip())
    if "\n" not in edit.content:
        groups = [rows]
    else:
        above, below = [one for one in rows if one < row], [one for one in rows if one > row]
        groups = [above, [row] if keeps else [], below]  # behind what takes several lines a comment stands alone
    edits = [edit]
    for group in groups:
        width = max((widths[one] for one in group), default=0) + 1
        for one in group:
            end = comments[one]
            start = end - (column - 1) + len(_code(source, one, end))
            blanks = " " * (width - widths[one])
            if one == row and start <= edit.end:
                edits[0] = Edit(edit.start, end, edit.content + blanks)
            else:  # also where it changes nothing: fixes of the same lines are to wait for one another
                edits.append(Edit(start, end, blanks))
    return sorted(edits)


def _code(source: Source, row: int, comment: int) -> str:
    """What stands before the comment on a row."""
    return source.text[source.line_starts[row - 1] : comment].rstrip()
