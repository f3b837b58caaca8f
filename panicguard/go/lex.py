"""The comments and logical lines of a Go file, without a parse; never fails, whatever the text."""

from __future__ import annotations

import functools
import re

from panicguard.lines import INDENT, CommentStyle, LogicalLine, Scan

_TOKEN = r"""
    [^()\[\]{}"'`/\r\n]*  # to pass over at once what begins no token takes a third of the time
    (?:
        (?P<comment> //[^\r\n]* )
      | (?P<block> /\* .*? (?: \*/ | \Z ) )
      | (?P<raw> ` [^`]* (?: ` | \Z ) )
      | " (?: [^"\\\r\n] | \\. )* "?
      | ' (?: [^'\\\r\n] | \\. )* '?
      | [(\[] [^()\[\]{}"'`/\r\n]* [)\]]  # most brackets hold nothing to look at
      | (?P<open> [(\[{] )
      | (?P<close> [)\]}] )
      | (?P<newline> \r\n | \r | \n )
      | / | \Z
    )
"""
"""Compiled at its first use: most runs have none."""
_OPERATORS = frozenset(".*/%&|^<>=!:+-")
"""The end of a line that continues on the next one, unless it is `++` or `--`."""


COMMENTS = CommentStyle("//", re.compile(r"//((?:[^/]|/(?!/))*)"), re.compile(r"\s/(?=/)"), gap=" ", shared=False)


@functools.lru_cache(maxsize=4)
def scan(text: str) -> Scan:
    """The comments, which begin with two slashes, and the logical lines of a file: a statement within parentheses or
    brackets belongs to what is around it, but one in the body of a function there does not."""
    lines: list[LogicalLine] = []
    comments: list[tuple[int, int]] = []
    strings: list[tuple[int, int]] = []
    brackets: list[str] = []
    start = 0
    code = 0
    """Where the code of the physical line ends, if a comment is behind it."""

    for token in re.compile(_TOKEN, re.VERBOSE | re.DOTALL).finditer(text):
        match kind := token.lastgroup:
            case "newline":
                if brackets and brackets[-1] != "{":
                    code = 0
                    continue
                before = text[start : code or token.start(kind)].rstrip()
                code = 0
                if before[-1:] not in _OPERATORS or before[-2:] in ("++", "--"):
                    lines.append(_logical_line(text, start, end := token.end()))
                    start = end
            case "comment":
                comments.append(token.span(kind))
                code = code or token.start(kind)
            case "raw" | "block":
                if "\n" in token[kind] or "\r" in token[kind]:
                    strings.append(token.span(kind))
            case "open":
                brackets.append(token[kind])
            case "close":
                if brackets:
                    brackets.pop()
    if start < len(text):
        lines.append(_logical_line(text, start, len(text)))
    return Scan(tuple(lines), tuple(comments), tuple(strings), (), not brackets)


def _logical_line(text: str, start: int, end: int) -> LogicalLine:
    body = start
    while body < end and text[body] == "\t":
        body += 1
    columns = 8 * (body - start)
    if body < end and text[body] in " \f":
        body = INDENT.match(text, start).end()  # type: ignore[union-attr]
        columns = len(text[start:body].expandtabs(8))
    blank = body == end or text[body] in "\r\n" or text.startswith("//", body)
    return LogicalLine(start, end, columns, blank)
