"""Where lines go that take the place of a statement, and the comments beside them.

gofmt aligns the comments behind neighbouring lines: an edit that makes a line longer moves them all.
"""

from __future__ import annotations

import bisect
from typing import TYPE_CHECKING, NamedTuple

from panicguard.go.lex import scan
from panicguard.go.nodes import statements, text
from panicguard.model import Edit, edited

if TYPE_CHECKING:
    from tree_sitter import Node

    from panicguard.go.module import GoModule
    from panicguard.source import Source


_MOST = 100
"""The lines whose comments an edit moves at the most: each fix in a block of them would move them all."""


class Place(NamedTuple):
    """Where a statement stands: its margin, and the block around it where all of that is one line."""

    statement: Node
    indent: str
    block: Node | None
    trailing: Node | None
    """The comment behind the statement."""

    @classmethod
    def of(cls, module: GoModule, statement: Node) -> Place | None:
        listed = statement.parent
        if listed is None or listed.type not in ("statement_list", "labeled_statement"):
            return None
        row, column = module.source.location(module.tree.offset(statement.start_byte))
        before = module.source.line(row)[: column - 1]
        if not before.strip():
            return cls(statement, before, None, _comment_behind(statement))
        block = listed.parent
        if block is None or block.type != "block" or block.start_point[0] != block.end_point[0]:
            return None
        if any(node.type == "comment" for node in block.named_children):
            return None
        indent = before[: len(before) - len(before.lstrip(" \t"))]
        return cls(statement, f"{indent}\t", block, None)

    def edits(self, module: GoModule, written: list[str]) -> tuple[Edit, ...]:
        """The edits that put lines, which have their margin but for the first, in the place of the statement."""
        newline = module.source.newline
        start, end = module.span(self.statement)
        said = newline.join(written)
        if self.block is None:
            if self.trailing is not None and written[-1].strip() == "}" and "\n" not in text(self.trailing):
                comment = text(self.trailing).rstrip("\r")
                said = newline.join((*written[:-2], f"{written[-2]} {comment}", written[-1]))
                end = start + len(module.source.text[start : module.tree.offset(self.trailing.end_byte)].rstrip("\r"))
                return tuple(aligned(module.source, Edit(start, end, said), keeps=False))
            old = module.source.text[start:end].split(newline)
            if len(old) > 2 and old[1:-1] == written[1:-1]:  # a literal's body stays as it is
                last = Edit(end - len(old[-1]), end, written[-1])
                return (Edit(start, start + len(old[0]), written[0]), *aligned(module.source, last))
            return tuple(aligned(module.source, Edit(start, end, said)))
        edits = [Edit(start, end, said)]
        outer = self.indent[:-1]
        at = module.tree.offset(self.block.start_byte) + 1
        for one in statements(self.block):
            begin = module.tree.offset(one.start_byte)
            edits.append(Edit(at, begin, f"{newline}{self.indent}"))
            at = module.tree.offset(one.end_byte)
        edits.append(Edit(at, module.tree.offset(self.block.end_byte) - 1, f"{newline}{outer}"))
        return (_joined(module.source.text, edits),)


def _joined(text: str, edits: list[Edit]) -> Edit:
    """Edits as one."""
    edits = sorted(edits)
    return Edit(edits[0].start, edits[-1].end, edited(text, edits, edits[0].start, edits[-1].end))


def _comment_behind(statement: Node) -> Node | None:
    """The comment on the line in which a statement ends, if nothing but that is there."""
    node: Node | None = statement
    while node is not None and node.next_sibling is None:
        node = node.parent
    following = node.next_sibling if node is not None else None
    if following is not None and following.type in ("\n", ";"):
        following = following.next_sibling
    if following is None or following.type != "comment" or following.start_point[0] != statement.end_point[0]:
        return None
    return following


def aligned(source: Source, edit: Edit, *, keeps: bool = True) -> list[Edit]:
    """The edit, and what keeps the comments behind the lines beside it aligned. `keeps` says whether the comment
    behind the edit is still behind its last line. Nothing more where the comments were not aligned before."""
    row = source.location(edit.end)[0]
    at = comment_behind(source, row)
    if at is None:
        return [edit]
    column = source.location(at)[1]
    comments = {row: at}
    for step in (-1, 1):
        beside = row + step
        while (start := comment_behind(source, beside)) is not None and source.location(start)[1] == column:
            comments[beside] = start
            beside += step
            if len(comments) > _MOST:
                return [edit]
    rows = sorted(comments)
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


def comment_behind(source: Source, row: int) -> int | None:
    """The offset of the comment behind the code of a row; None where there is none, or no such row."""
    if not 0 < row <= len(source.line_starts) or "//" not in source.line(row):
        return None
    comments, start = scan(source.text).comments, source.line_starts[row - 1]
    index = bisect.bisect_left(comments, (start, start))
    if index == len(comments):
        return None
    at = comments[index][0]
    return at if at < start + len(source.line(row)) and _code(source, row, at) else None


def _code(source: Source, row: int, comment: int) -> str:
    """What stands before the comment on a row."""
    return source.text[source.line_starts[row - 1] : comment].rstrip()
