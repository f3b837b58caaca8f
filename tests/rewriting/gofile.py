"""A Go file as its tokens and its syntax tree, with offsets in code points."""

from __future__ import annotations

import functools
import itertools
from typing import TYPE_CHECKING, NamedTuple

import tree_sitter
import tree_sitter_go

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

_PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_go.language()))
_LITERALS = frozenset(("interpreted_string_literal", "raw_string_literal", "rune_literal", "comment"))
_NAMES = frozenset(
    "identifier field_identifier type_identifier package_identifier label_name blank_identifier int_literal "
    "float_literal imaginary_literal interpreted_string_literal raw_string_literal rune_literal true false nil iota "
    "return break continue fallthrough ) ] } ++ -- dot".split()
)
"""Kinds of tokens after which a newline ends a statement."""


class Token(NamedTuple):
    kind: str
    text: str
    start: int
    end: int

    @property
    def is_comment(self) -> bool:
        return self.kind == "comment"

    @property
    def may_end(self) -> bool:
        """Whether a newline behind it ends a statement."""
        return self.kind in _NAMES


class GoModule:
    """A Go file as its tokens, comments included, and its syntax tree."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._data = text.encode()
        self._is_ascii = text.isascii()
        self.root = _PARSER.parse(self._data).root_node

    def offset(self, byte: int) -> int:
        return byte if self._is_ascii else len(self._data[:byte].decode())

    def span(self, node: Node) -> tuple[int, int]:
        return self.offset(node.start_byte), self.offset(node.end_byte)

    def nodes(self, *kinds: str) -> Iterator[Node]:
        stack = [self.root]
        while stack:
            node = stack.pop()
            if node.type in kinds:
                yield node
            stack += node.children

    @functools.cached_property
    def tokens(self) -> list[Token]:
        found: list[Token] = []
        stack = [self.root]
        while stack:
            node = stack.pop()
            if node.children and node.type not in _LITERALS:
                stack += reversed(node.children)
                continue
            start, end = self.span(node)
            if self.text[start:end].strip():
                found.append(Token(node.type, self.text[start:end], start, end))
        return found

    @property
    def meaning(self) -> list[str]:
        """The texts of all tokens that are neither comments nor semicolons."""
        code = (token.text for token in self.tokens if not token.is_comment and token.text != ";")
        return [text.replace("\r", "") for text in code]

    def pairs(self) -> Iterator[tuple[Token, Token]]:
        return itertools.pairwise(self.tokens)

    def gaps(self) -> Iterator[tuple[Token, Token]]:
        """The tokens of code side by side in one row."""
        for a, b in self.pairs():
            if not (a.is_comment or b.is_comment) and "\n" not in self.text[a.end : b.start]:
                yield a, b

    def ends_of_rows(self) -> Iterator[tuple[Token, Token]]:
        """The last token of each row of code without a comment, and the one after it."""
        for a, b in self.pairs():
            if not a.is_comment and "\n" in self.text[a.end : b.start]:
                yield a, b

    def first_tokens(self) -> Iterator[Token]:
        """The first token of each row, but for the first row."""
        for a, b in self.pairs():
            if "\n" in self.text[a.end : b.start]:
                yield b

    def row_start(self, offset: int) -> int:
        return self.text.rfind("\n", 0, offset) + 1
