"""Lines of Go code that move deeper: each gets a longer margin, but raw strings stay as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.go.nodes import statements, text, within

if TYPE_CHECKING:
    from tree_sitter import Node

    from panicguard.go.file import GoFile


def moved(module: GoFile, node: Node, deeper: str) -> list[str]:
    """The lines of a node; those behind the first get `deeper` more of a margin."""
    return _moved(module, node, node.start_byte, node.end_byte, deeper)


def moved_text(module: GoFile, node: Node | None, deeper: str) -> str:
    """The same as a single text; "" for None."""
    return "" if node is None else module.source.newline.join(moved(module, node, deeper))


def moved_body(module: GoFile, body: Node, indent: str, deeper: str) -> list[str]:
    """What follows the brace of a body, and its lines, which must be one tab deeper than `indent`; `deeper` is what is
    added to the margin of each line. Empty for an empty body."""
    if body.start_point[0] != body.end_point[0]:
        return _moved(module, body, body.start_byte + 1, body.end_byte - 1, deeper)[:-1]
    lines = [f"{indent}\t{text(statement)}" for statement in statements(body)]
    return ["", *lines] if lines else []


def closed(head: str, body: list[str], indent: str) -> list[str]:
    """The lines of a call whose last argument is a function: `head` ends in the function's brace, and `body` is what
    follows the brace, and the lines below it."""
    return [f"{head}{body[0]}", *body[1:], f"{indent}}})"] if body else [f"{head}}})"]


def _moved(module: GoFile, node: Node, start: int, end: int, deeper: str) -> list[str]:
    """The lines between two bytes of a node."""
    raw = [each for each in within(node) if each.type == "raw_string_literal"] if deeper else []
    lines = []
    at = start
    for data in module.tree.data[start:end].split(b"\n"):
        in_string = any(string.start_byte < at <= string.end_byte for string in raw)
        line = data.decode().rstrip("\r")
        lines.append(f"{deeper}{line}" if at > start and line.strip() and not in_string else line)
        at += len(data) + 1
    return lines
