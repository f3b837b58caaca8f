"""The lines of source under a diagnostic's header, with the span marked.

Columns are 0-based and count a terminal's cells from the start of the source line.
"""

from __future__ import annotations

import bisect
from dataclasses import dataclass
from typing import TYPE_CHECKING

from panicguard.report.location import rows_beside
from panicguard.report.width import columns, printable, width

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panicguard.source import Place, Source

CONTEXT = 2
"""Lines of source shown before and after the span."""
TERMINAL = 140
"""Columns that a long line is cut to."""
DEEP = 20
"""Columns of common indentation up to which all of it is shown."""
ROOM = 6
"""Columns kept on both sides of a span in a line that is cut."""


@dataclass(frozen=True, slots=True)
class _Span:
    """What to mark: the rows, 1-based and inclusive, and the columns of its start and (exclusive) end."""

    row: int
    last: int
    left: int
    right: int

    @property
    def multiline(self) -> bool:
        return self.last > self.row


@dataclass(frozen=True, slots=True)
class _Window:
    """The columns of the source to show: from `left`, and to `right` where a line exceeds `size`."""

    left: int
    right: int
    size: int

    def end(self, length: int) -> int:
        return length if length - self.left <= self.size else min(length, self.right)


def snippet(source: Source, start: int, end: int) -> tuple[int, list[tuple[str, str]]]:
    """The digits of the largest line number, and the lines from the first `|`, for a span in code points.

    In a notebook, they are lines of one cell, and numbered there.
    """
    span = _span(source, start, end)
    rows = _rows(source, span)
    shift = rows[0] - source.place(source.offset(rows[0], 1)).row
    digits = len(str(rows[-1] - shift))
    texts = {row: source.line(row) for row in rows}
    window = _window(list(texts.values()), span, TERMINAL - digits - 3 - (2 if span.multiline else 0))
    segments = [(f"{'':{digits}} |", "gutter"), ("\n", "")]
    for row, text in texts.items():
        code, left = _cut(text, window)
        marks = _marks(span, row, text, left)
        if _is_trimmed(span, window) and row == span.row:
            code, marks = (_trim(line, span, window) for line in (code, marks))
        segments += _line(f"{row - shift:>{digits}} |", _bar(span, row, text), code, "")
        if marks:
            segments += _line(f"{'':{digits}} |", "", marks, "marker")
    if rows[-1] > span.last:
        segments += [(f"{'':{digits}} |", "gutter"), ("\n", "")]
    return digits, segments


def shown_place(source: Source, offset: int) -> Place:
    """The place that the header above a snippet shows for an offset.

    The end of a text that ends in a newline belongs to its last line, unless all lines shown are blank.
    """
    place = source.place(offset)
    if _is_on_line_before(source, offset):
        last = source.line(source.location(offset)[0] - 1)
        return place._replace(row=place.row - 1, column=len(last) + 2)
    return place


def _is_on_line_before(source: Source, offset: int) -> bool:
    row, column = source.location(offset)
    before = range(max(1, row - CONTEXT), row)
    return offset == len(source.text) and column == 1 and any(source.line(r).strip() for r in before)


def _line(gutter: str, bar: str, text: str, style: str) -> Iterator[tuple[str, str]]:
    yield gutter, "gutter"
    if bar.strip() or text:
        yield " ", ""
    if bar.strip() or (bar and text):
        yield (f"{bar} " if text else bar), "marker" if bar.strip() else ""
    yield f"{text}", style
    yield "\n", ""


def _span(source: Source, start: int, end: int) -> _Span:
    """Where a span lies; a span on one line is at least a cell wide."""
    row, left = _place(source, start, before=_is_on_line_before(source, start))
    last, right = _place(source, end, before=end > start or _is_on_line_before(source, end))
    if last > row and source.location(end)[0] > last:
        right += 1
    return _Span(row, last, left, max(right, left + 1) if row == last else right)


def _place(source: Source, offset: int, *, before: bool) -> tuple[int, int]:
    """The row and column of an offset; with `before`, a line's start is the end of the line before."""
    row, column = source.location(offset)
    if before and column == 1 and row > 1:
        return row - 1, columns(source.line(row - 1))
    line = source.line(row)
    return row, columns(line[: column - 1])


def _rows(source: Source, span: _Span) -> range:
    """The rows to show, without blank ones at the edges, and in a notebook only those of its cell."""
    count = len(source.line_starts)
    if count > 1 and source.line_starts[-1] == len(source.text):
        count -= 1
    count = max(count, span.last)
    first, last = max(1, span.row - CONTEXT), min(count, span.last + CONTEXT)
    while first < span.row and not source.line(first).strip():
        first += 1
    while last > span.last and not source.line(last).strip():
        last -= 1
    beside = rows_beside(source, source.offset(span.row, 1))
    return range(max(first, beside.start), max(min(last, beside.stop - 1), span.last) + 1)


def _window(texts: list[str], span: _Span, size: int) -> _Window:
    """The columns to show: all, or those around the span when a line is longer than `size`."""
    longest = max(map(columns, texts))
    if longest <= size and any(_begins_within(text, DEEP + ROOM) for text in texts):
        return _Window(0, longest, size)  # as nearly everywhere
    indents = [columns(text) - columns(text.lstrip()) for text in texts if text.strip()]
    indent = max(0, min(indents, default=0) - ROOM)
    left = indent - 16 if indent > DEEP else 0
    if longest - left <= size:
        return _Window(left, max(longest, left), size)
    lowest = max(0, min(span.left, span.right) - ROOM)
    highest = max(span.left, span.right) + ROOM
    if highest - indent <= size:
        return _Window(indent, indent + size, size)
    if highest - lowest <= size:
        left = max(0, lowest - (size - (highest - lowest)) // 2)
        return _Window(left, left + size, size)
    return _Window(lowest, highest, size)


def _begins_within(text: str, size: int) -> bool:
    """Whether a line surely has less than so many columns of space before its first character."""
    start = text[:size]
    return start.isascii() and "\t" not in start and not start.isspace() and start != ""


def _cut(text: str, window: _Window) -> tuple[str, int]:
    """The part of a line in the window, drawn, with `…` where it was cut; the column it starts at."""
    if text.isascii() and text.isprintable() and window.left == 0 and window.end(len(text)) == len(text):
        return text, 0  # as nearly every line does
    drawn, length = printable(text), columns(text)
    end = window.end(length)
    ends = range(len(drawn) + 1)
    size = len if drawn.isascii() else columns
    first = bisect.bisect_left(ends, min(window.left, length), key=lambda at: size(drawn[:at]))
    last = bisect.bisect_right(ends, end, key=lambda at: size(drawn[:at])) - 1
    shown = drawn[first:last]
    if length > end:
        seen = next((i for i in reversed(range(len(shown))) if width(shown[i])), 0)
        shown = f"{shown[:seen]}…{shown[seen + 1 :]}"
    if window.left:
        seen = next((i for i, character in enumerate(shown) if width(character)), len(shown))
        shown = f"…{' ' * (columns(shown[: seen + 1]) - 1)}{shown[seen + 1 :]}"
    return shown, columns(drawn[:first])


def _bar(span: _Span, row: int, text: str) -> str:
    """What the column beside the source shows on a row of it: `/` or `|` beside a span of several lines."""
    if not span.multiline:
        return ""
    if row == span.row:
        return "/" if _at_indent(span, text) else " "
    return "|" if span.row < row <= span.last else " "


def _marks(span: _Span, row: int, text: str, left: int) -> str:
    """What is drawn under a row, the bar beside it included; the source shown starts at column `left`."""
    if not span.multiline:
        if row != span.row:
            return ""
        return " " * (span.left - left) + "^" * max(1, span.right - span.left)
    if row == span.row and not _at_indent(span, text):
        return " " + "_" * (span.left - left + 1) + "^"
    return "|" + "_" * max(0, span.right - left) + "^" if row == span.last else ""


def _at_indent(span: _Span, text: str) -> bool:
    return span.left <= columns(text) - columns(text.lstrip())


def _is_trimmed(span: _Span, window: _Window) -> bool:
    return not span.multiline and span.right - span.left > 2 * window.size


def _trim(line: str, span: _Span, window: _Window) -> str:
    """A line without the middle of a span that is very long."""
    pad = window.size // 3
    start, end = span.left - window.left + pad, span.right - window.left - pad
    return f"{line[:start]}…{line[end:]}" if end <= len(line) else line
