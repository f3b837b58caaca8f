"""How the languages write comments: the one table that suppression goes by."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from panicguard.go import lex as go
from panicguard.python import lex as python

if TYPE_CHECKING:
    from collections.abc import Callable

    from panicguard.python.lex import Scan
    from panicguard.source import Source


@dataclass(frozen=True, slots=True)
class Style:
    """`mark` begins a comment; `segment` is what one of several comments in a comment says; `following` is where a
    reason ends and the next one begins."""

    mark: str
    segment: re.Pattern[str]
    following: re.Pattern[str]
    gap: str
    """What separates a comment from the code before it."""
    shared: bool
    """Whether Ruff reads the `noqa` comments too."""
    scan: Callable[[str], Scan]


_STYLES = {
    "python": Style(
        "#",
        re.compile(r"#([^#]*)"),
        re.compile(r"\s#(?!\d)"),  # "see #123" is a reason
        "  ",
        True,
        python.scan,
    ),
    "go": Style("//", re.compile(r"//((?:[^/]|/(?!/))*)"), re.compile(r"\s/(?=/)"), " ", False, go.scan),
}


def style(source: Source) -> Style:
    return _STYLES[source.language]


def scan(source: Source) -> Scan:
    """The comments and logical lines of a file."""
    return _STYLES[source.language].scan(source.text)
