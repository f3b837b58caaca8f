"""The comments behind the code of neighbouring lines: gofmt aligns them, so an edit that makes a line longer moves them
all."""

from __future__ import annotations

import bisect
from typing import TYPE_CHECKING

from panicguard.diagnostic import Edit
from panicguard.go.lex import scan

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from panicguard.source import Source

_MOST = 100
"""How many comments an edit moves at most: each fix in a block of such lines would move them all."""


def aligned(source: Source, edit: Edit, *, keeps: bool = True) -> list[Edit]:
    """The edit, and those that keep the comments of neighbouring lines aligned. `keeps`: whether the comment behind the
    edit is still behind its last line. The edit alone if the comments were not aligned before."""
    row = source.location(edit.end)[0]
    comments = _aligned_comments(source, row)
    if not comments:
        return [edit]
    widths = {each: len(_code(source, each, comment)) for each, comment in comments.items()}
    widths[row] = _new_width(source, edit, row, comments[row])
    edits = [edit]
    for group in _groups(comments, row, edit, keeps=keeps):
        width = max((widths[each] for each in group), default=0) + 1
        for each in group:
            end = comments[each]
            start = source.line_starts[each - 1] + len(_code(source, each, end))
            blanks = " " * (width - widths[each])
            if each == row and start <= edit.end:
                edits[0] = Edit(edit.start, end, edit.content + blanks)
            else:  # even if it changes nothing: fixes of the same lines must wait for one another
                edits.append(Edit(start, end, blanks))
    return sorted(edits)


def comment_behind(source: Source, row: int) -> int | None:
    """The offset of the comment behind the code of a row; None if there is no such comment, or no such row."""
    if not 0 < row <= len(source.line_starts) or "//" not in source.line(row):
        return None
    comments, start = scan(source.text).comments, source.line_starts[row - 1]
    index = bisect.bisect_left(comments, (start, start))
    if index == len(comments):
        return None
    at = comments[index][0]
    return at if at < start + len(source.line(row)) and _code(source, row, at) else None


def _aligned_comments(source: Source, row: int) -> dict[int, int]:
    """The rows whose comments are aligned with that of a row, including its own, and the offsets of the comments; empty
    if there are none, or too many."""
    at = comment_behind(source, row)
    if at is None:
        return {}
    column = source.location(at)[1]
    comments = {row: at}
    for step in (-1, 1):
        beside = row + step
        while (start := comment_behind(source, beside)) is not None and source.location(start)[1] == column:
            comments[beside] = start
            beside += step
            if len(comments) > _MOST:
                return {}
    longest = max(len(_code(source, each, comment)) for each, comment in comments.items())
    return comments if len(comments) > 1 and column == longest + 2 else {}


def _new_width(source: Source, edit: Edit, row: int, comment: int) -> int:
    """How long the code before the comment on a row is after an edit that ends in the row."""
    before = source.text[source.line_starts[row - 1] : edit.start] if source.location(edit.start)[0] == row else ""
    written = before + edit.content if "\n" not in edit.content else edit.content.rpartition("\n")[2]
    return len((written + source.text[edit.end : comment]).rstrip())


def _groups(comments: Mapping[int, int], row: int, edit: Edit, *, keeps: bool) -> Iterable[list[int]]:
    """The rows whose comments are aligned with each other after an edit."""
    rows = sorted(comments)
    if "\n" not in edit.content:
        return (rows,)
    # A comment behind code of several lines is not aligned with others.
    return [each for each in rows if each < row], [row] if keeps else [], [each for each in rows if each > row]


def _code(source: Source, row: int, comment: int) -> str:
    """What stands before the comment on a row."""
    return source.text[source.line_starts[row - 1] : comment].rstrip()
