"""From styled text to what a stream gets: the only place that knows colours. It lets no other control characters
through."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TextIO

from panicguard.report.width import harmless, is_harmless

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

STYLES = {
    "path": "bold",
    "file": "underline",
    "code": "bold red",
    "title code": "bold bright_red",
    "title fixable": "bold bright_cyan",
    "fixable": "cyan",
    "separator": "cyan",
    "message": "bold",
    "gutter": "bold bright_blue",
    "marker": "bold bright_red",
    "help": "bold bright_cyan",
    "note": "bold bright_blue",
    "added": "green",
    "removed": "red",
    "hunk": "cyan",
    "count": "bold",
    "clock": "dim",
}


def paint(segments: Iterable[tuple[str, str]], color: str, stream: TextIO, *, exact: bool = False) -> str:
    """The text of `segments`; `color` is always, never, or auto: ask the stream and the environment.

    Control characters are drawn. `exact`: only on a terminal, because other output is for programs.
    """
    return painter(color, stream, exact=exact)(list(segments))


def painter(color: str, stream: TextIO, *, exact: bool = False) -> Callable[[Sequence[tuple[str, str]]], str]:
    """A function that paints one piece of an output after the other, each of whole lines; see `paint`."""
    colored = color == "always" or (color == "auto" and _wants_colors(stream))
    terminal = stream.isatty()
    draws = colored or terminal or not exact

    def plain(segments: Sequence[tuple[str, str]]) -> str:
        whole = "".join([text for text, _ in segments])
        return "".join([text for text, _ in drawn(segments)]) if draws and not is_harmless(whole) else whole

    def drawn(segments: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
        return [(_drawn(text, terminal=terminal), style) for text, style in segments]

    if not colored:
        return plain
    from rich.color import ColorSystem
    from rich.style import Style

    styles = {name: Style.parse(style) for name, style in STYLES.items()}

    def styled(segments: Sequence[tuple[str, str]]) -> str:
        if not is_harmless("".join([text for text, _ in segments])):
            segments = drawn(segments)
        return "".join(
            styles[style].render(text, color_system=ColorSystem.STANDARD) if style in styles else text
            for text, style in segments
        )

    return styled


def _drawn(text: str, *, terminal: bool) -> str:
    """The text with control characters drawn. A carriage return alone, which ends a line of an old source, is kept in a
    file; on a terminal, the next line would overwrite this one."""
    if not text.endswith("\r"):
        return harmless(text)
    return harmless(text[:-1]) + ("␍\n" if terminal else "\r")


def _wants_colors(stream: TextIO) -> bool:
    """Whether to use colours: the environment decides, as for Ruff; else a terminal that is not dumb has them."""
    wish = os.environ.get
    if wish("NO_COLOR"):
        return False
    if wish("CLICOLOR_FORCE") or wish("FORCE_COLOR"):
        return True
    if wish("CLICOLOR"):
        return wish("CLICOLOR") != "0" and stream.isatty()
    return stream.isatty() and wish("TERM") != "dumb"
