"""The tree of a Go file as tree-sitter parses it, queried by the words that occur in it.

Searching the text for a word, and the tree for what is there, takes a fraction of the time of a walk over the tree.
Nodes count bytes of the file as UTF-8; `span` turns them into offsets of `Source.text`. A tree may contain ERROR nodes,
where the syntax is wrong or newer than the grammar; what is beside them is valid.
"""

from __future__ import annotations

import bisect
import functools
from collections import deque
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from panicguard.go.nodes import is_called

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import tree_sitter
    from tree_sitter import Node, Parser


@functools.cache
def _parser() -> Parser:
    import tree_sitter_go
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_go.language()))


_KEYWORDS = {
    "defer_statement": "defer",
    "go_statement": "go",
    "import_declaration": "import",
    "method_declaration": "func",
    "package_clause": "package",
    "type_declaration": "type",
}
"""The types of nodes that `Tree.all` finds -> the keywords that they begin with."""


@dataclass(frozen=True)
class Tree:
    root: Node
    data: bytes
    """The file as UTF-8, with a final newline that it may lack."""
    _found: dict[tuple[str, ...], list[Node]] = field(default_factory=dict)

    def all(self, kind: str) -> list[Node]:
        """The nodes of a type that has a keyword, in the order of the text."""
        leaves = self.leaves(_KEYWORDS[kind])
        return [above for leaf in leaves if (above := leaf.parent) is not None and above.type == kind]

    def leaves(self, *words: str) -> list[Node]:
        """The names and keywords that are one of these words, in the order of the text; no comments or strings."""
        if words not in self._found:
            places = sorted(place for word in words for place in self._places(word.encode()))
            nodes = (self.root.descendant_for_byte_range(*place) for place in places)
            self._found[words] = [
                node for node, place in zip(nodes, places, strict=True) if node and node.byte_range == place
            ]
        return self._found[words]

    def _places(self, word: bytes) -> Iterator[tuple[int, int]]:
        """Where a word occurs that is not part of a longer one, even in comments and strings."""
        start = self.data.find(word)
        while start >= 0:
            end = start + len(word)
            if not (_is_letter(self.data[start - 1 : start]) or _is_letter(self.data[end : end + 1])):
                yield start, end
            start = self.data.find(word, end)

    def calls(self, *names: str) -> list[Node]:
        """The calls of what has one of these names, be it a function, a method or a package's, in the order in which
        the names stand."""
        calls = []
        for leaf in self.leaves(*names):
            called = leaf.parent if leaf.type == "field_identifier" else leaf
            call = is_called(called) if called is not None else None
            if call is not None:
                calls.append(call)
        return calls

    def span(self, node: Node) -> tuple[int, int]:
        return self.offset(node.start_byte), self.offset(node.end_byte)

    def offset(self, byte: int) -> int:
        """The offset, in code points, of one in bytes."""
        if self._lines is None:
            return byte
        starts, offsets = self._lines
        row = bisect.bisect_right(starts, byte) - 1
        return offsets[row] + len(self.data[starts[row] : byte].decode())

    @cached_property
    def _lines(self) -> tuple[list[int], list[int]] | None:
        """Where each line starts, in bytes and in code points; None if the two are the same."""
        if self.data.isascii():
            return None
        starts, offsets = [0], [0]
        for line in self.data.split(b"\n"):
            starts.append(starts[-1] + len(line) + 1)
            offsets.append(offsets[-1] + len(line.decode()) + 1)
        return starts, offsets


def _is_letter(byte: bytes) -> bool:
    return byte.isalnum() or byte == b"_" or byte >= b"\x80"


_last: deque[tuple[bytes, tree_sitter.Tree]] = deque(maxlen=1)
"""The last text and its tree, most of which can be reused after the next keystroke."""
_SHARE = 8
"""At most one part in so many may differ in a text that counts as an edit of the last one."""


@functools.lru_cache(maxsize=1)
def parsed(text: str) -> Tree:
    """The tree of a file. The last one is kept: rules and suppression ask for the same text."""
    data = text.encode()
    if not data.endswith(b"\n"):
        data += b"\n"  # the grammar fails on some last lines without a newline
    tree = (_last and _reparsed(*_last[0], data)) or _parser().parse(data)
    _last.append((data, tree))
    return Tree(tree.root_node, data)


def _reparsed(before: bytes, tree: tree_sitter.Tree, data: bytes) -> tree_sitter.Tree | None:
    """The tree of a text, derived from that of an earlier one. None if the two have little in common, or the text is
    broken: how the parser recovers depends on the earlier tree, and a file must have the same result wherever it is
    read."""
    shorter = min(len(before), len(data))
    if _SHARE * abs(len(before) - len(data)) > shorter:
        return None
    start = _longest(shorter, lambda n: before.startswith(data[:n]))
    end = _longest(shorter - start, lambda n: before.endswith(data[len(data) - n :]))
    if _SHARE * (shorter - start - end) > shorter:
        return None
    ends = len(before) - end, len(data) - end
    known = tree.copy()
    known.edit(start, *ends, _point(data, start), _point(before, ends[0]), _point(data, ends[1]))
    reparsed = _parser().parse(data, known)
    return None if reparsed.root_node.has_error else reparsed


def _longest(limit: int, holds: Callable[[int], bool]) -> int:
    """The greatest number up to a limit for which a condition holds, given that it holds for all numbers below."""
    return bisect.bisect_left(range(1, limit + 1), True, key=lambda n: not holds(n))


def _point(data: bytes, at: int) -> tuple[int, int]:
    """Row and column of a byte offset."""
    return data.count(b"\n", 0, at), at - data.rfind(b"\n", 0, at) - 1


def faults(text: str) -> int:
    """How many places of a file the grammar does not understand."""
    count = 0
    stack = [parsed(text).root]
    while stack:
        node = stack.pop()
        if node.has_error:
            count += node.is_error or node.is_missing
            stack.extend(node.children)
    return count
