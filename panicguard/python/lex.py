"""A light scanner: comments, and logical lines with their indentation, without a parse.

It costs a tenth of a parse and never fails on valid Python; where it loses its way (an unclosed
bracket or quote) it says so, and its callers read the whole file instead.
"""

from __future__ import annotations

import functools
import re

from panicguard.lines import INDENT, CommentStyle, LogicalLine, Scan

_PLAIN = r"""
    [^"'\#()\[\]{}\\\r\n]*
    (?: (?: \( [^"'\#()\[\]{}\\\r\n]* \) | \[ [^"'\#()\[\]{}\\\r\n]* \]
          | "(?!") [^"\\\r\n]* " | '(?!') [^'\\\r\n]* ' )
        [^"'\#()\[\]{}\\\r\n]* )*
"""
"""What does not affect lines: text, simple brackets, simple strings. A token or the end always follows: a match that
failed would be retried at each following character."""
TOKEN = r'''
    (?P<comment> \#[^\r\n]* )
  | (?P<string> """ [^"\\]* (?: (?: \\. | "(?!"") ) [^"\\]* )* """
              | \'\'\' [^'\\]* (?: (?: \\. | '(?!'') ) [^'\\]* )* \'\'\'
              | " [^"\\\r\n]* (?: \\(?:\r\n|.) [^"\\\r\n]* )* "
              | ' [^'\\\r\n]* (?: \\(?:\r\n|.) [^'\\\r\n]* )* ' )
  | (?P<open> [\(\[\{] )
  | (?P<close> [\)\]\}] )
  | (?P<joined> \\ (?:\r\n|\r|\n) )
  | (?P<newline> \r\n | \r | \n ) (?P<margin> [ ]* )
  | (?P<end> \Z )
'''
"""What determines where lines and expressions end: a verbose pattern, in which a dot is any character. A newline
includes the spaces after it."""
GAP = r"(?:\s|\\[\r\n]|\#[^\r\n]*)*"
"""A pattern of what may stand between two parts of a statement."""
_TOKEN = rf"{_PLAIN} (?: {TOKEN} | (?P<broken> [\"'\\] ) )"
_LINK = rf"{TOKEN} | (?P<reset> [,;] ) | (?P<link> [-+~] | [*/%@&|^.<>=!]+ | \b(?:not|if|lambda|await|and|or|in|is)\b )"
_FLAGS = re.VERBOSE | re.DOTALL
"""Those of the long patterns, which are compiled at their first use: most runs have none."""
_SPACES = re.compile(" *")


COMMENTS = CommentStyle(
    "#",
    re.compile(r"#([^#]*)"),
    re.compile(r"\s#(?!\d)"),  # "see #123" is a reason
    gap="  ",
    shared=True,
)


@functools.lru_cache(maxsize=4)
def scan(text: str) -> Scan:
    """The logical lines and comments of a module's text. The last ones are kept: screen, suppression and imports ask
    for the same text."""
    lines: list[LogicalLine] = []
    comments: list[tuple[int, int]] = []
    strings: list[tuple[int, int]] = []
    joined_lines: list[tuple[int, int]] = []
    depth = 0
    start = 0
    body = _SPACES.match(text).end()  # type: ignore[union-attr]
    sound = True
    joined = -1

    for token in re.compile(_TOKEN, _FLAGS).finditer(text):
        match token.lastgroup:
            case "margin":
                end = token.start("margin")
                if joined >= 0:
                    joined_lines.append((joined, token.start("newline")))
                    joined = -1
                if depth == 0:
                    columns = body - start
                    if text[body] in "\t\f":
                        body, columns = _tabbed(text, start)
                    lines.append(LogicalLine(start, end, columns, text[body] in "#\r\n"))
                    start = end
                    body = token.end()
            case "comment":
                comments.append(token.span("comment"))
            case "string":
                if "\n" in token["string"] or "\r" in token["string"]:
                    strings.append(token.span("string"))
            case "open":
                depth += 1
            case "close":
                depth -= 1
                sound = sound and depth >= 0
                depth = max(depth, 0)
            case "joined":
                if joined < 0:
                    at = token.start("joined")
                    row = text.rfind("\n", 0, at) + 1
                    joined = max(row, text.rfind("\r", row, at) + 1)
            case "broken":
                sound = False
    if joined >= 0:
        joined_lines.append((joined, len(text)))
    if start < len(text):
        body, columns = _tabbed(text, start)
        lines.append(LogicalLine(start, len(text), columns, body == len(text) or text[body] == "#"))
    return Scan(tuple(lines), tuple(comments), tuple(strings), tuple(joined_lines), sound and depth == 0)


def _tabbed(text: str, start: int) -> tuple[int, int]:
    """The end of the whitespace that a line starts with, and how many columns it is."""
    body = INDENT.match(text, start).end()  # type: ignore[union-attr]
    columns = 0
    for char in text[start:body]:
        columns = 0 if char == "\f" else columns // 8 * 8 + 8 if char == "\t" else columns + 1
    return body, columns


def depth(text: str, start: int, end: int) -> int:
    """How deep the syntax tree of a logical line may get: its open brackets, and the operators, attributes, calls and
    adjacent strings that are chained between two commas, on every level."""
    levels = [0]
    total = deepest = 0
    for token in re.compile(_LINK, _FLAGS).finditer(text, start, end):
        match token.lastgroup:
            case "open":
                levels[-1] += 1
                levels.append(0)
                total += 1
            case "close" if len(levels) > 1:
                total -= levels.pop()
            case "link" | "string":
                levels[-1] += 1
                total += 1
            case "reset":
                total -= levels[-1]
                levels[-1] = 0
        deepest = max(deepest, total)
    return deepest
