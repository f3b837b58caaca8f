"""A file as its comments and logical lines, and how a language writes comments: the shape that the scanners of all
languages give. Offsets count code points."""

from __future__ import annotations

import bisect
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

INDENT = re.compile(r"[ \t\f]*")


@dataclass(frozen=True, slots=True)
class CommentStyle:
    """`mark` begins a comment; `segment` matches one of several comments within a comment; `following` is where a
    reason ends and the next one begins."""

    mark: str
    segment: re.Pattern[str]
    following: re.Pattern[str]
    gap: str
    """What separates a comment from the code before it."""
    shared: bool
    """Whether Ruff reads the `noqa` comments too."""


class LogicalLine(NamedTuple):
    """`text[start:end]` is one logical line with its comment and newline; `indent` is in columns, with
    tabs to the next multiple of 8, as Python counts. A blank or comment-only line has `blank` set."""

    start: int
    end: int
    indent: int
    blank: bool


@dataclass(frozen=True, slots=True)
class Scan:
    lines: tuple[LogicalLine, ...]
    comments: tuple[tuple[int, int], ...]
    """Start and end offset of each comment, from its `#` to the end of its line."""
    strings: tuple[tuple[int, int], ...]
    """Start and end of each string of several lines, without its prefix."""
    joined: tuple[tuple[int, int], ...]
    """Start and end of each line, or row of lines, that a backslash joins to the next."""
    sound: bool
    """Whether every bracket and quote was closed."""


def line_at(lines: Sequence[LogicalLine], offset: int) -> int:
    """The index of the logical line that holds an offset, or that comes before it."""
    return max(0, bisect.bisect_right(lines, offset, key=lambda line: line.start) - 1)


def margin(text: str, line: LogicalLine) -> str:
    """The whitespace that a logical line starts with."""
    return text[line.start : INDENT.match(text, line.start).end()]  # type: ignore[union-attr]
