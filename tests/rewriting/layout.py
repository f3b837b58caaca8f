"""Rewritings of a Python module in nothing but blanks, comments, newlines and brackets: its tree stays the same."""

from __future__ import annotations

import ast
import itertools
import keyword
import tokenize
from typing import TYPE_CHECKING

from rewriting.brackets import (
    bracketed_arguments,
    bracketed_callees,
    bracketed_headers,
    bracketed_owners,
    bracketed_targets,
    bracketed_twice,
    bracketed_values,
)
from rewriting.edits import Edit, Rewriting, insert
from rewriting.module import CLOSING, OPENING, Module, Token, is_simple

if TYPE_CHECKING:
    from collections.abc import Iterator

NOTE = "  # so: import x; return (raise ' \" [{ ... : \\"
"""A comment of what a text search may take for code."""


# Comments and empty lines


def comments_at_line_ends(module: Module) -> Iterator[Edit]:
    return (insert(at, NOTE) for at in module.ends_of_rows())


def other_comments(module: Module) -> Iterator[Edit]:
    comments = (token for token in module.tokens if token.kind == tokenize.COMMENT)
    return (Edit(token.start, token.end, NOTE.lstrip()) for token in comments)


def blanks_at_line_ends(module: Module) -> Iterator[Edit]:
    return (insert(at, " \t ") for at in module.ends_of_rows())


def _between_lines(module: Module, row: str) -> Iterator[Edit]:
    return (insert(module.row_start(token.start), row) for token in module.first_tokens())


def comment_lines(module: Module) -> Iterator[Edit]:
    return _between_lines(module, f"{NOTE.lstrip()}\n")


def indented_comment_lines(module: Module) -> Iterator[Edit]:
    return _between_lines(module, f"{' ' * 30}{NOTE}\n")


def empty_lines(module: Module) -> Iterator[Edit]:
    return _between_lines(module, "\n   \n")


def form_feed_lines(module: Module) -> Iterator[Edit]:
    return _between_lines(module, "\f\n")


def form_feeds_at_the_margin(module: Module) -> Iterator[Edit]:
    return (insert(module.row_start(token.start), "\f") for token in module.first_tokens())


def backslash_lines(module: Module) -> Iterator[Edit]:
    """A row of nothing but a backslash in front of each statement at the margin."""
    for token in module.first_tokens():
        if token.start == module.row_start(token.start) and token.level == 0 and token.start:
            yield insert(token.start, "\\\n")


def no_newline_at_the_end(module: Module) -> Iterator[Edit]:
    end = len(module.text.rstrip())
    if not module.text[end:].strip(" \n"):
        yield Edit(end, len(module.text), "")


# Blanks


def blanks_before_brackets(module: Module) -> Iterator[Edit]:
    return (insert(b.start, " ") for _, b in module.gaps() if b.text in OPENING)


def blanks_around_dots(module: Module) -> Iterator[Edit]:
    for a, b in module.gaps():
        if a.text == "." or b.text == ".":
            yield insert(b.start, "  ")


def blanks_after_dots(module: Module) -> Iterator[Edit]:
    return (insert(b.start, " ") for a, b in module.gaps() if a.text == ".")


def blanks_before_dots(module: Module) -> Iterator[Edit]:
    return (insert(b.start, " ") for _, b in module.gaps() if b.text == ".")


def blanks_after_keywords(module: Module) -> Iterator[Edit]:
    return (insert(b.start, "   ") for a, b in module.gaps() if keyword.iskeyword(a.text) or a.text in "@*")


def blanks_before_colons(module: Module) -> Iterator[Edit]:
    for _, b in module.gaps():
        if b.text in (":", ",", "=", ";"):
            yield insert(b.start, " ")


def blanks_within_brackets(module: Module) -> Iterator[Edit]:
    return (insert(b.start, " ") for a, b in module.gaps() if a.text in OPENING or b.text in CLOSING)


def tabs_for_blanks(module: Module) -> Iterator[Edit]:
    return (Edit(a.end, b.start, "\t\t") for a, b in module.gaps() if a.end < b.start)


def form_feeds_for_blanks(module: Module) -> Iterator[Edit]:
    return (Edit(a.end, b.start, " \f ") for a, b in module.gaps() if a.end < b.start)


def fewest_blanks(module: Module) -> Iterator[Edit]:
    """No blank where none is needed."""
    for a, b in module.gaps():
        if a.end < b.start and not (_is_wordy(a) and _is_wordy(b)) and a.kind != tokenize.NUMBER:
            yield Edit(a.end, b.start, "")


def _is_wordy(token: Token) -> bool:
    return token.kind in (tokenize.NAME, tokenize.NUMBER, tokenize.STRING)


# Indentation and newlines


def _indented(module: Module, by: str) -> Iterator[Edit]:
    for token in module.first_tokens():
        start = module.row_start(token.start)
        if not module.text[start : token.start].strip(" \t"):
            yield Edit(start, token.start, by * token.level)


def indented_by_tabs(module: Module) -> Iterator[Edit]:
    return _indented(module, "\t")


def indented_by_one(module: Module) -> Iterator[Edit]:
    return _indented(module, " ")


def carriage_returns(module: Module) -> Iterator[Edit]:
    return (Edit(at, at + 1, "\r") for at, char in enumerate(module.text) if char == "\n")


def carriage_returns_and_newlines(module: Module) -> Iterator[Edit]:
    return (insert(at, "\r") for at, char in enumerate(module.text) if char == "\n")


# Several rows for one, and one for several


def _in_brackets(module: Module) -> Iterator[tuple[Token, Token]]:
    return ((a, b) for a, b in module.gaps() if a.depth > 0)


def breaks_in_brackets(module: Module) -> Iterator[Edit]:
    return (Edit(a.end, b.start, "\n        ") for a, b in _in_brackets(module))


def breaks_at_the_margin(module: Module) -> Iterator[Edit]:
    return (Edit(a.end, b.start, "\n") for a, b in _in_brackets(module) if a.text in OPENING or a.text == ",")


def breaks_with_comments(module: Module) -> Iterator[Edit]:
    return (Edit(a.end, b.start, f"{NOTE}\n\n  ") for a, b in _in_brackets(module))


def backslashes(module: Module) -> Iterator[Edit]:
    return (Edit(a.end, b.start, " \\\n  ") for a, b in module.gaps() if a.end < b.start)


def backslashes_at_the_margin(module: Module) -> Iterator[Edit]:
    return (Edit(a.end, b.start, " \\\n") for a, b in module.gaps() if a.end < b.start)


def backslashes_at_dots_and_brackets(module: Module) -> Iterator[Edit]:
    return (insert(b.start, "\\\n ") for a, b in module.gaps() if b.text in (".", "(", "[") or a.text == ".")


def semicolons(module: Module) -> Iterator[Edit]:
    for node in module.nodes(ast.stmt):
        end = _end(module, node)
        if is_simple(node) and module.text[end : end + 1] != ";" and end == _code_end(module, end):  # type: ignore[arg-type]
            yield insert(end, " ;")


def _end(module: Module, node: ast.AST) -> int:
    """Where a statement ends, brackets around it included."""
    start, end = module.span(node)
    return max(end, start)


def _code_end(module: Module, at: int) -> int:
    """`at`, if nothing but a comment follows in the row; else -1."""
    behind = module.text[at : module.row_end(at)].strip()
    return at if not behind or behind[0] == "#" else -1


def joined_by_semicolons(module: Module) -> Iterator[Edit]:
    for body in module.bodies():
        for a, b in itertools.pairwise(body):
            if is_simple(a) and is_simple(b):
                yield from _together(module, module.span(a)[1], module.span(b)[0], "; ")


def bodies_beside_headers(module: Module) -> Iterator[Edit]:
    colons = {token.end for token in module.tokens if token.text == ":"}
    for body in module.bodies():
        start = module.span(body[0])[0]
        header = len(module.text[:start].rstrip())
        ends = [module.span(a)[1] for a in body[:-1]]
        starts = [module.span(b)[0] for b in body[1:]]
        if (
            all(map(is_simple, body))
            and header in colons
            and all(not module.text[a:b].strip() for a, b in zip(ends, starts, strict=True))
        ):
            yield from _together(module, header, start, " ")
            for a, b in zip(ends, starts, strict=True):
                yield from _together(module, a, b, "; ")


def _together(module: Module, end: int, start: int, by: str) -> Iterator[Edit]:
    between = module.text[end:start]
    if "\n" in between and not between.strip():
        yield Edit(end, start, by)


LAYOUT = (
    *(
        Rewriting(function.__name__, function, same_comments=True)
        for function in (
            comments_at_line_ends,
            blanks_at_line_ends,
            comment_lines,
            empty_lines,
            form_feed_lines,
            form_feeds_at_the_margin,
            backslash_lines,
            no_newline_at_the_end,
            blanks_before_brackets,
            blanks_around_dots,
            blanks_before_dots,
            blanks_after_dots,
            blanks_after_keywords,
            blanks_before_colons,
            blanks_within_brackets,
            tabs_for_blanks,
            form_feeds_for_blanks,
            fewest_blanks,
            carriage_returns,
            carriage_returns_and_newlines,
            semicolons,
            bracketed_callees,
            bracketed_arguments,
            bracketed_owners,
            bracketed_values,
            bracketed_headers,
            bracketed_targets,
            bracketed_twice,
        )
    ),
    *(
        Rewriting(function.__name__, function)
        for function in (
            other_comments,
            indented_comment_lines,
            indented_by_tabs,
            indented_by_one,
            breaks_in_brackets,
            breaks_at_the_margin,
            breaks_with_comments,
            backslashes,
            backslashes_at_the_margin,
            backslashes_at_dots_and_brackets,
            joined_by_semicolons,
            bodies_beside_headers,
        )
    ),
)
