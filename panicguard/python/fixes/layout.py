"""How the rows of a rewritten call are laid out: none is longer than the project's line length that was not before,
and what is aligned with the opening bracket stays so."""

from __future__ import annotations

import bisect
import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from panicguard.diagnostic import Edit, edited
from panicguard.lines import line_at, margin
from panicguard.python.fixes.rewrite import insert
from panicguard.python.fixes.split import Limits, brackets, broken, broken_at, has_clauses, is_balanced, listed
from panicguard.python.lex import GAP, scan
from panicguard.report.width import columns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import libcst as cst

    from panicguard.python.file import PythonFile
    from panicguard.python.fixes.rewrite import Rewrite
    from panicguard.source import Source

_PRAGMA = re.compile(r"\s*#\s*(?:noqa|nolint|type:|mypy|pyright|pylint|pragma|nosec|fmt|isort|ruff|flake8|yapf)", re.I)
"""A comment that is meant for the row that it ends."""
_BRACKET = re.compile(rf"{GAP}\(")


@dataclass(frozen=True)
class _Layout:
    """Where a call stands: its rows, the offset of its opening bracket, that behind its closing one, and the spans of
    its arguments."""

    source: Source
    limits: Limits
    rows: tuple[int, int]
    opening: int
    end: int
    args: Sequence[tuple[int, int]]

    @property
    def span(self) -> tuple[int, int]:
        """The rows as offsets, without the newline of the last one."""
        return self.source.offset(self.rows[0], 1), _end(self.source, self.rows[1])

    @functools.cached_property
    def margin(self) -> str | None:
        """What the first argument is indented by, if its row begins with it."""
        row, column = self.source.location(self.args[0][0])
        before = self.source.line(row)[: column - 1]
        return None if before.strip() or row == self.rows[0] else before

    @functools.cached_property
    def is_in_rows(self) -> bool:
        """Whether each argument has a row of its own, or would have: they take several, or a comma is behind them."""
        last = self.args[-1][1]
        is_one = self.source.location(self.args[0][0])[0] == self.source.location(last)[0]
        return not is_one or "," in self.source.text[last : self.end]

    @functools.cached_property
    def aligned(self) -> list[int]:
        """Where the rows start that are indented at least as far as what stands behind the opening bracket."""
        first, last = self.rows
        column = self.source.location(self.opening)[1]
        starts = (self.source.offset(row, 1) for row in range(first + 1, last + 1))
        indented = (start for start in starts if self.source.text.startswith(" " * column, start))
        return [start for start in indented if not _is_in_string(self.source, start)]


def laid_out(module: PythonFile, call: cst.Call, rewrite: Callable[[str], Rewrite | None]) -> Rewrite | None:
    """The rewrite of a call, given what stands between its new arguments: a blank, or a line break and the margin of
    the next row where its rows ask for that, or would be too long."""
    layout = _layout(module, call)
    found = rewrite(", ")
    if found is None or layout is None:
        return found
    for separator, lead in _ways(layout, found.edits):
        made = rewrite(separator)
        assert made is not None
        edits = _closed(layout, made.edits, separator)
        if layout.margin is None:
            at = layout.args[0][0]
            edits = [Edit(at, e.end, f"{lead}{e.content}") if e.start == at else e for e in edits]
            edits += _moved(layout, edits, layout.limits.unit if lead else "")
        found = made._replace(edits=edits)
        if not _is_too_long(layout, edits):
            break
    return found


def fitted(module: PythonFile, call: cst.Call, edits: Iterable[Edit]) -> list[Edit]:
    """The edits of a call, as one that breaks its row, or that of its arguments, if they would make this too long."""
    every = sorted(edits)
    layout = _layout(module, call)
    row = None if layout is None or not _is_too_long(layout, every) else _row(layout)
    if layout is None or row is None:
        return every
    source = layout.source
    start, end = source.offset(row, 1), _end(source, row)
    comments = scan(source.text).comments
    at = bisect.bisect_left(comments, (start, start))
    code = comments[at][0] if at < len(comments) and comments[at][0] < end else end
    remark = source.text[code:end]
    code = start + len(source.text[start:code].rstrip())
    inner = [edit for edit in every if start <= edit.start and edit.end <= code]
    others = [edit for edit in every if edit not in inner]
    text = edited(source.text, inner, start, code)
    if any(e.start <= end and start <= e.end for e in others):
        return every
    opening = len(edited(source.text, _before(inner, layout.opening), start, layout.opening))
    is_listed = row > layout.rows[0] or (has_clauses(text) and _is_continued(source, start))
    rows = listed(text, layout.limits) if is_listed else _rows(layout, text, opening, remark)
    if _PRAGMA.match(remark):
        rows, code = [f"{rows[0]}  {remark}", *rows[1:]], end
    return [*others, Edit(start, code, source.newline.join(rows))]


def _is_continued(source: Source, start: int) -> bool:
    """Whether a row is not the first one of its statement."""
    lines = scan(source.text).lines
    return lines[line_at(lines, start)].start < start


def _rows(layout: _Layout, row: str, opening: int, remark: str) -> list[str]:
    """The rows that the row of a call becomes, whose bracket opens at an offset; `remark` is the comment behind it."""
    ways = [broken_at(row, opening, layout.limits)]
    if is_balanced(row):
        ways.insert(0, broken(row, layout.limits, f"  {remark}" if remark and not _PRAGMA.match(remark) else ""))
    elif not row.endswith(("(", "[", "{")):
        return [row]
    return min(ways, key=lambda rows: _excess(rows, layout.limits))


def _layout(module: PythonFile, call: cst.Call) -> _Layout | None:
    """Where a call stands; None if it has no arguments."""
    source = module.source
    start, at = module.span(call.func)
    bracket = _BRACKET.match(source.text, at)
    if bracket is None or not call.args:
        return None
    end = module.span(call)[1]
    rows = source.location(start)[0], source.location(end)[0]
    limits = Limits(module.settings.line_length, _unit(source.text))
    return _Layout(source, limits, rows, bracket.end() - 1, end, [module.span(arg) for arg in call.args])


@functools.lru_cache(maxsize=4)
def _unit(text: str) -> str:
    """What the first row is indented by that is not at the top level."""
    first = next((line for line in scan(text).lines if line.indent and not line.blank), None)
    return "    " if first is None else margin(text, first)


def _end(source: Source, row: int) -> int:
    return source.offset(row, 1) + len(source.line(row))


def _before(edits: Iterable[Edit], at: int) -> list[Edit]:
    return [edit for edit in edits if edit.end <= at]


def _row(layout: _Layout) -> int | None:
    """The row to break: that of the call, or the one that all of its arguments, and no bracket of it, stand in."""
    first, last = layout.rows
    if first == last:
        return first
    if layout.margin is None or layout.is_in_rows:
        return None
    row, _ = layout.source.location(layout.args[0][0])
    return row if row < last else None


def _ways(layout: _Layout, edits: Sequence[Edit]) -> Iterator[tuple[str, str]]:
    """What may stand between new arguments and before the first one, the best first."""
    source = layout.source
    newline = source.newline
    if layout.margin is not None:
        if not layout.is_in_rows:
            yield ", ", ""
        if _row(layout) is None:
            yield f",{newline}{layout.margin}", ""
        return
    yield ", ", ""
    first, last = layout.rows
    line = source.line(first)
    if (first < last or _is_visual(line)) and len(layout.aligned) == last - first:
        start = source.offset(first, 1)
        inner = [edit for edit in _before(edits, layout.opening) if edit.start >= start]
        column = len(edited(source.text, inner, start, layout.opening + 1))
        yield f",{newline}{' ' * column}", ""
    elif first < last:
        lead = f"{newline}{line[: len(line) - len(line.lstrip())]}{layout.limits.unit}"
        yield ", ", lead
        yield f",{lead}", lead


def _is_visual(row: str) -> bool:
    """Whether what stands behind a bracket in a row goes on below, aligned with that."""
    code = row.partition("#")[0].rstrip()
    return not is_balanced(code) and not code.endswith(("(", "[", "{"))


def _closed(layout: _Layout, edits: Sequence[Edit], separator: str) -> list[Edit]:
    """The edits, with a comma behind the last argument where the only one becomes the last of several rows."""
    end = layout.args[-1][1]
    rest = layout.source.text[end : layout.end - 1]
    if separator == ", " or len(layout.args) > 1 or "," in rest or layout.source.newline not in rest:
        return list(edits)
    last = next((edit for edit in edits if edit.start == edit.end == end), insert(end, ""))
    return [*(edit for edit in edits if edit is not last), insert(end, f"{last.content},")]


def _moved(layout: _Layout, edits: Sequence[Edit], unit: str) -> list[Edit]:
    """The edits by which the rows below a bracket stay aligned with it, and others are indented by a unit more."""
    source = layout.source
    first, _ = layout.rows
    by: dict[int, int] = {}
    moves: list[Edit] = []
    for below, bracket in _below(layout):
        row, column = source.location(bracket)
        start = source.offset(row, 1)
        inner = sorted(edit for edit in _before(edits, bracket) if start <= edit.start)
        head = edited(source.text, inner, start, bracket + 1).rpartition(source.newline)[2]
        count = by.get(row, 0)  # the first row is not moved, nor one before the opening bracket
        if source.text.startswith(" " * column, below):
            count += len(head) - column
        elif row == first:
            count += len(unit)
        by[source.location(below)[0]] = count
        if _is_in_string(source, below) or any(e.start < below < e.end for e in edits):
            continue
        if count > 0:
            moves.append(insert(below, (unit or " ")[0] * count))
        elif source.text.startswith(" " * -count, below) and count:
            moves.append(Edit(below, below - count, ""))
    return moves


def _below(layout: _Layout) -> Iterator[tuple[int, int]]:
    """Where the further rows of a call start, blank ones left out, and the bracket that is open there."""
    source = layout.source
    first, last = layout.rows
    tokens = brackets(source.text, layout.opening, layout.end)
    stack: list[int] = []
    for row in range(first + 1, last + 1):
        start = source.offset(row, 1)
        while tokens and tokens[0][0] < start:
            at, is_opening = tokens.pop(0)
            if is_opening:
                stack.append(at)
            else:
                stack.pop()
        if stack and source.line(row).strip():
            yield start, stack[-1]


def _is_in_string(source: Source, at: int) -> bool:
    strings = scan(source.text).strings
    before = bisect.bisect_left(strings, (at, at)) - 1
    return before >= 0 and at < strings[before][1]


def _is_too_long(layout: _Layout, edits: Iterable[Edit]) -> bool:
    """Whether edits make a row too long that a call stands in, and that was not before."""
    start, end = layout.span
    inner = sorted(edit for edit in edits if start <= edit.start and edit.end <= end)
    texts = layout.source.text[start:end], edited(layout.source.text, inner, start, end)
    before, after = (_excess(re.split(r"\r\n|\r|\n", text), layout.limits) for text in texts)
    return before < after


def _excess(rows: Iterable[str], limits: Limits) -> int:
    """How many rows are too long: to linters, none is that is one word."""
    code = (_PRAGMA.split(row)[0] for row in rows)
    return sum(columns(row) > limits.length and len(row.split()) > 1 for row in code)
