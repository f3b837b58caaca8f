"""Where to put the lines that replace a statement."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from panicguard.diagnostic import Edit, edited
from panicguard.go.fixes.alignment import aligned
from panicguard.go.nodes import statements, text

if TYPE_CHECKING:
    from tree_sitter import Node

    from panicguard.go.file import GoFile


class StatementSite(NamedTuple):
    """Where a statement stands: its margin, and the block around it if the whole block is on one line."""

    statement: Node
    indent: str
    block: Node | None
    trailing: Node | None
    """The comment behind the statement."""

    @classmethod
    def of(cls, module: GoFile, statement: Node) -> StatementSite | None:
        """None for a statement that cannot become several: it stands in the head of another, or beside others."""
        parent = statement.parent
        if parent is None or parent.type not in ("statement_list", "labeled_statement"):
            return None
        row, column = module.source.location(module.tree.offset(statement.start_byte))
        before = module.source.line(row)[: column - 1]
        if not before.strip():
            return cls(statement, before, None, _comment_behind(statement))
        block = parent.parent
        if block is None or block.type != "block" or block.start_point[0] != block.end_point[0]:
            return None
        if any(node.type == "comment" for node in block.named_children):
            return None
        indent = before[: len(before) - len(before.lstrip(" \t"))]
        return cls(statement, f"{indent}\t", block, None)

    def edits(self, module: GoFile, lines: list[str]) -> tuple[Edit, ...]:
        """The edits that put lines in the place of the statement; all but the first have their margin."""
        if self.block is None:
            return _in_lines(module, self, lines)
        return (_in_one_line(module, self.statement, self.block, self.indent, lines),)


def _in_lines(module: GoFile, site: StatementSite, lines: list[str]) -> tuple[Edit, ...]:
    """For a statement that is alone on its lines."""
    newline = module.source.newline
    start, end = module.span(site.statement)
    if site.trailing is not None and lines[-1].strip() == "}" and "\n" not in text(site.trailing):
        comment = text(site.trailing).rstrip("\r")
        written = newline.join((*lines[:-2], f"{lines[-2]} {comment}", lines[-1]))
        end = start + len(module.source.text[start : module.tree.offset(site.trailing.end_byte)].rstrip("\r"))
        return tuple(aligned(module.source, Edit(start, end, written), keeps=False))
    old = module.source.text[start:end].split(newline)
    if len(old) > 2 and old[1:-1] == lines[1:-1]:  # a literal's body stays as it is
        last = Edit(end - len(old[-1]), end, lines[-1])
        return (Edit(start, start + len(old[0]), lines[0]), *aligned(module.source, last))
    return tuple(aligned(module.source, Edit(start, end, newline.join(lines))))


def _in_one_line(module: GoFile, statement: Node, block: Node, indent: str, lines: list[str]) -> Edit:
    """For a statement in a block on one line: each of the block's statements gets lines of its own."""
    newline = module.source.newline
    edits = [Edit(*module.span(statement), newline.join(lines))]
    at = module.tree.offset(block.start_byte) + 1
    for each in statements(block):
        start, end = module.span(each)
        edits.append(Edit(at, start, f"{newline}{indent}"))
        at = end
    edits.append(Edit(at, module.tree.offset(block.end_byte) - 1, f"{newline}{indent[:-1]}"))
    return _joined(module.source.text, edits)


def _joined(text: str, edits: list[Edit]) -> Edit:
    """Several edits as one."""
    edits = sorted(edits)
    return Edit(edits[0].start, edits[-1].end, edited(text, edits, edits[0].start, edits[-1].end))


def _comment_behind(statement: Node) -> Node | None:
    """The comment on the line in which a statement ends, if nothing else follows it there."""
    node: Node | None = statement
    while node is not None and node.next_sibling is None:
        node = node.parent
    following = node.next_sibling if node is not None else None
    if following is not None and following.type in ("\n", ";"):
        following = following.next_sibling
    if following is None or following.type != "comment" or following.start_point[0] != statement.end_point[0]:
        return None
    return following
