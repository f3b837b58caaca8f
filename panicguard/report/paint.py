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
    "fixable": "cyan",
    "separator": "cyan",
    "message": "bold",
    "gutter": "bold bright_blue",
    "marker": "bold red",
    "help": "bold bright_cyan",
    "note": "bold bright_blue",
    "added": "green",
    "removed": "red",
    "hunk": "cyan",
    "count": "bold",
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
    """FORCE_COLOR and NO_COLOR decide; else a terminal that is not dumb has colours."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR", "0") not in ("", "0"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"
