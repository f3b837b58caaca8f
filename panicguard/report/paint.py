"""Styled text to what a stream gets: the only place that knows of colours."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterable

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


def paint(segments: Iterable[tuple[str, str]], color: str, stream: TextIO) -> str:
    """The text of `segments`; `color` is always, never, or auto: ask the stream and the environment."""
    if not (color == "always" or (color == "auto" and _wants_colors(stream))):
        return "".join(text for text, _ in segments)
    from rich.color import ColorSystem
    from rich.style import Style

    styles = {name: Style.parse(style) for name, style in STYLES.items()}
    return "".join(
        styles[style].render(text, color_system=ColorSystem.STANDARD) if style in styles else text
        for text, style in segments
    )


def _wants_colors(stream: TextIO) -> bool:
    """The environment decides, as it does for Ruff; else a terminal that is not dumb has colours."""
    wish = os.environ.get
    if wish("NO_COLOR"):
        return False
    if wish("CLICOLOR_FORCE") or wish("FORCE_COLOR"):
        return True
    if wish("CLICOLOR"):
        return wish("CLICOLOR") != "0" and stream.isatty()
    return stream.isatty() and wish("TERM") != "dumb"
